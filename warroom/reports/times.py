"""Instants as a report writes them: in the team's zone, and in UTC where that differs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


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
    local = instant.astimezone(zone)
    return f"{local:%H:%M:%S} {abbreviation(local)}"


def utc_time(instant: datetime, zone: ZoneInfo) -> str:
    """`13:35:02 UTC`, with the date where it is another than in the zone; empty when the zone's
    own time says the same."""
    local, utc = instant.astimezone(zone), instant.astimezone(UTC)
    if abbreviation(local) == "UTC":
        return ""
    date = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
    return f"{date}{utc:%H:%M:%S} UTC"


def whole(instant: datetime, zone: ZoneInfo) -> str:
    """`2026-11-21 14:35:02 CET (13:35:02 UTC)`."""
    utc = utc_time(instant, zone)
    return f"{day(instant, zone)} {clock_time(instant, zone)}" + (f" ({utc})" if utc else "")


def day(instant: datetime, zone: ZoneInfo) -> str:
    """The date in the zone, ISO 8601."""
    return f"{instant.astimezone(zone):%Y-%m-%d}"
