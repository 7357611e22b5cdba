"""Times as people type them: `14:35`, `5m ago`, `yesterday 23:10`, `mon 09:00`, `23:10Z`.

A time without a zone is one of the zone that is shown; `Z`, `UTC`, an offset (`+02:00`) or the
zone's own abbreviation (`CET`) says another. A time of day that is later than now was yesterday's.
Nothing in the future is taken. On the night when clocks go forward an hour does not exist: a time
in it is taken as if they had not gone forward yet. When they go back an hour is there twice: the
first is meant unless an abbreviation, an offset or `2nd` says otherwise. Both are said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

HELP: Final = "14:35, 5m ago, yesterday 23:10, mon 09:00, 2026-11-20 23:10, 23:10Z"
"""What can be typed, by example."""


class NotUnderstood(ValueError):
    """What was typed names no time that can be taken; one line says why."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The instant in UTC, and what was decided where the text left it open."""

    at: datetime
    note: str = ""


Days = Callable[[date], Iterator[date]]
"""From today's date, the dates that are meant, the likeliest first."""

_LONGEST: Final = 80
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEAR: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_NEAR: Final = {"today": 0, "yesterday": 1, "tomorrow": -1}
_SECONDS: Final = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_ONE: Final = (
    r"([0-9]{1,9}(?:[.,][0-9]{1,6})?) ?"
    r"(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])"
)
_LENGTH: Final = re.compile(rf"(?:{_ONE}(?: and)? ?)+")
_CLOCK: Final = re.compile(
    r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,6})[0-9]*)?)? ?([ap]m)?"
)
_OFFSET: Final = re.compile(r"(?:utc|gmt)? ?([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[t ]+|$)")
_DAY: Final = re.compile(r"([0-9]{1,2})\.? ([a-z]{3,9})\.?,?(?: ([0-9]{4}))?(?: |$)")
_FOLDS: Final = {"1st": 0, "first": 0, "2nd": 1, "second": 1}


def understand(
    text: str, now: datetime, zone: ZoneInfo, *, after: datetime | None = None
) -> Understood:
    """What `text` means at the instant `now` to somebody whose clock shows `zone`.

    `+5m` is five minutes after `after`. Raises NotUnderstood.

    >>> now, berlin = datetime(2026, 11, 21, 13, 35, 40, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    >>> [f"{understand(said, now, berlin).at:%d %H:%M:%S}"
    ...  for said in ("14:35", "23:10", "23:10Z", "5m ago", "mon 09:00")]
    ['21 13:35:00', '20 22:10:00', '20 23:10:00', '21 13:30:40', '16 08:00:00']
    """
    said = " ".join(text.casefold().split())
    if len(said) > _LONGEST:
        raise NotUnderstood(f"that is too long for a time: try {HELP}")
    try:
        found = _relative(said, now, after) or _absolute(said, now, zone)
    except (OverflowError, ValueError) as error:
        if isinstance(error, NotUnderstood):
            raise
        raise NotUnderstood("the calendar does not go that far") from error
    if found.at > now:
        raise NotUnderstood(
            f"{_day_and_time(found.at, zone)} is in the future: now is {_day_and_time(now, zone)}"
        )
    return found


def typed(at: datetime, zone: ZoneInfo) -> str:
    """`at` as it could be typed, to the second: `understand` takes it for the same instant.

    >>> typed(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    '2026-10-25 02:30:00 CET'
    """
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" + (f" {_name(local)}" if _twice(local) else "")


def between(before: datetime, after: datetime) -> datetime:
    """The instant in the middle, to the whole second where one lies in between."""
    middle = before + (after - before) / 2
    whole = middle.replace(microsecond=0)
    return whole if before <= whole <= after else middle


# Counted from now, or from an entry ----------------------------------------------------------


def _relative(said: str, now: datetime, after: datetime | None) -> Understood | None:
    if said in ("", "now", "just now"):
        return Understood(now)
    if said.startswith("+"):
        length = _length(said[1:])
        if length is None:
            raise NotUnderstood("a length is wanted after +, such as +5m")
        if after is None:
            raise NotUnderstood("+ counts from the selected entry, and none is selected")
        return Understood(after + length)
    if said.startswith("-") or said.endswith("ago"):
        length = _length(said.removeprefix("-").removesuffix("ago"))
        if length is None:
            raise NotUnderstood("how long ago? such as 5m ago, 1h30m ago, 2 days ago")
        return Understood(now - length)
    return None


def _length(said: str) -> timedelta | None:
    """`1h05m`, `1h05`, `2 h`, `90 sec`, `1 day and 2 hours`; None when it is no length."""
    said = re.sub(r"(?<=h)([0-9]{1,2})$", r"\1m", said.strip())
    said = re.sub(r"(?<=[a-z])(?=[0-9])", " ", said)
    if not said or not _LENGTH.fullmatch(said + " "):
        return None
    parts = re.findall(_ONE, said)
    return timedelta(seconds=sum(float(n.replace(",", ".")) * _SECONDS[u[0]] for n, u in parts))


# On a clock ----------------------------------------------------------------------------------


def _absolute(said: str, now: datetime, zone: ZoneInfo) -> Understood:
    days, rest = _days(said)
    clock, rest = _clock(rest, said)
    other, rest = _other_zone(rest)
    shown = other or zone
    found: Understood | None = None
    for day in days(now.astimezone(shown).date()):
        found = _placed(datetime.combine(day, clock), shown, rest)
        if found.at <= now:
            break
    if found is None:
        raise NotUnderstood("there is no such day")
    return found


def _days(said: str) -> tuple[Days, str]:
    """Which dates are meant, and the text after that."""
    if iso := _ISO.match(said):
        year, month, number = (int(part) for part in iso.groups())
        return _exactly(year, month, number), said[iso.end() :]
    first, _, rest = said.partition(" ")
    if first == "last" and rest[:3] in _WEEK:
        first, _, rest = rest.partition(" ")
    if first in _NEAR:
        return lambda today: iter((today - timedelta(_NEAR[first]),)), rest
    if first[:3] in _WEEK and first.rstrip(",").isalpha():
        if _ISO.match(rest) or ((named := _DAY.match(rest)) and named[2][:3] in _YEAR):
            return _days(rest)
        wanted = _WEEK.index(first[:3])
        return lambda today: _weekly(today, wanted), rest
    if (named := _DAY.match(said)) and named[2][:3] in _YEAR:
        month, number = _YEAR.index(named[2][:3]) + 1, int(named[1])
        if named[3]:
            return _exactly(int(named[3]), month, number), said[named.end() :]
        return lambda today: _yearly(today, month, number), said[named.end() :]
    return lambda today: iter((today, today - timedelta(1))), said


def _exactly(year: int, month: int, number: int) -> Days:
    try:
        day = date(year, month, number)
    except ValueError as error:
        raise NotUnderstood(f"{year}-{month:02d}-{number:02d} is no date") from error
    return lambda _: iter((day,))


def _weekly(today: date, wanted: int) -> Iterator[date]:
    latest = today - timedelta((today.weekday() - wanted) % 7)
    return iter((latest, latest - timedelta(7)))


def _yearly(today: date, month: int, number: int) -> Iterator[date]:
    """The last years' such days; the 29th of February is not in each."""
    for year in range(today.year, today.year - 9, -1):
        try:
            yield date(year, month, number)
        except ValueError:
            continue


def _clock(said: str, whole: str) -> tuple[time, str]:
    """The time of day, and the text after it."""
    found = _CLOCK.match(said)
    if found is None or (found[2] is None and found[5] is None):
        if whole and not said:
            raise NotUnderstood("and at what time of that day? such as yesterday 23:10")
        raise NotUnderstood(f"not understood: try {HELP}")
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    if found[5]:
        if not 1 <= hour <= 12:
            raise NotUnderstood(f"{found[0]} is no time of day")
        hour = hour % 12 + (12 if found[5] == "pm" else 0)
    micros = int((found[4] or "").ljust(6, "0"))
    try:
        return time(hour, minute, second, micros), said[found.end() :].strip()
    except ValueError as error:
        raise NotUnderstood(f"{found[0].strip()} is no time of day") from error


def _other_zone(said: str) -> tuple[tzinfo | None, str]:
    """The zone that is written behind the time, unless that is the shown one's abbreviation."""
    if said in ("z", "utc", "gmt"):
        return UTC, ""
    if offset := _OFFSET.fullmatch(said):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 18 or minutes > 59:
            raise NotUnderstood(f"{said} is no offset from UTC")
        east = timedelta(hours=hours, minutes=minutes)
        return timezone(east if offset[1] == "+" else -east), ""
    return None, said


def _placed(local: datetime, zone: tzinfo, which: str) -> Understood:
    """The instant of a time in a zone; `which` is what was written behind it."""
    both = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    if which in _FOLDS:
        return Understood(_utc(both[_FOLDS[which]]))
    if which:
        for one in both:
            if _name(one).casefold() == which:
                return Understood(_utc(one))
        here = getattr(zone, "key", "this zone")
        raise NotUnderstood(f'"{which.upper()}" is not on the clocks of {here} then: it is '
                            f"{' or '.join(dict.fromkeys(map(_name, both)))}")  # fmt: skip
    chosen = _utc(both[0])
    if chosen.astimezone(zone).replace(tzinfo=None) != local:
        instead = chosen.astimezone(zone)
        return Understood(
            chosen,
            f"{local:%H:%M} was left out when the clocks went forward: "
            f"taken as {instead:%H:%M} {_name(instead)}",
        )
    if _twice(both[0]):
        first, second = _name(both[0]), _name(both[1])
        note = f"{local:%H:%M} was there twice: the first ({first}) is taken; for the second "
        return Understood(chosen, f"{note}write {local:%H:%M} {second}")
    return Understood(chosen)


def _utc(local: datetime) -> datetime:
    return local.astimezone(UTC)


def _twice(local: datetime) -> bool:
    """Whether clocks showed that time twice."""
    first, second = local.replace(fold=0), local.replace(fold=1)
    went_back = (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())
    return local.tzinfo is not None and went_back


def _name(local: datetime) -> str:
    """`CET`, or the offset where the zone has no name of letters for it."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = f"{local:%z}"
    return f"{offset[:3]}:{offset[3:5]}"


def _day_and_time(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%a %d %b %H:%M}"
