"""Everything of an incident in one archive, and the way back: a gzipped tar (POSIX.1-1988 ustar).

In a folder named by the incident: post-mortem.md and .html, timeline.json (the whole record) and
.csv, readings.csv, evidence/E7.txt and .svg, charts/*.svg, and manifest.json: `{"version": 1,
"incident", "exported", "files": [{"name", "bytes", "sha256"}]}`. The same material gives the same
bytes: names are sorted, owners and times are not this machine's.

Reading trusts nothing: only plain files with plain names, no links, no devices, nothing beyond the
limits, each file as the manifest has it. Nothing is ever unpacked onto the disk.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import IO, Any, Final, NamedTuple

from warroom.domain.events import Event
from warroom.domain.evidence import Exhibit
from warroom.domain.readings import Reading
from warroom.domain.text import harmless, shorten
from warroom.reports.data import Origin, cell, csv_pieces, json_pieces
from warroom.reports.errors import BadExport
from warroom.reports.page import page
from warroom.reports.postmortem import facts, render
from warroom.reports.report import PATCH, Figure, Report
from warroom.reports.write import encoded

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
RECORD: Final = "timeline.json"
SHEET: Final = "timeline.csv"
PAGE: Final = "post-mortem.html"
WITHIN: Final[Mapping[str, str]] = {"json": RECORD, "csv": SHEET, "html": PAGE}
"""The formats that are the same in a bundle and beside one, and what they are called in it."""
Ready = Mapping[str, Sequence[bytes]]
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of all files together, unpacked; a hundred thousand events take a seventh of it."""
MOST_FILES: Final = 10_000
_KEPT: Final[Mapping[str, int]] = {MANIFEST: 16 * 1024 * 1024, RECORD: MOST_BYTES}
"""What is held in memory while reading, and how large it may be; the rest is only measured."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_ODD: Final = re.compile(r"[^A-Za-z0-9-]+")
_BLOCK: Final = 512
_LATEST: Final = 8**11 - 1
"""The last second (in the year 2242) that a header's eleven octal digits hold."""
_LEVEL: Final = 4
"""Half the time of the usual 6, for files a tenth larger."""
_HASTY: Final = 2
"""The level for what is larger than `_LARGE` bytes: half the time again, for another tenth."""
_LARGE: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 30
"""Pieces that are compressed together: some MiB."""
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds: the text of its timeline.json, and how many files agree."""

    record: str
    files: int


def packed(
    report: Report,
    template: str,
    figures: Sequence[Figure],
    events: Sequence[Event],
    origin: Origin,
    known: Mapping[str, Any] | None = None,
    ready: Ready = MappingProxyType({}),
) -> Iterator[bytes]:
    """The archive, piece by piece. `known` as in `render`; `ready` is the content of files that
    were rendered already. Raises BadTemplate."""
    placed = [replace(f, name=f"{'evidence' if f.exhibit else 'charts'}/{f.name}") for f in figures]
    incident = report.timeline.incident.id
    folder = _ODD.sub("-", incident).strip("-")[:60] or "incident"
    at = max(e.recorded_at for e in events).timestamp()
    pack = partial(_pack, folder, min(max(0, int(at)), _LATEST))
    with ThreadPoolExecutor() as threads:  # each is compressed while the next is rendered
        packing = [
            threads.submit(pack, name, pieces)
            for name, pieces in _files(report, template, placed, events, origin, known, ready)
        ]
        files = [each.result() for each in packing]
    files.append(pack(MANIFEST, (_manifest(incident, origin, files),)))
    for file in sorted(files):
        yield from file.packed
    yield from _gzip((bytes(2 * _BLOCK),))


def _files(
    report: Report,
    template: str,
    figures: Sequence[Figure],
    events: Sequence[Event],
    origin: Origin,
    known: Mapping[str, Any] | None,
    ready: Ready,
) -> Iterator[tuple[str, Sequence[bytes]]]:
    """Names and contents."""
    timeline = report.timeline
    yield (
        RECORD,
        ready.get(RECORD) or tuple(json_pieces(events, timeline, report.readings, origin)),
    )
    yield SHEET, ready.get(SHEET) or tuple(csv_pieces(timeline))
    known = facts(report) if known is None else known
    texts: dict[str, Callable[[], str]] = {
        PAGE: lambda: page(report, template, figures, known),
        "post-mortem.md": lambda: render(report, template, figures=figures, known=known),
        **{figure.name: partial(str, figure.svg) for figure in figures},
        **{f"evidence/{e.label}.txt": partial(_told, e) for e in timeline.exhibits},
    }
    if report.patch:
        texts[PATCH] = partial(str, report.patch)
    if report.readings:
        texts["readings.csv"] = partial(_table, report.readings)
    for name, text in texts.items():
        yield name, ready.get(name) or (encoded(text()),)


def _told(exhibit: Exhibit) -> str:
    """The evidence as text, whole, under what is known of it."""
    held = exhibit.evidence
    known = {
        "title": held.title, "kind": held.kind.value, "source": held.source, "host": held.host,
        "query": held.query, "from": held.begin.isoformat() if held.begin else "",
        "to": held.end.isoformat() if held.end else "",
        "kept by": exhibit.author, "kept at": exhibit.at.isoformat(),
    }  # fmt: skip
    head = "".join(f"{name}: {harmless(said)}\n" for name, said in known.items() if said)
    return f"{head}\n{harmless(held.text, lines=True)}\n"


def _table(readings: Sequence[Reading]) -> str:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(("at", "source", "metric", "value"))
    for reading in readings:
        for metric, value in reading.metrics.items():
            names = (harmless(name) for name in (reading.source, metric))
            writer.writerow((reading.at.isoformat(), *map(cell, names), repr(value)))
    return sheet.getvalue()


def _manifest(incident: str, origin: Origin, files: Sequence[_File]) -> bytes:
    document = {
        "version": VERSION,
        "incident": incident,
        "exported": {"by": origin.by, "host": origin.host, "at": origin.at},
        "files": [
            {"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in sorted(files)
        ],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


class _File(NamedTuple):
    """A file of the archive; `packed` are the pieces of its part of that, a gzip member (RFC 1952,
    2.2)."""

    name: str
    size: int
    sha256: str
    packed: tuple[bytes, ...]


def _pack(folder: str, at: int, name: str, content: Sequence[bytes]) -> _File:
    member, digest = tarfile.TarInfo(f"{folder}/{name}"), hashlib.sha256()
    for piece in content:
        digest.update(piece)
    size = sum(map(len, content))
    member.size, member.mtime, member.mode = size, at, 0o600
    head, end = member.tobuf(tarfile.USTAR_FORMAT), bytes(-size % _BLOCK)
    level = _HASTY if size > _LARGE else _LEVEL
    return _File(name, size, digest.hexdigest(), tuple(_gzip((head, *content, end), level)))


def _gzip(pieces: Iterable[bytes], level: int = _LEVEL) -> Iterator[bytes]:
    """A gzip member, with no time in it. Many pieces at once: after each, the interpreter's lock
    is waited for while something else is rendered."""
    packer, rest = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS), iter(pieces)
    while some := b"".join(islice(rest, _AT_ONCE)):
        yield packer.compress(some)
    yield packer.flush()


def unpacked(stream: IO[bytes]) -> Bundle:
    """What the archive in `stream` holds, every file as its manifest has it. Raises BadExport."""
    kept: dict[str, bytes] = {}
    found: dict[str, tuple[int, str]] = {}
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as archive:
            for name, size in _members(archive, found):
                digest, pieces, limit = hashlib.sha256(), [], _KEPT.get(name, 0)
                for piece in _content(archive, size):
                    digest.update(piece)
                    if size <= limit:
                        pieces.append(piece)
                found[name] = size, digest.hexdigest()
                if size <= limit:
                    kept[name] = b"".join(pieces)
    except (EOFError, OSError, tarfile.HeaderError, zlib.error) as error:
        raise BadExport(f"not a bundle: {shorten(harmless(str(error)), 200)}") from error
    for name in _KEPT:
        if name not in kept:
            raise BadExport(f"not a bundle: it has no {name}, or one that is too large")
    _compare(kept[MANIFEST], found)
    try:
        return Bundle(kept[RECORD].decode("utf-8"), len(found))
    except UnicodeDecodeError as error:
        raise BadExport(f"{RECORD} is not UTF-8") from error


def _members(archive: gzip.GzipFile, found: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    """The plain files of the archive: names within its folder, sizes. Whoever iterates reads the
    content of each before the next."""
    total, folder = 0, ""
    while True:
        block = _exactly(archive, _BLOCK)
        if not block.strip(b"\0"):
            return
        member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise BadExport(f"not a bundle of warroom: {_shown(member.name)} is no plain file")
        head, _, name = member.name.partition("/")
        if not _NAME.fullmatch(member.name) or not name or head != (folder or head):
            raise BadExport(f"not a bundle of warroom: a file called {_shown(member.name)}")
        if name in found:
            raise BadExport(f"not a bundle of warroom: {name} is there twice")
        folder, total = head, total + member.size
        if member.size < 0 or total > MOST_BYTES or len(found) >= MOST_FILES:
            raise BadExport(f"larger than {MOST_BYTES // 1024**2} MiB or {MOST_FILES:,} files")
        yield name, member.size


def _content(archive: gzip.GzipFile, size: int) -> Iterator[bytes]:
    """A file's content in pieces, and past what fills its last block."""
    for start in range(0, size, _PIECE):
        yield _exactly(archive, min(_PIECE, size - start))
    _exactly(archive, -size % _BLOCK)


def _exactly(archive: gzip.GzipFile, size: int) -> bytes:
    data = archive.read(size) if size else b""
    if len(data) < size:
        raise EOFError("it ends in the middle")
    return data


def _compare(manifest: bytes, found: Mapping[str, tuple[int, str]]) -> None:
    """Every file as the manifest has it, none missing, none besides."""
    try:
        document: Any = json.loads(manifest)
        if document["version"] != VERSION:
            other = _shown(repr(document["version"]))
            raise BadExport(f"a bundle of version {other}; known: {VERSION}")
        said = {f["name"]: (f["bytes"], f["sha256"]) for f in document["files"]}
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise BadExport(f"{MANIFEST} is none") from error
    there = {name: is_ for name, is_ in found.items() if name != MANIFEST}
    for name in sorted(there.keys() ^ said.keys(), key=str):
        which = "is missing" if name in said else "is not in the manifest"
        raise BadExport(f"the bundle was changed: {_shown(str(name))} {which}")
    for name, is_ in there.items():
        if said[name] != is_:
            raise BadExport(f"the bundle was changed: {name} is not as the manifest has it")


def _shown(name: str) -> str:
    return shorten(harmless(name), 80)
