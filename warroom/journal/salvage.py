"""What can still be read of a damaged SQLite journal, in a new one.

The damaged file and its log are copied aside and read, never written or opened by SQLite. Every
entry that is found keeps its place, its text and its digest; where one is missing an entry says
so, whose digest is empty, so that the chain is seen to break there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from warroom.domain.events import broken
from warroom.journal._sqlite_file import JournalFile
from warroom.journal._sqlite_pages import pages
from warroom.journal._sqlite_remains import Remains, remains
from warroom.journal._sqlite_schema import statement
from warroom.journal._sqlite_store import insert
from warroom.journal.base import JournalError

_SHOWN: Final = 8
"""Places that are listed one by one."""
_BLOCK: Final = 65536
_SECTOR: Final = 4096
_PATIENCE_S: Final = 3600.0
"""A new file: nobody else holds it, and nobody types meanwhile."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """An incident in the new journal. Of the `known` entries that it had at least, `found` were
    read, those `changed` not as they were written; from `fault` on the chain does not hold (0: it
    holds)."""

    incident: str
    found: int
    known: int
    missing: tuple[range, ...]
    changed: tuple[int, ...]
    fault: int


@dataclass(frozen=True, slots=True)
class Salvage:
    """`aside` is the folder with the copies. `unreadable` are bytes that the disk did not give.
    When the log is not `whole`, entries may be missing that nothing knows of."""

    new: Path
    aside: Path
    incidents: tuple[Salvaged, ...]
    unreadable: int
    whole: bool


def salvage(damaged: Path, new: Path) -> Salvage:
    """Read what is left of `damaged` into `new`. Raises JournalError when `new` is there already,
    when nothing of a journal is found, and when there is no room."""
    if os.path.lexists(new):
        raise JournalError(f"{new} is there already: name another file with -o")
    try:
        files, unreadable = _files(damaged)
        log = files.get(f"{damaged.name}-wal", b"")
        found = pages(files.get(damaged.name, b""), log)
        incidents = remains(found)
        if not incidents:
            raise JournalError(f"{damaged}: no entry of any incident can be read in it")
        aside = _copied(damaged, files)
        return Salvage(new, aside, tuple(_write(incidents, new)), unreadable, found.whole)
    except OSError as error:
        raise JournalError(f"{error.filename or damaged}: {error.strerror or error}") from error


def beside(path: Path) -> Path:
    """Where what is salvaged goes when nobody says: `journal.salvaged.db` beside `journal.db`."""
    return path.with_name(f"{path.stem}.salvaged{path.suffix}")


def told(found: Salvage) -> Iterator[str]:
    """What was found of every incident and what was not, a plain line each."""
    for one in found.incidents:
        yield f"{one.incident}: {one.found} of {one.known} entries, {chain_in_words(one.fault)}"
        if one.missing:
            yield f"  missing: {_listed(map(_gap, one.missing))}"
        if one.changed:
            yield f"  not as they were written: {_listed(map(str, one.changed))}"


def lost(found: Salvage, damaged: Path) -> Iterator[str]:
    """What may be missing that nothing knows of."""
    if found.unreadable:
        yield f"the disk did not give {found.unreadable} bytes"
    if not found.whole:
        yield (
            f"{damaged}-wal lost its end: the newest entries may be missing, nobody knows how many"
        )


def chain_in_words(fault: int) -> str:
    """How far the chain holds; `fault` as `broken` gives it."""
    if not fault:
        return "the chain holds"
    holds = f"the chain holds up to {fault - 1}, " if fault > 1 else ""
    return f"{holds}entry {fault} is not as it was written"


def go_on_with(found: Salvage, damaged: Path) -> None:
    """Put the new journal in the place of the damaged one, whose own files go to the copies of
    them. No console may have it open. Raises JournalError; then go_on_with can be called again."""
    try:
        for ending in ("-shm", "-wal", ""):
            path = damaged.with_name(damaged.name + ending)
            if path.exists():
                path.replace(found.aside / path.name)
        found.new.rename(damaged)
    except OSError as error:
        raise JournalError(f"{error.filename or damaged}: {error.strerror or error}") from error


def _gap(gap: range) -> str:
    return str(gap.start) if len(gap) == 1 else f"{gap.start}-{gap.stop - 1}"


def _listed(places: Iterable[str]) -> str:
    shown = list(places)
    rest = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _files(damaged: Path) -> tuple[dict[str, bytes], int]:
    """Their content by name, zeros for what the disk does not give, and how many those are."""
    files: dict[str, bytes] = {}
    unreadable = 0
    for ending in ("", "-wal", "-shm"):
        path = damaged.with_name(damaged.name + ending)
        if path.exists():
            files[path.name], lost = _read(path)
            unreadable += lost
    if not files:
        raise JournalError(f"{damaged}: there is no such file")
    return files, unreadable


def _read(path: Path) -> tuple[bytes, int]:
    content, lost = bytearray(), 0
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe has nothing to say
    try:
        size = os.fstat(descriptor).st_size
        for at in range(0, size, _BLOCK):
            try:
                content += os.pread(descriptor, _BLOCK, at)
            except OSError:
                sectors, zeros = _read_sectors(descriptor, at, min(at + _BLOCK, size))
                content += sectors
                lost += zeros
    finally:
        os.close(descriptor)
    return bytes(content), lost


def _read_sectors(descriptor: int, begin: int, end: int) -> tuple[bytes, int]:
    content, lost = bytearray(), 0
    for at in range(begin, end, _SECTOR):
        length = min(_SECTOR, end - at)
        try:
            content += os.pread(descriptor, length, at)
        except OSError:
            content += bytes(length)
            lost += length
    return bytes(content), lost


def _copied(damaged: Path, files: dict[str, bytes]) -> Path:
    folder = damaged.with_name(f"{damaged.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(folder / name, flags, 0o600), "wb") as stream:  # noqa: PTH123
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    return folder


def _write(incidents: list[Remains], new: Path) -> list[Salvaged]:
    """All of them in one transaction; nothing is left of a file that could not be filled."""
    file = JournalFile(new, busy_s=_PATIENCE_S)
    try:
        with file.saving(time.monotonic() + _PATIENCE_S) as connection:
            salvaged: list[Salvaged] = []
            for one in incidents:
                events, lacks = one.whole(), (tuple(one.missing()), one.changed())
                name, number = insert(connection, one.name, one.sealed_as, one.origin, events)
                figures = [(number, *row[1:]) for row in one.readings]
                connection.executemany(statement("keep"), figures)
                found = len(one.events)
                salvaged.append(Salvaged(name, found, one.known, *lacks, broken(events)))
        file.close()
    except JournalError:
        file.close()
        new.unlink(missing_ok=True)
        raise
    return salvaged
