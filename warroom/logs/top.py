"""Counts who asks most in whole files: what `warroom top` prints.

Exact, and as fast as the disk: clients alone are counted by the first field of each line, all
figures by columns; large files by two processes. Memory grows with the number of different keys,
about 150 bytes each, never with the number of lines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from warroom.logs._streams import CHUNK, is_stream, last_of, opened, opened_raw, whole_lines
from warroom.logs._tally import Tally
from warroom.logs.columns import Layout
from warroom.logs.keys import By, fold_for
from warroom.logs.recognise import Recognised, recognise
from warroom.logs.report import Report, Top, largest, made, to_json
from warroom.logs.trust import NOBODY, Trust

if TYPE_CHECKING:
    from warroom.logs.formats.base import Format
    from warroom.logs.places import Places
    from warroom.logs.within import Within

__all__ = ["AS_THEY_LOOK", "As", "Report", "Top", "count", "largest", "line_start", "to_json"]

_SAMPLE: Final = 64 * 1024
_STEP: Final = 1024 * 1024
_LOOKS: Final = 16
"""Chunks of a stream in which a format is looked for."""
_FIELDS: Final = b"\n#Fields:"
_LARGE: Final = 24 * 1024 * 1024
"""Bytes above which a second process is worth its start."""

Progress = Callable[[int, int], None]
"""Bytes counted, and bytes there are (0: not known)."""


@dataclass(frozen=True, slots=True)
class As:
    """How files are to be read: as `format` (None: as what they look like), with the hops to
    their clients that are believed."""

    format: Format | None = None
    trust: Trust = NOBODY
    within: Within | None = None
    """Only the lines of that time; None: of any."""
    places: Places | None = None
    """Where countries and networks are looked up."""

    def look(self, sample: bytes) -> tuple[Recognised, Layout | None]:
        """What a piece of a log looks like; its last line may be cut."""
        lines = sample.split(b"\n")
        if len(lines) > 1:
            lines.pop()
        lines = [line.rstrip(b"\r") for line in lines]
        found = recognise(lines)
        if self.format is not None:
            fits = sum(self.format.fits(line) for line in lines if line.strip())
            found = Recognised(self.format, fits, max(fits, found.seen))
        fmt = found.format
        return found, None if fmt is None else Layout(fmt, self.trust)


AS_THEY_LOOK: Final = As()


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a file that begin from `start` to before `stop`."""

    path: str
    start: int
    stop: int
    look: Recognised
    layout: Layout | None
    within: Within | None = None
    """Of which time its lines must be; None: whatever they say."""
    behind: bool = False
    """Whether it begins behind lines that are of that time."""

    @contextmanager
    def begun(self) -> Iterator[BinaryIO]:
        """The file, at the first line that begins at `start` or later."""
        # a buffer as large as a chunk: with the usual 8 KiB counting takes a third longer
        with opened_raw(self.path, CHUNK) as file:
            if self.within is not None:
                self.within.enter(inside=self.behind)
            if self.start:
                file.seek(self.start - 1)
                file.readline()
            yield file


def count(
    sources: Sequence[str],
    by: By = "ip",
    last: int | None = None,
    progress: Progress | None = None,
    *,
    n: int = 20,
    full: bool = True,
    workers: int = 0,
    reading: As = AS_THEY_LOOK,
    trends: bool = False,
) -> Report:
    """The `n` largest of `by` in files (`-` is standard input; .gz, .bz2, .xz, .zst are unpacked).

    `last` counts only that many lines at the end of each. Without `full` only counts are wanted,
    which for clients is more than twice as fast. `workers` is how many processes may count (0: as
    many as the machine has processors, two at most). Lines as equal in count stand in descending
    order of their keys, as `sort -rn` has them. With `trends` all but standard input is read a
    second time, for when each key asked. Raises OSError (an archive that is cut or damaged,
    too), and ValueError for countries and networks without places to look them up.
    """
    fold_for(by, reading.places)
    streams = [source for source in sources if source == "-" or is_stream(source)]
    files = [source for source in sources if source not in streams]
    spans = [span for path in files for span in _spans(path, last, reading)]
    tally = Tally(by, full=full, places=reading.places)
    looks = {span.path: span.look for span in spans}
    total = sum(span.stop - span.start for span in spans)
    shown = _Shown(progress, 0 if streams else total)
    if (workers or _processors()) > 1 and total > _LARGE:
        _count_twice(spans, tally, shown)
    else:
        _count_spans(spans, tally, shown)
    for source in streams:
        looks[source] = _count_stream(source, last, tally, shown, reading)
    names = {look.format.name for look in looks.values() if look.format is not None}
    within = reading.within
    report = replace(
        made(tally, ", ".join(sorted(names)) or "unknown", n, full=full),
        files=tuple((source, looks[source]) for source in dict.fromkeys(sources)),
        span=(within.since, within.until) if within is not None else None,
        newest=within.newest if within is not None else 0.0,
    )
    if not trends:
        return report
    from warroom.logs.trends import again, with_trends

    anew = _Shown(progress, 0 if streams else total)
    return with_trends(report, again(spans, streams, last, reading, anew.add), reading.places)


def _processors() -> int:
    """How many this process may use, where the system tells (Linux), else how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Shown:
    """Adds up what was counted, for whoever shows the progress."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, self._total)


# -- files


def _spans(path: str, last: int | None, reading: As) -> list[Span]:
    """What of a file is to be counted, at most three parts of it."""
    whole = _span(path, last, reading)
    within, layout = reading.within, whole.layout
    if within is None:
        return [whole]
    if layout is None:  # whatever says no time that is known is of none
        return [replace(whole, start=whole.stop)]
    with opened_raw(path, CHUNK) as file:
        parts = within.stretch(file, layout)
    return [
        replace(
            whole,
            start=start,
            stop=stop,
            within=within if edge else None,
            behind=place > 0 and edge,
        )
        for place, (start, stop, edge) in enumerate(parts)
    ]


def _span(path: str, last: int | None, reading: As) -> Span:
    with opened_raw(path) as file:
        stop = file.seek(0, os.SEEK_END)
        start = 0 if last is None else line_start(file, last)
        look, layout = reading.look(_sample(file, start))
        if look.format is None:  # the head may be a banner
            look, layout = reading.look(_sample(file, start + (stop - start) // 2))
    return Span(path, start, stop, look, layout)


def _sample(file: BinaryIO, place: int) -> bytes:
    """Whole lines from `place` on, behind the headings of the file where it has such."""
    heading = _heading(file, place)
    file.seek(max(0, place - 1))
    if place:
        file.readline()
    return heading + file.read(_SAMPLE)


def _heading(file: BinaryIO, place: int) -> bytes:
    """The last `#Fields:` line before `place`, in a file that begins with such lines: it says what
    the columns are there, and a server writes it anew when it starts."""
    file.seek(0)
    if not place or file.read(1) != b"#":
        return b""
    end = place
    while end > 0:
        start = max(0, end - _STEP)
        file.seek(start)
        data = file.read(min(end + len(_FIELDS), place) - start)
        found = data.rfind(_FIELDS) if start else (b"\n" + data).rfind(_FIELDS)
        if found >= 0:
            file.seek(start + found + 1 if start else found)
            return file.readline(_SAMPLE)
        end = start
    return b""


def line_start(file: BinaryIO, last: int) -> int:
    """Where the last `last` lines of `file` begin, found by reading backwards."""
    position = file.seek(0, os.SEEK_END)
    if last <= 0:
        return position
    missing = last + 1
    first = True
    while position > 0:
        size = min(_SAMPLE, position)
        position -= size
        file.seek(position)
        data = file.read(size)
        if first and not data.endswith(b"\n"):
            missing -= 1  # the last line has no line feed
        first = False
        feeds = data.count(b"\n")
        if feeds < missing:
            missing -= feeds
            continue
        at = len(data)
        for _ in range(missing):
            at = data.rfind(b"\n", 0, at)
        return position + at + 1
    return 0


def _count_spans(spans: Sequence[Span], tally: Tally, shown: _Shown) -> None:
    for span in spans:
        with span.begun() as file:
            position = file.tell()
            while position < span.stop:
                size = _take(tally, file, min(CHUNK, span.stop - position), span)
                if not size:
                    break
                position += size
                shown.add(size)


def _take(tally: Tally, file: BinaryIO, size: int, span: Span) -> int:
    if span.within is None or span.layout is None:
        return tally.take(file, size, span.layout)
    data = file.read(size)
    if not data.endswith(b"\n"):
        data += file.readline()
    tally.add(span.within.pick(data, span.layout), span.layout)
    return len(data)


def _count_twice(spans: Sequence[Span], tally: Tally, shown: _Shown) -> None:
    """Count half of the bytes in a child process, which sends its figures through a pipe."""
    mine, theirs = _halves(spans)
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            _count_spans(theirs, tally, _Shown(None, 0))
            tally.settle()
            with os.fdopen(writer, "wb") as pipe:
                tally.send(pipe)
            code = 0
        finally:  # the parent's own way out, its buffers and its handlers, must not run here
            os._exit(code)
    os.close(writer)
    try:
        _count_spans(mine, tally, shown)
        tally.settle()  # while the other process does
        with os.fdopen(reader, "rb") as pipe:
            packed = pipe.read()
    finally:
        _, status = os.waitpid(child, 0)
    if status:
        _count_spans(theirs, tally, shown)  # the second process failed: do its part, or say why
    else:
        tally.receive(packed)
        shown.add(sum(span.stop - span.start for span in theirs))


def _halves(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    half = sum(span.stop - span.start for span in spans) // 2
    mine: list[Span] = []
    theirs: list[Span] = []
    for span in spans:
        size = span.stop - span.start
        if half <= 0:
            theirs.append(span)
        elif size <= half or (span.layout is not None and span.layout.format.headed):
            mine.append(span)
        else:
            cut = span.start + half
            mine.append(replace(span, stop=cut))
            theirs.append(replace(span, start=cut))
        half -= size
    return mine, theirs


# -- streams


def _count_stream(
    source: str, last: int | None, tally: Tally, shown: _Shown, reading: As
) -> Recognised:
    with opened(source) as file:
        chunks = whole_lines(file)
        if last is not None:
            chunks = iter([last_of(chunks, last)])
        first = next(chunks, b"")
        look, layout, looks = *reading.look(first), 1
        while first:
            if reading.within is None:
                tally.add(first, layout)
            elif layout is not None:
                tally.add(reading.within.pick(first, layout), layout)
            shown.add(len(first))
            first = next(chunks, b"")
            if layout is None and looks < _LOOKS:  # the head may be a banner
                look, layout, looks = *reading.look(first), looks + 1
    return look
