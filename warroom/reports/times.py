"""Instants as a report writes them: in the team's zone, and in UTC where that differs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Stamp(NamedTuple):
    """An instant as its date and its time in the zone, and in UTC; `utc` is empty when the zone's
    own time says the same, and has the date where it is another than in the zone."""

    day: str
    time: str
    utc: str


def stamp(instant: datetime, zone: ZoneInfo) -> Stamp:
    """All that is written of an instant at once: a long timeline is made of little else.

    >>> stamp(datetime(2026, 11, 21, 23, 35, 2, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    Stamp(day='2026-11-22', time='00:35:02 CET', utc='2026-11-21 23:35:02 UTC')
    """
    local = instant.astimezone(zone)
    name, here = abbreviation(local), local.isoformat(" ", "seconds")
    if name == "UTC":
        return Stamp(here[:10], f"{here[11:19]} UTC", "")
    there = instant.astimezone(UTC).isoformat(" ", "seconds")
    elsewhere = "" if here[:10] == there[:10] else there[:11]
    return Stamp(here[:10], f"{here[11:19]} {name}", f"{elsewhere}{there[11:19]} UTC")


def stamper(zone: ZoneInfo) -> Callable[[datetime], Stamp]:
    """`stamp` for many instants: a minute is worked out once. Takes instants in UTC.

    >>> of = stamper(ZoneInfo("Europe/Berlin"))
    >>> begin = datetime(2026, 11, 21, 13, 35, 2, tzinfo=UTC)
    >>> of(begin) == stamp(begin, ZoneInfo("Europe/Berlin")) and of(begin).time
    '14:35:02 CET'
    """
    known: dict[datetime, Stamp] = {}

    def written(instant: datetime) -> Stamp:
        second, full = instant.second, instant.replace(second=0, microsecond=0)
        minute = known.get(full)
        if minute is None:
            minute = known[full] = stamp(full, zone)
        day, time, utc = minute
        if time[5:9] != ":00 ":  # until 1972 some zones were seconds apart from UTC
            return stamp(instant, zone)
        return Stamp(day, _at_second(time, second), _at_second(utc, second) if utc else "")

    return written


def _at_second(time: str, second: int) -> str:
    """A time at the full minute, some seconds later."""
    before, _, name = time.rpartition(":00 ")
    return f"{before}:{second:02d} {name}"


def abbreviation(instant: datetime) -> str:
    """The zone's name at `instant`, which tells the two half past twos of an autumn night apart.

    >>> night = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    >>> abbreviation(night.astimezone(ZoneInfo("Europe/Berlin")))
    'CET'
    >>> abbreviation(night.astimezone(ZoneInfo("America/Sao_Paulo")))
    'UTC-03:00'
    """
    name = instant.tzname() or ""
    return name if name.isalpha() else f"UTC{instant:%z}"[:6] + ":" + f"{instant:%z}"[3:5]


def clock_time(instant: datetime, zone: ZoneInfo) -> str:
    """`14:35:02 CET`."""
    return stamp(instant, zone).time


def whole(instant: datetime, zone: ZoneInfo) -> str:
    """`2026-11-21 14:35:02 CET (13:35:02 UTC)`."""
    at = stamp(instant, zone)
    return f"{at.day} {at.time}" + (f" ({at.utc})" if at.utc else "")


def day(instant: datetime, zone: ZoneInfo) -> str:
    """The date in the zone, ISO 8601."""
    return stamp(instant, zone).day
