"""When somebody last went through the file, and when that is due again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from warroom.runbooks.model import Reviewed
from warroom.runbooks.outline import ListItem, Outline, Paragraph, plain

_UPDATED: Final = (
    "last updated", "last reviewed", "last review", "last modified", "updated", "reviewed", "date",
    "last_updated", "last-updated", "lastmod", "last_reviewed", "zuletzt aktualisiert",
    "zuletzt geprüft", "stand", "dernière mise à jour", "última actualización",
)  # fmt: skip
_FREQUENCY: Final = ("review frequency", "review cycle", "review", "review every", "prüfung")
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan januar january janvier enero", "feb februar february février febrero",
         "mar mär märz march mars marzo", "apr april avril abril", "may mai mayo",
         "jun juni june juin junio", "jul juli july juillet julio", "aug august août agosto",
         "sep sept september septembre septiembre", "oct okt oktober october octobre octubre",
         "nov november novembre noviembre", "dec dez dezember december décembre diciembre"), 1)
    for name in names.split()
}  # fmt: skip
_ISO: Final = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_DOTTED: Final = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_NAMED: Final = re.compile(r"\b([^\W\d_]{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b")
_DAY_FIRST: Final = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|\.)? (?:de )?([^\W\d_]{3,10})\.?,? (?:de )?(\d{4})\b"
)
_DAYS: Final = (
    (7, ("weekly", "wöchentlich", "every week")),
    (31, ("monthly", "monatlich", "every month", "mensuel", "mensual")),
    (92, ("quarterly", "vierteljährlich", "every quarter", "trimestr")),
    (183, ("half-year", "every 6 months", "every six months", "halbjährlich", "semestr")),
)  # fmt: skip
_YEAR: Final = 365


def reviewed(outline: Outline) -> Reviewed | None:
    """The first date that a line or the front matter gives for it; due again after a year unless
    the file says otherwise."""
    pairs = [*outline.meta, *_pairs(outline)]
    every = next((_days(value) for _, key, value in pairs if key in _FREQUENCY), _YEAR)
    for line, key, value in pairs:
        found = day_in(value) if key in _UPDATED else None
        if found:
            return Reviewed(line, found, every)
    return None


def _pairs(outline: Outline) -> Iterator[tuple[int, str, str]]:
    for section in outline.sections:
        for block in section.blocks:
            if isinstance(block, (Paragraph, ListItem)):
                for offset, row in enumerate(block.text.split("\n")):
                    key, colon, value = plain(row).partition(":")
                    if colon and len(key) < 40:
                        yield block.line + offset, key.strip(" _*").casefold(), value.strip(" _*")


def day_in(text: str) -> date | None:
    """The date that `text` gives, in the ways people write one.

    >>> day_in("December 6, 2025"), day_in("15. März 2024"), day_in("soon")
    (datetime.date(2025, 12, 6), datetime.date(2024, 3, 15), None)
    """
    text = text[:80].casefold()
    if match := _ISO.search(text):
        numbers = (match[1], match[2], match[3])
    elif match := _DOTTED.search(text):
        numbers = (match[3], match[2], match[1])
    elif match := _NAMED.search(text):
        numbers = (match[3], str(_MONTHS.get(match[1], 0)), match[2])
    elif match := _DAY_FIRST.search(text):
        numbers = (match[3], str(_MONTHS.get(match[2], 0)), match[1])
    else:
        return None
    try:
        return date(*(int(number) for number in numbers))
    except ValueError:
        return None


def _days(text: str) -> int:
    said = text.casefold()
    return next((days for days, words in _DAYS if any(word in said for word in words)), _YEAR)
