"""Lines and errors over time, counted as they come, in a bounded number of buckets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BUCKET_S: Final = 10
BUCKETS: Final = 360
"""An hour."""
STEPS: Final = (1, 3, 6, 18, 36)
"""Buckets that may stand together: 10 s, 30 s, 1 min, 3 min, 6 min."""


@dataclass(slots=True)
class Bucket:
    """Lines that arrived within `BUCKET_S` seconds from `start` (seconds since the epoch)."""

    start: int
    lines: int = 0
    errors: int = 0
    about: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """Equal steps of `step_s` seconds, the oldest from `start`, the newest not over yet; `about`
    says that some errors are estimated."""

    start: int
    step_s: int
    lines: tuple[int, ...]
    errors: tuple[int, ...]
    about: bool = False


class Histogram:
    """Counts of the last hour. Lines that were there before following began are not counted:
    when they came is not known."""

    def __init__(self) -> None:
        self._buckets: deque[Bucket] = deque(maxlen=BUCKETS)

    def add(self, at: float, lines: int, errors: int, *, about: bool = False) -> None:
        """Lines came; a clock that was set back puts them into the newest bucket."""
        start = int(at) // BUCKET_S * BUCKET_S
        if not self._buckets or self._buckets[-1].start < start:
            self._buckets.append(Bucket(start))
        bucket = self._buckets[-1]
        bucket.lines += lines
        bucket.errors += errors
        bucket.about |= about

    def course(self, now: float, columns: int) -> Course | None:
        """All that is kept in at most `columns` steps up to `now`; None before the first line."""
        newest = int(now) // BUCKET_S
        kept = [b for b in self._buckets if newest - b.start // BUCKET_S < BUCKETS]
        if not kept or columns < 1:
            return None
        first = kept[0].start // BUCKET_S
        newest = max(newest, kept[-1].start // BUCKET_S)
        step = next((s for s in STEPS if newest // s - first // s < columns), STEPS[-1])
        first, last = first // step, newest // step
        first = max(first, last - columns + 1)
        lines, errors = [0] * (last - first + 1), [0] * (last - first + 1)
        for bucket in kept:
            index = bucket.start // BUCKET_S // step - first
            if index >= 0:
                lines[index] += bucket.lines
                errors[index] += bucket.errors
        about = any(bucket.about for bucket in kept)
        start, step_s = first * step * BUCKET_S, step * BUCKET_S
        return Course(start, step_s, tuple(lines), tuple(errors), about)


def per_minute(counts: Sequence[int], step_s: int) -> float:
    """The largest of some counts as a rate."""
    return max(counts, default=0) * 60 / step_s
