"""A table of what was measured: the console, what stands beside it, their ratio, the aim."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

HEAD: Final = ("what", "warroom", "beside", "ratio", "aim")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `wrong` says what should not be: the run then ends with a failure."""

    what: str
    warroom: str
    beside: str = ""
    ratio: str = ""
    aim: str = ""
    wrong: bool = False


def median(values: Iterable[float | None]) -> float | None:
    """The median of what was measured; None when nothing was."""
    found = [value for value in values if value is not None]
    return statistics.median(found) if found else None


def compared(
    what: str,
    ours: float | None,
    name: str,
    theirs: float | None,
    *,
    unit: str = "ms",
    aim: float | None = None,
    least: float | None = None,
) -> Row:
    """A row with the ratio of ours to theirs; `aim` is the most it should be, `least` the least."""
    ratio = ours / theirs if ours is not None and theirs else None
    return Row(
        what,
        _text(ours, unit),
        f"{name} {_text(theirs, unit)}" if name else "",
        "" if ratio is None else f"{ratio:.2f}",
        _aim(ratio, aim, least),
    )


def valued(
    what: str,
    value: float | None,
    *,
    unit: str = "ms",
    most: float | None = None,
    least: float | None = None,
    beside: str = "",
) -> Row:
    """A row whose figure itself should be at `most` or at `least` something."""
    return Row(what, _text(value, unit), beside, "", _aim(value, most, least, unit))


def _aim(value: float | None, most: float | None, least: float | None, unit: str = "") -> str:
    """What should be, and whether it is."""
    if most is None and least is None:
        return ""
    kept = value is not None and (most is None or value <= most)
    kept = kept and value is not None and (least is None or value >= least)
    bound = f"≤ {most:,g}" if most is not None else f"≥ {least:,g}"
    return f"{bound} {unit}".strip() + (" ✓" if kept else " ✗")


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "—"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def table(rows: Sequence[Row]) -> str:
    """The rows in aligned columns."""
    cells = [HEAD, *((r.what, r.warroom, r.beside, r.ratio, r.aim) for r in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    lines = []
    for what, ours, beside, ratio, aim in cells:
        left = f"{what:<{widths[0]}}  {ours:>{widths[1]}}  {beside:<{widths[2]}}"
        lines.append(f"{left}  {ratio:>{widths[3]}}  {aim:>{widths[4]}}".rstrip())
    lines.insert(1, "─" * max(map(len, lines)))
    return "\n".join(lines)
