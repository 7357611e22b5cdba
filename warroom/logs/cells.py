"""Log lines as rows of cells: what they say, under the names of what it is, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from unicodedata import category, east_asian_width

from warroom.domain.text import harmless_bytes
from warroom.logs.decode import without_colours
from warroom.logs.formats.base import Format, Roles
from warroom.logs.level import level_of
from warroom.logs.record import Record, details, record_of
from warroom.logs.trust import NOBODY, Trust

_FIRST: Final = (
    "level", "client", "status", "method", "path", "size", "user", "message", "host", "agent",
)  # fmt: skip
_WIDEST: Final = {"path": 48, "message": 72}
_WIDE: Final = 24
_LEAST: Final = 8
"""Cells below which a last column is not worth its place."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """`head` has names and widths of columns; `rows` a text for each line, None for a line that
    has no cells, or whose message has no column: it would stand there empty."""

    head: tuple[tuple[str, int], ...]
    rows: tuple[str | None, ...]

    @property
    def title(self) -> str:
        return "  ".join(_fitted(name, width) for name, width in self.head).rstrip()


def cells_wide(text: str) -> int:
    """How many cells of a terminal `text` takes (Unicode Standard Annex 11).

    >>> cells_wide("cart"), cells_wide("\u65e5\u672c"), cells_wide("e\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(char: str) -> int:
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _fitted(text: str, width: int) -> str:
    """`text` in exactly `width` cells, its cut marked with an ellipsis."""
    taken = cells_wide(text)
    if taken > width:
        taken, end = 0, 0
        for char in text:
            if taken + _cells(char) > max(0, width - 1):
                break
            taken, end = taken + _cells(char), end + 1
        text, taken = text[:end] + "…", taken + 1
    return text + " " * (width - taken)


def cells_of(line: bytes, fmt: Format, trust: Trust = NOBODY) -> Cells | None:
    """What `line` says, and what else its writer named in it; None when it is not of `fmt`."""
    roles = fmt.roles(line)
    if roles is None:
        return None
    record = record_of(roles, line, trust)
    found = {name: text for name in _FIRST if (text := _said(record, name))}
    if not fmt.asks and (level := _level(line, roles, record)):  # of a request the status says it
        found = {"level": level} | found | {"level": level}
    meant = {harmless_bytes(part) for part in roles.values()}
    for name, text in details(line, fmt):
        if text and text != "-" and text not in meant:
            found.setdefault(name, text)
    return found


def _level(line: bytes, roles: Roles, record: Record) -> str:
    """As it is written, a number as its word; else what the line, or its message, begins with."""
    if record.level and not record.level.isdigit():
        return record.level
    said = level_of(without_colours(line)) or level_of(without_colours(roles.get("message", b"")))
    return said.word or record.level


def _said(record: Record, name: str) -> str:
    value = getattr(record, name)
    if name in ("status", "size"):
        return str(value) if value else ""
    return "" if value == "-" else str(value).rstrip("␊ ")


def moment_of(record: Record) -> str:
    """The line's own time, to the millisecond, in UTC; empty where it says none."""
    if record.at is None:
        return ""
    return f"{datetime.fromtimestamp(record.at, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def table(lines: Sequence[Cells | None], width: int) -> Table:
    """The cells of lines in columns that fit into `width` cells; those that are cut share what
    is left, the last takes the rest."""
    known = [cells for cells in lines if cells]
    names = [name for name in _FIRST if any(name in cells for cells in known)]
    names += [name for name in dict.fromkeys(n for cells in known for n in cells)
              if name not in _FIRST]  # fmt: skip
    head: list[tuple[str, int]] = []
    left = width
    longest = {name: max(cells_wide(cells.get(name, "")) for cells in known) for name in names}
    for name in names:
        wanted = min(max(longest[name], cells_wide(name)), _WIDEST.get(name, _WIDE))
        if left < min(wanted, _LEAST):
            break
        head.append((name, min(wanted, left)))
        left -= wanted + 2
    if head and left > 0:
        head, left = _widened(head, longest, left)
        name, wide = head[-1]
        head[-1] = (name, wide + left)
    return Table(tuple(head), tuple(_row(cells, head) for cells in lines))


def _widened(
    head: Sequence[tuple[str, int]], longest: Mapping[str, int], left: int
) -> tuple[list[tuple[str, int]], int]:
    """Columns with `left` cells shared among those that are cut, and what is left of them."""
    widths = dict(head)
    cut = sorted((longest[name] - wide, name) for name, wide in head if longest[name] > wide)
    for place, (more, name) in enumerate(cut):
        given = min(more, left // (len(cut) - place))
        widths[name] += given
        left -= given
    return list(widths.items()), left


def _row(cells: Cells | None, head: Sequence[tuple[str, int]]) -> str | None:
    shown = {name for name, _ in head}
    if not cells or shown.isdisjoint(cells) or ("message" in cells and "message" not in shown):
        return None
    return "  ".join(_fitted(cells.get(name, ""), width) for name, width in head).rstrip()
