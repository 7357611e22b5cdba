"""The HTML that people put into Markdown: tables, headings and anchors. One pass, no nesting.

Only what is named here is taken; everything else, comments above all, says nothing. Text within
`<code>` comes out between backticks, as Markdown has it, and as it stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})([^<>]{0,1000})>|<!--")
_NAME: Final = re.compile(r"""\b(?:id|name)=["']?([^\s"'>]{1,200})""")
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(frozen=True, slots=True)
class Anchor:
    name: str


@dataclass(frozen=True, slots=True)
class Heading:
    line: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table; each row with its line."""

    line: int
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(slots=True)
class _Table:
    """A table while it is read."""

    line: int
    rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    row_line: int = 0


def elements(text: str, first_line: int) -> Iterator[Anchor | Heading | Rows]:
    """What a block of HTML that begins on `first_line` holds, in order."""
    reader = _Reader(first_line)
    at = 0
    while match := _TAG.search(text, at):
        reader.text(text[at : match.start()])
        if match[0] == "<!--":
            end = text.find("-->", match.end())
            end = len(text) if end < 0 else end + 3
            reader.line += text.count("\n", match.start(), end)
            at = end
            continue
        yield from reader.tag(match[2].lower(), bool(match[1]), match[3])
        reader.line += match[0].count("\n")
        at = match.end()
    yield from reader.ended()


class _Reader:
    def __init__(self, line: int) -> None:
        self.line = line
        self._table: _Table | None = None
        self._pieces: list[str] = []
        self._code = self._in_cell = False
        self._before = 0
        self._heading_line = line

    def text(self, piece: str) -> None:
        self.line += piece.count("\n")
        self._pieces.append(piece if self._code else unescape(piece))

    def tag(self, name: str, closes: bool, rest: str) -> Iterator[Anchor | Heading | Rows]:
        if not closes and (named := _NAME.search(rest)):
            yield Anchor(named[1])
        if name in _HEADINGS:
            if closes:
                yield Heading(self._heading_line, int(name[1]), self._taken())
            else:
                self._pieces, self._heading_line = [], self.line
        elif name == "code":
            self._code_ends() if closes else self._code_begins()
        elif name == "br":
            self._pieces.append(" ")
        elif name == "table":
            yield from self.ended()
            self._table = None if closes else _Table(self.line)
        elif self._table is not None:
            self._cell(self._table, name, closes)

    def _code_begins(self) -> None:
        self._code, self._before = True, len(self._pieces)

    def _code_ends(self) -> None:
        """Between backticks when it stands so in the file: in one piece, on one line, without
        `&amp;` and the like."""
        pieces = self._pieces[self._before :]
        del self._pieces[self._before :]
        text = "".join(pieces)
        is_exact = len(pieces) == 1 and text.split(" ") == text.split() and "&" not in text
        self._pieces.append(f"`{text}`" if is_exact else unescape(text))
        self._code = False

    def _cell(self, table: _Table, name: str, closes: bool) -> None:
        if name in ("td", "th", "tr") and self._in_cell:  # the end of a cell may be left out
            table.cells.append(self._taken())
            self._in_cell = False
        if name in ("td", "th") and not closes:
            self._pieces, self._in_cell = [], True
        elif name == "tr":
            if table.cells:
                table.rows.append((table.row_line, tuple(table.cells)))
            table.cells, table.row_line = [], self.line

    def _taken(self) -> str:
        text = " ".join("".join(self._pieces).split())
        self._pieces, self._code = [], False
        return text

    def ended(self) -> Iterator[Rows]:
        """What is still open."""
        table, self._table = self._table, None
        if table is not None and self._in_cell:
            table.cells.append(self._taken())
        self._in_cell = False
        if table is not None and table.cells:
            table.rows.append((table.row_line, tuple(table.cells)))
        if table is not None and table.rows:
            yield Rows(table.line, tuple(table.rows))
