"""Log lines as rows of cells: what they say, under the names of what it is, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from warroom.domain.text import shorten
from warroom.logs.formats.base import Format
from warroom.logs.record import Record, details, record_of
from warroom.logs.trust import NOBODY, Trust

_FIRST: Final = (
    "level", "client", "status", "method", "path", "size", "user", "message", "host", "agent",
)  # fmt: skip
_WIDEST: Final = {"path": 48, "message": 72}
_WIDE: Final = 24
_LEAST: Final = 8
"""Characters below which a last column is not worth its place."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """`head` has names and widths of columns; `rows` a text for each line, None for a line that
    has no cells, or whose message has no column: it would stand there empty."""

    head: tuple[tuple[str, int], ...]
    rows: tuple[str | None, ...]

    @property
    def title(self) -> str:
        return "  ".join(f"{shorten(name, width):<{width}}" for name, width in self.head).rstrip()


def cells_of(line: bytes, fmt: Format, trust: Trust = NOBODY) -> Cells | None:
    """What `line` says, and what else its writer named in it; None when it is not of `fmt`."""
    roles = fmt.roles(line)
    if roles is None:
        return None
    record = record_of(roles, line, trust)
    found = {name: text for name in _FIRST if (text := _said(record, name))}
    meant = {part for name, part in roles.items() if name != "message"} | {roles.get("message")}
    for name, text in details(line, fmt):
        if text and text != "-" and text.encode() not in meant:
            found.setdefault(name, text)
    return found


def _said(record: Record, name: str) -> str:
    value = getattr(record, name)
    if name in ("status", "size"):
        return str(value) if value else ""
    return "" if value == "-" else str(value)


def moment_of(record: Record) -> str:
    """The line's own time, to the millisecond, in UTC; empty where it says none."""
    if record.at is None:
        return ""
    return f"{datetime.fromtimestamp(record.at, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def table(lines: Sequence[Cells | None], width: int) -> Table:
    """The cells of lines in columns that fit into `width` characters; the last takes the rest."""
    known = [cells for cells in lines if cells]
    names = [name for name in _FIRST if any(name in cells for cells in known)]
    names += [name for name in dict.fromkeys(n for cells in known for n in cells)
              if name not in _FIRST]  # fmt: skip
    head: list[tuple[str, int]] = []
    left = width
    for name in names:
        longest = max(len(cells.get(name, "")) for cells in known)
        wanted = min(max(longest, len(name)), _WIDEST.get(name, _WIDE))
        if left < min(wanted, _LEAST):
            break
        head.append((name, min(wanted, left)))
        left -= wanted + 2
    if head and left > 0:
        name, wide = head[-1]
        head[-1] = (name, wide + left)
    return Table(tuple(head), tuple(_row(cells, head) for cells in lines))


def _row(cells: Cells | None, head: Sequence[tuple[str, int]]) -> str | None:
    shown = {name for name, _ in head}
    if not cells or shown.isdisjoint(cells) or ("message" in cells and "message" not in shown):
        return None
    texts = (f"{shorten(cells.get(name, ''), width):<{width}}" for name, width in head)
    return "  ".join(texts).rstrip()
