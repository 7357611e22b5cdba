"""Which metrics moved in an incident, and which of them first. Pure.

The rule, in words that a reader of the report can check: a metric's *usual range* is between the
lowest and the highest reading in the hour that ends 15 minutes before the first sign of trouble;
where fewer than five were kept, in the hour that begins ten minutes after the resolution. It is
widened by a tenth of its span, or by five in a hundred of its largest value if that is more; what
was never negative stays so. A metric *moved* when two readings in a row lie outside, from those 15
minutes on until the resolution. What only ever rises is a counter and is left out. Of all that
moved, those are charted that went furthest from their range, measured by its width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from warroom.domain.readings import Reading
from warroom.domain.timeline import Timeline

RULE: Final = (
    "A metric's usual range is that of the hour up to 15 minutes before the first sign, or of an "
    "hour after the resolution, a little widened; it moved when two readings in a row lay outside."
)
MOST: Final = 8
"""So many metrics are charted at the most."""
NEEDED: Final = 5
"""So many readings say what is usual."""
_BEFORE: Final = timedelta(hours=1)
_LEAD: Final = timedelta(minutes=15)
_CALM_AGAIN: Final = timedelta(minutes=10)
_AROUND: Final = timedelta(minutes=30)
_SPAN_SHARE: Final = 0.1
_VALUE_SHARE: Final = 0.05

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Course:
    """One metric of one source around the incident. It left its usual range (`low` to `high`) at
    `at`, with `value`; `distance` is how far it went, in widths of that range."""

    source: str
    metric: str
    points: tuple[Point, ...]
    low: float
    high: float
    at: datetime
    value: float
    distance: float

    @property
    def name(self) -> str:
        return f"{self.source}: {self.metric.replace('_', ' ')}"


def moved(timeline: Timeline, readings: Iterable[Reading], now: datetime) -> list[Course]:
    """The courses that moved furthest, at most MOST, by the time at which each began to move."""
    incident = timeline.incident
    begin = timeline.started_at or incident.opened_at
    end = incident.resolved_at or now
    window = min(begin, incident.opened_at) - _AROUND, end + _AROUND
    found = [
        course
        for (source, metric), points in _by_metric(readings).items()
        if (course := _course(source, metric, points, begin, end, window)) is not None
    ]
    furthest = sorted(found, key=lambda course: (-course.distance, course.name))[:MOST]
    return sorted(furthest, key=lambda course: (course.at, course.name))


def _by_metric(readings: Iterable[Reading]) -> dict[tuple[str, str], list[Point]]:
    found: dict[tuple[str, str], list[Point]] = {}
    for reading in readings:
        for metric, value in reading.metrics.items():
            found.setdefault((reading.source, metric), []).append((reading.at, value))
    return found


def _course(
    source: str,
    metric: str,
    points: Sequence[Point],
    begin: datetime,
    end: datetime,
    window: tuple[datetime, datetime],
) -> Course | None:
    usual = _between(points, begin - _LEAD - _BEFORE, begin - _LEAD)
    if len(usual) < NEEDED:
        usual = _between(points, end + _CALM_AGAIN, end + _CALM_AGAIN + _BEFORE)
    if len(usual) < NEEDED or _only_rises(points):
        return None
    low, high = _widened([value for _, value in usual])
    judged = _between(points, begin - _LEAD, end)
    outside = [point for point in judged if not low <= point[1] <= high]
    first = _first_of_two(judged, low, high)
    if first is None:
        return None
    distance = max(max(low - value, value - high) for _, value in outside)
    within = _between(points, *window)
    width = (high - low) or 1.0
    return Course(source, metric, tuple(within), low, high, *first, distance / width)


def _between(points: Iterable[Point], begin: datetime, end: datetime) -> list[Point]:
    return [point for point in points if begin <= point[0] <= end]


def _widened(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    more = max((high - low) * _SPAN_SHARE, max(abs(low), abs(high)) * _VALUE_SHARE)
    return max(0.0, low - more) if low >= 0 else low - more, high + more


def _first_of_two(points: Sequence[Point], low: float, high: float) -> Point | None:
    """The first of two readings in a row that lie outside."""
    for one, two in pairwise(points):
        if not low <= one[1] <= high and not low <= two[1] <= high:
            return one
    return None


def _only_rises(points: Sequence[Point]) -> bool:
    values = [value for _, value in points]
    return len(set(values)) > NEEDED and all(one <= two for one, two in pairwise(values))
