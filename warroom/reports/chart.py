"""The course of one metric around an incident as SVG: line, usual range, axes, marks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from warroom.reports import svg, times
from warroom.reports.colours import by_scheme
from warroom.reports.moved import Course, Point

WIDTH: Final = 760.0
HEIGHT: Final = 230.0
_LEFT: Final = 72.0
_RIGHT: Final = 748.0
_TOP: Final = 74.0
_BOTTOM: Final = 204.0
_ROWS: Final = 3
"""Lines of labels above the chart, so that marks close together can all be read."""
_SIZE: Final = 11
_LETTER: Final = 6.7
_FINEST: Final = 600
"""So many steps along the line at the most: a few a pixel show nothing more."""
_GAP: Final = 4.0
"""A pause of so many usual steps between two readings is a gap in the line."""
_STEPS_S: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)

STYLE: Final = "\n".join(
    (
        ".chart .label { font-size: 11px }",
        ".chart .course { fill: none; stroke-width: 1.6; stroke-linejoin: round }",
        ".chart .usual { opacity: 0.18 }",
        ".chart .mark { stroke-width: 1.2; stroke-dasharray: 4 3 }",
        ".chart .axis { stroke-width: 1 }",
    )
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, a line across the chart with its name above."""

    at: datetime
    label: str


def style() -> str:
    """The CSS of charts, for light and dark."""
    rules = {
        ".chart .ground": {"fill": "background"},
        ".chart .label": {"fill": "foreground"},
        ".chart .faint": {"fill": "quiet"},
        ".chart .axis": {"stroke": "frame"},
        ".chart .usual": {"fill": "quiet"},
        ".chart .course": {"stroke": "accent"},
        ".chart .left": {"fill": "degraded"},
        ".chart .mark": {"stroke": "degraded"},
    }
    return f"{STYLE}\n{by_scheme(rules)}"


def chart(course: Course, marks: Sequence[Mark], zone: ZoneInfo) -> str:
    """The chart as a whole SVG document. `course` has two points at least."""
    plane = _Plane(course)
    title = f"{course.name}, {times.day(course.at, zone)}"
    x, y = plane.x(course.at), plane.y(course.value)
    return svg.document(
        "chart", (WIDTH, HEIGHT), title, about(course, zone), style(),
        svg.element("rect", class_="ground", width=WIDTH, height=HEIGHT, rx=4),
        svg.element("text", svg.text(course.name), class_="label", x=8.0, y=18.0,
                    font_weight="bold", font_size=13),
        _usual(course, plane),
        *_values(plane),
        *_hours(plane, zone),
        *_marks([mark for mark in marks if plane.begin <= mark.at <= plane.end], plane),
        *_line(course.points, plane),
        svg.element("circle", class_="left", cx=x, cy=y, r=3.5),
    )  # fmt: skip


def about(course: Course, zone: ZoneInfo) -> str:
    """The chart in words."""
    values = [value for _, value in course.points]
    at = times.whole(course.at, zone)
    return (
        f"Between {min(values):.4g} and {max(values):.4g}; usually {course.low:.4g} to "
        f"{course.high:.4g}. It left that at {at} with {course.value:.4g}."
    )


class _Plane:
    """From instants and values to coordinates."""

    def __init__(self, course: Course) -> None:
        values = [value for _, value in course.points]
        self.begin, self.end = course.points[0][0], course.points[-1][0]
        low, high = min(*values, course.low), max(*values, course.high)
        self.ticks = _ticks(low, high)
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1])

    def x(self, at: datetime) -> float:
        share = (at - self.begin) / ((self.end - self.begin) or timedelta(seconds=1))
        return _LEFT + share * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return _BOTTOM - share * (_BOTTOM - _TOP)


def _usual(course: Course, plane: _Plane) -> str:
    top, bottom = plane.y(course.high), plane.y(course.low)
    return svg.element(
        "rect", class_="usual", x=_LEFT, y=top, width=_RIGHT - _LEFT, height=bottom - top
    )


def _values(plane: _Plane) -> Iterator[str]:
    for value in plane.ticks:
        y = plane.y(value)
        yield svg.element("line", class_="axis", x1=_LEFT, x2=_RIGHT, y1=y, y2=y)
        yield svg.element("text", svg.text(_short(value)), class_="label faint", x=_LEFT - 6,
                          y=y + 4, text_anchor="end")  # fmt: skip


def _hours(plane: _Plane, zone: ZoneInfo) -> Iterator[str]:
    for at in _instants(plane.begin, plane.end):
        x = plane.x(at)
        label = times.clock_time(at, zone)[:5]
        yield svg.element("line", class_="axis", x1=x, x2=x, y1=_BOTTOM, y2=_BOTTOM + 4)
        yield svg.element("text", svg.text(label), class_="label faint", x=x, y=_BOTTOM + 17,
                          text_anchor="middle")  # fmt: skip


def _marks(marks: Sequence[Mark], plane: _Plane) -> Iterator[str]:
    """Labels stand in the lowest row that is free; where none is, the line stands alone."""
    free = [_LEFT] * _ROWS
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = plane.x(mark.at)
        needed = svg.cells(mark.label) * _LETTER
        yield svg.element("line", class_="mark", x1=x, x2=x, y1=_TOP - 6, y2=_BOTTOM)
        start = min(x, _RIGHT - needed)
        row = next((row for row in range(_ROWS) if start >= free[row]), None)
        if row is None:
            continue
        free[row] = start + needed + _LETTER
        y = _TOP - 10 - row * (_SIZE + 2)
        yield svg.element("text", svg.text(mark.label), class_="label", x=start, y=y)


def _line(course: Sequence[Point], plane: _Plane) -> Iterator[str]:
    for part in _parts(_thinned(course)):
        drawn = svg.points((plane.x(at), plane.y(value)) for at, value in part)
        yield svg.element("polyline", class_="course", points=drawn)


def _thinned(course: Sequence[Point]) -> list[Point]:
    """The lowest and the highest reading of each step along the line, so that no peak is lost."""
    size = math.ceil(len(course) / (_FINEST / 2))
    if size <= 2:
        return list(course)
    kept: list[Point] = []
    for start in range(0, len(course), size):
        step = course[start : start + size]
        ends = {min(step, key=lambda point: point[1]), max(step, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def _parts(course: Sequence[Point]) -> Iterator[list[Point]]:
    """The course where it was looked at: a line across a gap would claim what nobody saw."""
    steps = sorted(after[0] - before[0] for before, after in pairwise(course))
    usual = steps[len(steps) // 2] if steps else timedelta()
    part: list[Point] = []
    for point in course:
        if part and point[0] - part[-1][0] > usual * _GAP:
            yield part
            part = []
        part.append(point)
    yield part


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values that span `low` to `high`.

    >>> _ticks(0, 97)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    """
    rough = (high - low) / 4 or abs(high) / 4 or 1.0
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _instants(begin: datetime, end: datetime) -> Iterable[datetime]:
    """Round instants, seven at the most."""
    lasts = (end - begin).total_seconds()
    step = next((step for step in _STEPS_S if lasts / step <= 7), _STEPS_S[-1])
    first = math.ceil(begin.timestamp() / step)
    last = min(math.floor(end.timestamp() / step), first + 12)
    return [datetime.fromtimestamp(n * step, begin.tzinfo) for n in range(first, last + 1)]


def _short(value: float) -> str:
    """A value for the axis.

    >>> _short(1500), _short(2_000_000_000), _short(0.25)
    ('1.5k', '2G', '0.25')
    """
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:.3g}{letter}"
    return f"{value:.3g}"
