"""How values are written in cells: pure, width-aware, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from warroom.domain.clock import span
from warroom.domain.sample import Cell, CellKind, Health

NOTHING: Final = "—"
SPARKS: Final = "▁▂▃▄▅▆▇█"
SPARKS_ASCII: Final = "_.-=+*#@"
_UNITS: Final = ("B", "K", "M", "G", "T", "P")

SYMBOLS: Final = {Health.OK: "●", Health.DEGRADED: "▲", Health.DOWN: "✖", Health.UNKNOWN: "?"}
SYMBOLS_ASCII: Final = {Health.OK: "o", Health.DEGRADED: "!", Health.DOWN: "X", Health.UNKNOWN: "?"}
RIGHT: Final = frozenset({"id", "count", "number", "percent", "bytes", "rate", "seconds"})


def size(value: float) -> str:
    """Bytes in powers of 1024, three figures.

    >>> size(0), size(1536), size(13_000_000_000)
    ('0B', '1.5K', '12.1G')
    """
    amount, unit = float(value), 0
    while abs(amount) >= 999.5 and unit < len(_UNITS) - 1:
        amount /= 1024
        unit += 1
    digits = 0 if unit == 0 or abs(amount) >= 99.5 else 1
    return f"{amount:.{digits}f}{_UNITS[unit]}"


def count(value: float) -> str:
    """A whole number, grouped, or with a unit of thousand where it would be wide.

    >>> count(1204), count(12_345_678)
    ('1,204', '12.3M')
    """
    if abs(value) < 100_000:
        return f"{value:,.0f}"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.1f}{name}"
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """0..100 with one decimal where it matters.

    >>> percent(99.12), percent(3.0), percent(100.0), percent(0.04)
    ('99.1%', '3.0%', '100%', '0.0%')
    """
    return f"{value:.0f}%" if value >= 99.95 else f"{value:.1f}%"


def sparkline(values: Sequence[float], width: int, *, ascii_only: bool = False) -> str:
    """The last `width` values as one character each, scaled from zero to the largest.

    >>> sparkline([0, 1, 2, 4], 4)
    '▁▂▄█'
    """
    if width <= 0 or not values:
        return ""
    shown = list(values)[-width:]
    top = max(shown)
    ramp = SPARKS_ASCII if ascii_only else SPARKS
    if top <= 0:
        return ramp[0] * len(shown)
    return "".join(ramp[min(7, int(max(0.0, v) / top * 7.999))] for v in shown)


def cell(value: Cell, kind: CellKind, *, ascii_only: bool = False, width: int = 12) -> str:
    """One cell as text; nothing known is a dash."""
    if value is None or value == "":
        return "-" if ascii_only else NOTHING
    if isinstance(value, str):
        if kind != "spark":
            return value
        numbers = [float(part) for part in value.split(",") if part]
        return sparkline(numbers, width, ascii_only=ascii_only)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(float(value), kind)


def _number(value: float, kind: CellKind) -> str:
    match kind:
        case "id":
            return f"{value:.0f}"
        case "percent":
            return percent(value)
        case "bytes":
            return size(value)
        case "rate":
            return f"{size(value)}/s"
        case "seconds":
            return span(value)
        case "count":
            return count(value)
        case _:
            return f"{value:.1f}" if abs(value) < 1000 else count(value)


def clock_time(instant: datetime, zone: ZoneInfo, *, seconds: bool = True) -> str:
    """The time of day in `zone`."""
    return instant.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def age(seconds: float) -> str:
    """How old data is: `now` up to a second and a half.

    >>> age(0.4), age(12)
    ('now', '12s')
    """
    return "now" if seconds < 1.5 else span(seconds)
