"""When the largest keys of whole files asked: by a second reading, in which only their own lines
are looked at for a time, so that whoever wants plain counts pays nothing for it.

Requests are counted in even steps, `STEPS` of them at most over the whole stretch and a second
long at least, and drawn together to a trend of `POINTS`: sums are exact, and where one point
ends and the next begins is known to a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from warroom.logs._streams import CHUNK, last_of, opened, whole_lines
from warroom.logs.columns import Columns, Field, Layout, columns
from warroom.logs.keys import FIELDS, By, column, fold_for
from warroom.logs.report import Course, Report, Top
from warroom.logs.within import Within

if TYPE_CHECKING:
    from warroom.logs.places import Places
    from warroom.logs.top import As, Span

POINTS: Final = 15
"""Most points of a trend."""
STEPS: Final = 4096
_REMEMBERED: Final = 200_000
_NOBODY: Final = -1

Piece = tuple[bytes, Layout]
"""Whole lines, each with its line feed, and how they are laid out."""


def with_trends(report: Report, pieces: Iterable[Piece], places: Places | None = None) -> Report:
    """`report` with the course of each of its rows, of the lines that were counted for it."""
    until = report.span[1] if report.span is not None else time.time()
    found = _Courses(report.by, report.top, until, places)
    for data, layout in pieces:
        found.take(data, layout)
    if found.span is None:
        return report
    # most formats write whole seconds, and the last one is not over when it begins
    covers = report.span or (found.span[0], found.span[1] // 1 + 1)
    top = tuple(
        replace(one, course=found.course(place, one.count, covers))
        for place, one in enumerate(report.top)
    )
    return replace(report, top=top, covers=covers)


class _Courses:
    """The steps of each of `tops`, fed with lines in the order of their files."""

    def __init__(self, by: By, tops: Iterable[Top], until: float, places: Places | None) -> None:
        self._field: Field = FIELDS[by]
        self._fold = fold_for(by, places)
        self._places = {top.raw: place for place, top in enumerate(tops)}
        self._known: dict[bytes, int] = {}
        """Whose each raw field is."""
        self._times = Within(0.0, until)
        self._step = 1.0
        self._steps: list[dict[int, int]] = [{} for _ in self._places]
        self._seen: list[tuple[float, float] | None] = [None for _ in self._places]
        self.span: tuple[float, float] | None = None
        """From the earliest time to the latest, of those that were looked at."""

    def take(self, data: bytes, layout: Layout) -> None:
        """Look at whole lines."""
        data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        if layout.format.headed:  # what was a heading above a line is no longer known behind it
            for line in data.splitlines(keepends=True):
                self._lines([line], columns(line, layout, self._field), layout, (0,))
            return
        lines = data.split(b"\n")
        lines.pop()
        self._lines(lines, columns(data, layout, self._field), layout, (0, len(lines) - 1))

    def _lines(
        self, lines: list[bytes], found: Columns, layout: Layout, edges: tuple[int, ...]
    ) -> None:
        for place in edges:
            at = self._times.time_of(lines[place], layout) if lines else None
            if at is not None:
                self._reach(at, at)
        keys = column(found, self._field)
        known = self._known
        for raw in set(keys).difference(known):
            known[raw] = self._places.get(self._fold(raw), _NOBODY)
        times: dict[tuple[int, float], int] = {}
        time_of = self._times.time_of
        for place, line in zip(map(known.__getitem__, keys), lines, strict=False):
            if place != _NOBODY and (at := time_of(line, layout)) is not None:
                times[place, at] = times.get((place, at), 0) + 1
        for (place, at), count in times.items():
            self._count(place, at, count)
        if len(known) > _REMEMBERED:
            known.clear()

    def _count(self, place: int, at: float, count: int) -> None:
        first, last = self._seen[place] or (at, at)
        self._seen[place] = min(first, at), max(last, at)
        self._reach(at, at)
        steps, step = self._steps[place], int(at // self._step)
        steps[step] = steps.get(step, 0) + count

    def _reach(self, first: float, last: float) -> None:
        begin, end = self.span or (first, last)
        if self.span is not None and begin <= first and last <= end:
            return
        self.span = begin, end = min(begin, first), max(end, last)
        while (end - begin) / self._step > STEPS:
            self._step *= 2
            self._steps = [_halved(steps) for steps in self._steps]

    def course(self, place: int, count: int, covers: tuple[float, float]) -> Course | None:
        """When that key asked; None where none of its lines says a time."""
        seen = self._seen[place]
        if seen is None:
            return None
        begin, end = covers
        points = max(1, min(POINTS, int(end - begin)))
        trend = [0] * points
        for step, times in self._steps[place].items():
            share = (step * self._step - begin) / max(1.0, end - begin)
            trend[min(points - 1, max(0, int(share * points)))] += times
        return Course(*seen, count / max(1.0, end - begin), tuple(trend))


def _halved(steps: dict[int, int]) -> dict[int, int]:
    out: dict[int, int] = {}
    for step, times in steps.items():
        out[step // 2] = out.get(step // 2, 0) + times
    return out


# -- the second reading


def again(
    spans: Iterable[Span],
    streams: Iterable[str],
    last: int | None,
    reading: As,
    read: Callable[[int], None],
) -> Iterator[Piece]:
    """The lines that were counted, once more; `read` is told of the bytes of each piece."""
    for span in spans:
        if span.layout is not None:
            yield from _told(_of_span(span, replace(span.layout)), read)
    for source in streams:
        yield from _told(_of_stream(source, last, reading), read)


def _told(pieces: Iterator[Piece], read: Callable[[int], None]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        read(len(piece[0]))


def _of_span(span: Span, layout: Layout) -> Iterator[Piece]:
    with span.begun() as file:
        position = file.tell()
        while position < span.stop:
            data = file.read(min(CHUNK, span.stop - position))
            if not data:
                break
            data += b"" if data.endswith(b"\n") else file.readline()
            position += len(data)
            yield _ended(span.within.pick(data, layout) if span.within else data), layout


def _of_stream(source: str, last: int | None, reading: As) -> Iterator[Piece]:
    layout: Layout | None = None
    within = reading.within
    if within is not None:
        within.enter(inside=False)
    with opened(source) as file:
        chunks = whole_lines(file)
        for data in chunks if last is None else [last_of(chunks, last)]:
            if layout is None:  # the head may be a banner
                layout = reading.look(data)[1]
            if layout is not None:
                yield _ended(within.pick(data, layout) if within is not None else data), layout


def _ended(data: bytes) -> bytes:
    return data + b"\n" if data and not data.endswith(b"\n") else data
