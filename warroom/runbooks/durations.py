"""Times in words: `Immediate (5 minutes)`, `< 15 min`, `Next business day`, `vier Stunden`."""

from __future__ import annotations

import re
from typing import Final

from warroom.domain.severity import DAY, HOUR, MINUTE
from warroom.runbooks.model import TimeBox

_UNITS: Final = {
    1.0: """s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos""",
    MINUTE: """m min mins minute minutes minuten minuto minutos minuti""",
    HOUR: """h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur""",
    DAY: """d day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen""",
    7 * DAY: """w week weeks woche wochen semaine semaines semana semanas""",
}
_UNIT: Final = {word: seconds for seconds, words in _UNITS.items() for word in words.split()}
_NUMBERS: Final = {
    "every": 1, "each": 1, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4,
    "five": 5, "ten": 10, "fifteen": 15, "thirty": 30, "half": 0.5, "ein": 1, "eine": 1,
    "einer": 1, "une": 1, "una": 1, "zwei": 2, "drei": 3, "vier": 4, "deux": 2, "trois": 3,
    "quatre": 4, "dos": 2, "cuatro": 4,
}  # fmt: skip
_TOKEN: Final = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,3})?|[^\W\d_]+|[-–—]")
_AT_ONCE: Final = ("immediate", "instant", "sofort", "immédiat", "inmediat", "imediat", "at once")
_NEXT_DAY: Final = (
    "next business day", "next working day", "nächster werktag", "nächsten werktag",
    "nächster arbeitstag", "nächsten arbeitstag", "jour ouvré suivant", "prochain jour ouvré",
    "siguiente día hábil", "próximo dia útil",
)  # fmt: skip
_JOINTS: Final = frozenset({"-", "–", "—", "to", "bis", "à", "business", "working"})
_WINDOW: Final = 400


def seconds_in(text: str) -> float | None:
    """Seconds that `text` promises; None when it promises none.

    A number wins over a word, the end of a range over its start, and the first time over a later
    one. "Immediate" alone is 0; "next business day" is a day.

    >>> seconds_in("Immediate (5 minutes)"), seconds_in("< 15 min"), seconds_in("24-48 hours")
    (300.0, 900.0, 172800.0)
    >>> seconds_in("every hour"), seconds_in("every 15 minutes")
    (3600.0, 900.0)
    >>> seconds_in("Immediate"), seconds_in("Next business day"), seconds_in("best effort")
    (0.0, 86400.0, None)
    """
    words = text[:_WINDOW].casefold()
    tokens = _TOKEN.findall(words)
    number: float | None = None
    total, last = 0.0, float("inf")
    for token in tokens:
        unit = _UNIT.get(token)
        if unit is not None and number is not None and unit < last:
            total += number * unit
            number, last = None, unit
        elif token[0].isdecimal():
            number = float(token.replace(",", "."))
        elif token in ("a", "an", "of", "von") and number is not None:
            continue  # "half an hour"
        elif token in _NUMBERS:
            number = _NUMBERS[token]
        elif total:
            break  # "1 h 30 min" adds up; what comes after other words is another promise
        elif token not in _JOINTS:
            number = None
    if total:
        return total
    if any(phrase in words for phrase in _NEXT_DAY):
        return DAY
    return 0.0 if any(word in words for word in _AT_ONCE) else None


_BOX: Final = re.compile(
    r"([0-9]{1,4})\s?(?:[-–—]|to|bis|à)\s?([0-9]{1,4})\s?([^\W\d_]{1,10})"
    r"|(?:\(|\bfirst |\bwithin |\berste[n]? |\bpremières )([0-9]{1,4})\s?([^\W\d_]{1,10})",
    re.IGNORECASE,
)


def time_box(text: str) -> TimeBox | None:
    """When a heading or label says that its part of the response takes place.

    >>> time_box("Triage (5-15 min)"), time_box("First 15 Minutes")
    (TimeBox(starts_s=300.0, ends_s=900.0), TimeBox(starts_s=0.0, ends_s=900.0))
    >>> time_box("Status Update (Every 15 minutes)") is None
    True
    """
    for match in _BOX.finditer(text[:_WINDOW]):
        unit = _UNIT.get((match[3] or match[5]).casefold())
        if unit is not None:
            first, last = (match[1], match[2]) if match[3] else ("0", match[4])
            return TimeBox(float(first) * unit, float(last) * unit)
    return None
