"""Lines and errors over time, above the logs: one or two rows of blocks with their times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.tui import format as fmt
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.logs.histogram import Course, Histogram

_BOTH: Final = 10
_ONE: Final = 7
"""Rows of a pane from which both, or one of them, are worth their place."""
_LEAST: Final = 12
_BESIDE: Final = 34
"""Cells for the times and the words."""


def graph(
    histogram: Histogram, now: float, width: int, height: int, zone: ZoneInfo, *, ascii_only: bool
) -> list[Line]:
    """The rows for a pane of `width` by `height` cells; none where it is too small, or before the
    first line."""
    columns = width - _BESIDE
    course = histogram.course(now, columns) if height >= _ONE and columns >= _LEAST else None
    if course is None:
        return []
    begin = fmt.clock_time(datetime.fromtimestamp(course.start, UTC), zone, seconds=False)
    ill = any(course.errors)
    rows = [
        (course.lines, "lines", "info", False),
        (course.errors, "errors", "down" if ill else "dim", course.about),
    ]
    if height < _BOTH:
        rows = rows[1:] if ill else rows[:1]
    return [
        [
            (f" {begin if index == 0 else '':5} ", "dim"),
            (_bars(counts, ascii_only=ascii_only), style),
            (f" {'now' if index == 0 else '':3} {_most(counts, word, course, about=about)}", "dim"),
        ]
        for index, (counts, word, style, about) in enumerate(rows)
    ]


def _most(counts: Sequence[int], word: str, course: Course, *, about: bool) -> str:
    """What the highest column means."""
    from warroom.logs.histogram import per_minute

    most = fmt.count(per_minute(counts, course.step_s))
    return f"{word}, most {'~' if about else ''}{most}/min" if any(counts) else f"no {word}"


def _bars(counts: Sequence[int], *, ascii_only: bool) -> str:
    """A block a step, from zero to the largest; none at all is a dot, one is never nothing.

    >>> _bars([0, 1, 100, 800], ascii_only=False)
    '·▁▁█'
    """
    ramp, nothing = (fmt.SPARKS_ASCII, " ") if ascii_only else (fmt.SPARKS, "·")
    top = max(counts, default=0)
    return "".join(ramp[min(7, int(n / top * 7.999))] if n else nothing for n in counts)
