"""The times that stand in log lines, as seconds since the epoch.

What a time does not say is not made up: one without a zone is read in the zone that the caller
names (the log host's), one without a year as the year in which it lies nearest to `near`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_LONGEST: Final = 64
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_CLOCK: Final = r"(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<part>\d{1,9}))?"
_ZONE: Final = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_SHAPES: Final = tuple(
    re.compile(shape)
    for shape in (
        # ISO 8601 and its relatives; PostgreSQL, nginx's and Go's with slashes
        rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)(?:T| {{1,2}}){_CLOCK}{_ZONE}",
        # the common log format, HAProxy's without zone, Redis'
        rf"(?P<day>\d\d?)[/ -](?P<month>[A-Za-z]{{3}})[/ -](?P<year>\d{{4}})[: ]{_CLOCK}{_ZONE}",
        # Apache's error log
        rf"(?:[A-Za-z]{{3}} )?(?P<month>[A-Za-z]{{3}}) +(?P<day>\d\d?) {_CLOCK} (?P<year>\d{{4}})",
        # syslog (RFC 3164, section 4.1.2) has no year
        rf"(?P<month>[A-Za-z]{{3}}) +(?P<day>\d\d?) {_CLOCK}",
        # MySQL before 5.7 and MariaDB's slow log: yymmdd
        rf"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) +{_CLOCK}",
        # Kubernetes' components: mmdd
        rf"(?P<month>\d\d)(?P<day>\d\d) {_CLOCK}",
    )
)
_EPOCH: Final = re.compile(r"(\d{9,10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})")
_UNITS: Final = {13: 1e3, 16: 1e6, 19: 1e9}


def instant(text: str | bytes, near: float | None = None, zone: tzinfo = UTC) -> float | None:
    """Seconds since the epoch, or None where `text` is no time, or no whole one.

    >>> instant("01/Jan/2026:00:00:01 +0000"), instant("2026-01-01T01:00:01.5+01:00")
    (1767225601.0, 1767225601.5)
    >>> instant("Jan  1 00:00:01"), instant("Jan  1 00:00:01", near=1767225600.0)
    (None, 1767225601.0)
    """
    if len(text) > _LONGEST:
        return None
    written = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    if _EPOCH.fullmatch(written):
        return float(written) / _UNITS.get(len(written), 1.0)
    for shape in _SHAPES:
        found = shape.fullmatch(written)
        if found is not None:
            try:
                return _moment(found.groupdict(), near, zone)
            except (ValueError, KeyError, OverflowError):
                return None
    return None


def _moment(parts: dict[str, str | None], near: float | None, zone: tzinfo) -> float | None:
    month = parts["month"] or ""
    part = (parts["part"] or "").ljust(6, "0")[:6]
    second = min(59, int(parts["second"] or 0))  # a leap second is the second before it
    said = parts.get("zone")

    def in_year(year: int) -> float:
        return datetime(
            year, int(month) if month.isdigit() else _MONTHS[month.lower()],
            int(parts["day"] or 0), int(parts["hour"] or 0), int(parts["minute"] or 0),
            second, int(part), tzinfo=_zone(said) if said else zone,
        ).timestamp()  # fmt: skip

    year = parts.get("year")
    if year is not None:
        return in_year(int(year) + (2000 if len(year) == 2 else 0))
    return None if near is None else _nearest(in_year, near)


def _nearest(in_year: Callable[[int], float], near: float) -> float:
    """Of last year, this and the next the one that lies nearest."""
    this = datetime.fromtimestamp(near, UTC).year
    moments = []
    for year in (this - 1, this, this + 1):
        try:
            moments.append(in_year(year))
        except ValueError:  # the 29th of February
            continue
    if not moments:
        raise ValueError("no such day")
    return min(moments, key=lambda moment: abs(moment - near))


def _zone(said: str) -> tzinfo:
    if said[0] not in "+-":
        return UTC
    digits = said[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if said[0] == "-" else offset)
