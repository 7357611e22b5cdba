"""Instants as a report writes them: in the team's zone, and in UTC where that differs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
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
    """`stamp` for many instants in UTC: of those that follow each other within a minute the first
    is worked out.

    >>> of = stamper(ZoneInfo("Europe/Berlin"))
    >>> begin = datetime(2026, 11, 21, 13, 35, 2, tzinfo=UTC)
    >>> of(begin) == stamp(begin, ZoneInfo("Europe/Berlin")) and of(begin).time
    '14:35:02 CET'
    """
    begin = end = datetime.min.replace(tzinfo=UTC)
    day, time, utc = "", ("", ""), ("", "")

    def written(instant: datetime) -> Stamp:
        nonlocal begin, end, day, time, utc
        if not begin <= instant < end:
            minute = instant.replace(second=0, microsecond=0)
            first = stamp(minute, zone)
            if first.time[5:9] != ":00 ":  # until 1972 some zones were seconds apart from UTC
                return stamp(instant, zone)
            begin, end = minute, minute + _MINUTE
            day, time, utc = first.day, _around_second(first.time), _around_second(first.utc)
        second = f":{instant.second:02d} "
        return Stamp(day, second.join(time), second.join(utc) if utc[1] else "")

    return written


_MINUTE: Final = timedelta(minutes=1)


def _around_second(time: str) -> tuple[str, str]:
    """What stands before and after the seconds of a time at the full minute."""
    before, _, name = time.rpartition(":00 ")
    return before, name


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
