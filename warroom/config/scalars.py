"""Single values: from what TOML has to what a setting wants, or a plain word about why not."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from warroom.config.problems import nearest
from warroom.config.values import NAME_WIDTH, Line, Name, Seconds, Secret, TimeZone

_DURATION: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 366 * 86400.0
"""Seconds. Nothing in an incident takes longer than a year; timers overflow long after."""
_DIGITS: Final = 40
"""Characters of a value that a message repeats."""

_WORDS: Final[dict[object, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


class Wrong(Exception):
    """A value cannot be what it should; `hint` says what would be right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def scalar(hint: Any, value: object) -> Any:
    """`value` as the type `hint`. Raises Wrong."""
    if hint in _MEANINGS:
        return _MEANINGS[hint](value)
    if hint is Any or hint is object:
        return value
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(one_of(value, [member.value for member in hint]))
    if hint is float:
        return _number(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise Wrong(f"expected {_WORDS.get(hint, hint)}, found {named(value)}")
    if isinstance(value, str) and "\0" in value:  # no path, argument or URL can hold one
        raise Wrong("holds a NUL character")
    return value


def one_of(value: object, allowed: list[str]) -> str:
    """`value` when it is one of the words. Raises Wrong."""
    if not isinstance(value, str):
        raise Wrong(f"expected text, found {named(value)}", f"allowed: {', '.join(allowed)}")
    if value not in allowed:
        raise Wrong(f"{named(value)} is not allowed", nearest(value, allowed))
    return value


def duration(value: object) -> float:
    """Seconds from `5s`, `1.5m`, `250ms`, `2h`, or a plain number; a year at the most.

    Raises Wrong.
    """
    seconds = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = min(value, 2 * _LONGEST)  # an int may be too large for any float
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 <= seconds <= _LONGEST:  # NaN is not either
        raise Wrong(
            f"{named(value)} is not a duration", 'write it as "5s", "250ms", "1.5m" or "2h"'
        )
    return float(seconds)


def named(value: object) -> str:
    """A value as a message repeats it: short, and never the content of a table or list."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _DIGITS else "a text"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 120:
        return "a very large number"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong(f"expected a number, found {named(value)}")
    if isinstance(value, int) and value.bit_length() > 1000:
        raise Wrong("is a very large number")
    if not math.isfinite(value):
        raise Wrong(f"expected a number, found {named(value)}")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(f"expected text, found {named(value)}")
    return value


def _line(value: object) -> Line:
    text = _text(value)
    if not text.isprintable():
        raise Wrong("holds characters that cannot be printed", "one line of plain text")
    return Line(text)


def _name(value: object) -> Name:
    text = _text(value)
    if not text.isprintable() or not text.strip() or len(text) > NAME_WIDTH:
        raise Wrong(f"{named(value)} is not a name", f"1 to {NAME_WIDTH} printable characters")
    return Name(text)


def _time_zone(value: object) -> TimeZone:
    text = _text(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(
            f"{named(value)} is not a time zone of this machine", _nearest_zone(text)
        ) from None
    return TimeZone(text)


def _nearest_zone(text: str) -> str:
    """By the whole name, else by the town alone: people write `Berlin`."""
    zones = available_timezones()
    for zone in sorted(zones):
        if zone.casefold().rpartition("/")[2] == text.casefold().replace(" ", "_"):
            return f'did you mean "{zone}"?'
    hint = nearest(text, zones)
    return hint if hint.startswith("did") else 'write it as "Europe/Berlin" or "UTC"'


def _secret(value: object) -> Secret:
    try:
        return Secret(_text(value))
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise Wrong(message, hint) from None


_MEANINGS: Final[dict[Any, Any]] = {
    Seconds: duration,
    Secret: _secret,
    Name: _name,
    Line: _line,
    TimeZone: _time_zone,
}
