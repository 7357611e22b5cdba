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
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.text import harmless
from warroom.runbooks import html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TASK: Final = re.compile(r"\[([ xX])\][ \t]+")
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_META: Final = re.compile(r"([A-Za-z][\w -]{0,40}?)[ \t]*[:=][ \t]*(\S.{0,300})")
_INFO: Final = re.compile(r"[\s{},:]+")
_EMPHASIS: Final = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")


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
    that it stands under; `is_closed` whether a line of its marks ends it."""

    line: int
    content_line: int
    language: str
    content: str
    label: str
    is_indented: bool = False
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as raw text; each row with its line."""

    line: int
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


Block = Paragraph | ListItem | Fence | Table


@dataclass(frozen=True, slots=True)
class Outline:
    """A file's sections, its front matter (keys in lower case), the names of its link
    references, and the anchors that HTML in it defines."""

    sections: list[Section]
    meta: tuple[tuple[int, str, str], ...] = ()
    references: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()


@dataclass(slots=True)
class Section:
    """A heading and what stands under it up to the next one. `path` are the titles above it."""

    title: str
    level: int
    line: int
    path: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)


def outline(text: str) -> Outline:
    """The file's sections in order; the first, of level 0, is what stands before any heading."""
    text, meta = _toml_front_matter(text)
    env: dict[str, Any] = {}
    reader = _Reader(_parser().parse(text, env))
    references = frozenset(str(name).casefold() for name in env.get("references", {}))
    return Outline(reader.sections, (*meta, *reader.meta), references, frozenset(reader.anchors))


def _toml_front_matter(text: str) -> tuple[str, list[tuple[int, str, str]]]:
    """Front matter between lines of `+++`, emptied so that every line keeps its number."""
    if not text.startswith("+++\n"):
        return text, []
    end = text.find("\n+++\n", 3)
    if end < 0:
        return text, []
    inside = text[4:end]
    return "\n" * (inside.count("\n") + 3) + text[end + 5 :], front_matter(inside)


def front_matter(text: str) -> list[tuple[int, str, str]]:
    """`key: value` and `key = "value"` lines at the margin; deeper structure is left alone."""
    found = []
    for number, line in enumerate(text.split("\n"), 2):
        match = _META.fullmatch(line)
        if match:
            found.append((number, match[1].casefold(), harmless(match[2].strip().strip("\"'"))))
    return found


def plain(text: str) -> str:
    """Raw inline text for people: without its emphasis and code marks, its encoding put right.

    >>> plain("**Restart** `web`:")
    'Restart web:'
    >>> plain("_Soon:_ raise max_connections, `SELECT *`")
    'Soon: raise max_connections, SELECT *'
    """
    pieces = repaired(text).split("`")
    pieces[::2] = [_EMPHASIS.sub("", piece) for piece in pieces[::2]]
    return "".join(pieces).strip()


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
    from mdit_py_plugins.admon import admon_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark").enable("table")
    parser.use(front_matter_plugin).use(admon_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class _Reader:
    """Walks the flat tokens once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.sections = [Section("", 0, 1, ())]
        self.meta: list[tuple[int, str, str]] = []
        self.anchors: list[str] = []
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
                self._heading(int(token.tag[1]), _line(token), self._tokens[index + 1].content)
                return index + 3
            case "front_matter":
                self.meta += front_matter(token.content)
            case "html_block":
                self._html(token)
            case "admonition_title_open":
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

    def _heading(self, level: int, line: int, raw: str) -> None:
        self._above = [above for above in self._above if above[0] < level]
        path = tuple(title for _, title in self._above)
        title = plain(raw)
        self._above.append((level, title))
        self.sections.append(Section(title, level, line, path))
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
        first = line if indented else line + 1
        words = _INFO.split(token.info.strip(), maxsplit=3)
        language = next((word for word in words if word), "").strip(".").lower()
        closed = indented or _is_closed(token)
        self._add(Fence(line, first, language, token.content, self._label, indented, closed))

    def _html(self, token: Token) -> None:
        """Tables and headings written in HTML; every other element is left alone."""
        for found in html.elements(token.content, _line(token)):
            if isinstance(found, html.Anchor):
                self.anchors.append(found.name)
            elif isinstance(found, html.Heading):
                self._heading(found.level, found.line, found.text)
            else:
                rows = found.rows
                header = rows[0][1] if rows else ()
                self._add(Table(found.line, header, tuple(rows[1:])))

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


def _is_closed(token: Token) -> bool:
    """A fence's range has one line more than its content and its opening when it is closed."""
    start, end = token.map or [0, 0]
    return end - start >= token.content.count("\n") + 2


def _is_label(text: str) -> bool:
    """A bold line, or a short one that ends in a colon, speaks of what comes next."""
    one = text.strip()
    if "\n" in one or len(one) > 120:
        return False
    return (one.startswith("**") and one.rstrip(":").endswith("**")) or one.endswith(":")
