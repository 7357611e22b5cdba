"""Dates as people say them: when an action item is due."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS: Final = {"day": 1, "week": 7}
_IN: Final = re.compile(r"in ([0-9]{1,3}) (day|week)s?")
HINT: Final = "tomorrow, friday, in 3 days, in 2 weeks, 2026-12-01"


def due_date(text: str, today: date) -> date:
    """The date that `text` names. A weekday is the next one after today.

    Raises ValueError, one plain line, for anything else and for a date that is over.

    >>> [str(due_date(said, date(2026, 11, 21))) for said in ("tomorrow", "in 3 days", "saturday")]
    ['2026-11-22', '2026-11-24', '2026-11-28']
    """
    said = " ".join(text.casefold().split()).removeprefix("by ").removeprefix("next ")
    if said in ("today", "tomorrow"):
        return today + timedelta(days=said == "tomorrow")
    if match := _IN.fullmatch(said):
        return today + timedelta(days=int(match[1]) * _UNITS[match[2]])
    named = [number for number, day in enumerate(_DAYS) if len(said) >= 3 and day.startswith(said)]
    if len(named) == 1:
        return today + timedelta(days=(named[0] - today.weekday() - 1) % 7 + 1)
    try:
        meant = date.fromisoformat(said) if len(said) == len("2026-12-01") else None
    except ValueError:
        meant = None
    if meant is None:
        raise ValueError(f'"{text.strip()[:40]}" is no date; write {HINT}')
    if meant < today:
        raise ValueError(f"{meant} is over already")
    return meant
