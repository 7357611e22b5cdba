"""Instants as a report writes them: in the team's zone, and in UTC where that differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def stamps(instants: Sequence[datetime], zone: ZoneInfo) -> Iterator[tuple[str, str, str]]:
    """`stamp` for many instants in UTC: of those that follow each other within a minute the first
    is worked out.

    >>> seconds = [datetime(2026, 11, 21, 13, 35, second, tzinfo=UTC) for second in (2, 7)]
    >>> for at in stamps(seconds, ZoneInfo("Europe/Berlin")):
    ...     at
    ('2026-11-21', '14:35:02 CET', '13:35:02 UTC')
    ('2026-11-21', '14:35:07 CET', '13:35:07 UTC')
    """
    minute, odd = "", False
    day, time, utc = "", ("", ""), ("", "")
    for instant, written in zip(instants, iso(instants), strict=True):
        if written[:16] != minute:
            minute = written[:16]
            first = stamp(instant.replace(second=0, microsecond=0), zone)
            odd = first.time[5:9] != ":00 "  # until 1972 some zones were seconds apart from UTC
            day, time, utc = first.day, _around_second(first.time), _around_second(first.utc)
        if odd:
            yield stamp(instant, zone)
            continue
        second = written[16:19]
        yield day, f"{time[0]}{second} {time[1]}", utc[1] and f"{utc[0]}{second} {utc[1]}"


def iso(instants: Sequence[datetime]) -> list[str]:
    """Instants in UTC as ISO 8601, as `isoformat` has them: all at once in a tenth of the time.

    >>> iso([datetime(2026, 11, 21, 13, 35, 2, 7, tzinfo=UTC)])
    ['2026-11-21T13:35:02.000007+00:00']
    """
    import orjson

    return orjson.dumps(list(instants)).decode()[2:-2].split('","') if instants else []


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
