"""Markdown → sections with their blocks, by markdown-it's block rules alone.

Inline markup is not parsed: what is wanted of it (bold marks, code spans) is read from the raw
text in linear time, and a block-only parse costs half. Task items are told by their first three
characters (GitHub Flavored Markdown, section 5.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TASK: Final = re.compile(r"\[([ xX])\][ \t]+")
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_MARKS: Final = str.maketrans("", "", "*_`")


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ListItem:
    """The first paragraph of a list item; `done` is None when it is no task."""

    line: int
    text: str
    ordered: bool
    done: bool | None


@dataclass(frozen=True, slots=True)
class Fence:
    """Code between fences, or indented (`is_indented`). `label` is the bold line or the list item
    that it stands under."""

    line: int
    content_line: int
    language: str
    content: str
    label: str
    is_indented: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as raw text; each row with its line."""

    line: int
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


Block = Paragraph | ListItem | Fence | Table


@dataclass(slots=True)
class Section:
    """A heading and what stands under it up to the next one. `path` are the titles above it."""

    title: str
    level: int
    line: int
    path: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """Every section in order; the first, of level 0, is what stands before any heading."""
    return _Reader(_parser().parse(text)).sections


def plain(text: str) -> str:
    """Raw inline text for people: without its emphasis and code marks, its encoding put right.

    >>> plain("**Restart** `web`:")
    'Restart web:'
    """
    return repaired(text).translate(_MARKS).strip()


def repaired(text: str) -> str:
    """UTF-8 that was read as Latin-1 and written again, put right line by line: a file often has
    both kinds. Never for what may be run: those bytes stay as they are."""
    if text.isascii():
        return text
    import ftfy

    lines = text.split("\n")
    return "\n".join(line if line.isascii() else ftfy.fix_encoding(line) for line in lines)


def code_spans(text: str) -> Iterator[str]:
    """What stands between single backticks."""
    return (match[1].strip() for match in _CODE.finditer(text))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class _Reader:
    """Walks the flat tokens once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.sections = [Section("", 0, 1, ())]
        self._tokens = tokens
        self._label = ""
        self._ordered: list[bool] = []
        self._item_line = 0
        self._above: list[tuple[int, str]] = []
        index = 0
        while index < len(tokens):
            index = self._take(index)

    def _take(self, index: int) -> int:
        token = self._tokens[index]
        match token.type:
            case "heading_open":
                self._heading(token, self._tokens[index + 1].content)
                return index + 3
            case "bullet_list_open" | "ordered_list_open":
                self._ordered.append(token.type.startswith("ordered"))
            case "bullet_list_close" | "ordered_list_close":
                self._ordered.pop()
            case "list_item_open":
                self._item_line = _line(token)
            case "fence" | "code_block":
                self._fence(token)
            case "table_open":
                return self._table(index)
            case "inline":
                self._text(token)
        return index + 1

    def _heading(self, token: Token, raw: str) -> None:
        level = int(token.tag[1])
        self._above = [above for above in self._above if above[0] < level]
        path = tuple(title for _, title in self._above)
        title = plain(raw)
        self._above.append((level, title))
        self.sections.append(Section(title, level, _line(token), path))
        self._label = ""

    def _text(self, token: Token) -> None:
        line, text = _line(token), token.content
        if self._ordered and self._item_line:
            self._item_line = 0
            task = _TASK.match(text)
            done = None if task is None else task[1] != " "
            text = text[task.end() :] if task else text
            self._add(ListItem(line, text, self._ordered[-1], done))
            self._label = plain(text.partition("\n")[0]).rstrip(":")
            return
        if _is_label(text):
            self._label = plain(text).rstrip(":")
        self._add(Paragraph(line, text))

    def _fence(self, token: Token) -> None:
        indented = token.type == "code_block"
        line = _line(token)
        words = token.info.strip().split(maxsplit=1)
        language = words[0].strip("{}.").lower() if words else ""
        self._add(
            Fence(
                line, line if indented else line + 1, language, token.content, self._label, indented
            )
        )

    def _table(self, index: int) -> int:
        line, rows, cells = _line(self._tokens[index]), [], list[str]()
        row_line = line
        while self._tokens[index].type != "table_close":
            token = self._tokens[index]
            if token.type == "tr_open":
                row_line, cells = _line(token), []
            elif token.type == "inline":
                cells.append(token.content)
            elif token.type == "tr_close":
                rows.append((row_line, tuple(cells)))
            index += 1
        self._add(Table(line, rows[0][1] if rows else (), tuple(rows[1:])))
        return index + 1

    def _add(self, block: Block) -> None:
        self.sections[-1].blocks.append(block)


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def _is_label(text: str) -> bool:
    """A bold line, or a short one that ends in a colon, speaks of what comes next."""
    one = text.strip()
    if "\n" in one or len(one) > 120:
        return False
    return (one.startswith("**") and one.rstrip(":").endswith("**")) or one.endswith(":")
