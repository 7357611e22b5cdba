"""Where time comes from: UTC instants for the record, a monotonic count for durations."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol


class Clock(Protocol):
    """Injected everywhere; nothing else in warroom asks what time it is."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


STEP_S: Final = 2.0
"""Seconds by which a wall clock may differ before it was set, and not merely disciplined."""


class SteadyClock:
    """The wall clock's time as of the start, counted on from there.

    Whoever sets this machine's clock while an incident runs moves no deadline and no entry of it;
    `stepped` says that it happened. The count is CLOCK_BOOTTIME (clock_gettime(2)) where there is
    one: unlike CLOCK_MONOTONIC it goes on while a machine sleeps.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        count: Callable[[], float] | None = None,
    ) -> None:
        self._wall, self._count = wall, count or _boot_time
        self._begin, self._counted = wall(), self._count()
        self._offset = 0.0

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self._count() - self._counted)

    def monotonic(self) -> float:
        return time.monotonic()

    def stepped(self) -> float:
        """By how many seconds the wall clock was set since this was asked last; below 0: back."""
        offset = (self._wall() - self.now()).total_seconds()
        step = offset - self._offset
        if abs(step) < STEP_S:
            return 0.0
        self._offset = offset
        return step


def _boot_time() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class ManualClock:
    """A clock that stands still until it is moved: for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


def hms(seconds: float) -> str:
    """Seconds as `HH:MM:SS`, as wide as it needs to be, with a sign when it is past.

    >>> hms(761), hms(-192), hms(360000)
    ('00:12:41', '-00:03:12', '100:00:00')
    """
    sign, whole = ("-", -int(seconds)) if seconds < 0 else ("", int(seconds))
    return f"{sign}{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def span(seconds: float) -> str:
    """Seconds in words short enough for a column: the two largest units.

    >>> span(0.25), span(42), span(761), span(93784)
    ('250ms', '42s', '12m41s', '1d02h')
    """
    if seconds < 0:
        return "-" + span(-seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"
