"""A table as pure functions: which columns fit, how wide, which rows, and their lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rich.cells import cell_len, set_cell_size

from warroom.domain.sample import Cell, Column, Health, Row
from warroom.tui import format as fmt
from warroom.tui.widgets.lines import Line, Span

GAP: Final = 2
MIN_GROW: Final = 8
NAME_GROW: Final = 26
"""What a growing column of priority 0 gets before others are let in: names are to be read."""
SPARK_WIDTH: Final = 10
_HEALTH_STYLE: Final = {
    Health.OK: "ok",
    Health.DEGRADED: "degraded",
    Health.DOWN: "down",
    Health.UNKNOWN: "unknown",
}


def health_style(health: Health) -> str:
    """The style name of a health."""
    return _HEALTH_STYLE[health]


@dataclass(frozen=True, slots=True)
class Item:
    """A row with the source it came from; `id` tells it from every other."""

    source: str
    row: Row

    @property
    def id(self) -> tuple[str, str]:
        return self.source, self.row.key


@dataclass(frozen=True, slots=True)
class Choice:
    """What the responder chose: order, filter, cursor and marks. Survives new data by key."""

    sort: str = ""
    reverse: bool = False
    filter: str = ""
    cursor: tuple[str, str] | None = None
    index: int = 0
    offset: int = 0
    marks: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def pointed(
    choice: Choice, items: Sequence[Item], columns: Sequence[Column], source: str, name: str = ""
) -> Choice | None:
    """`choice` with the cursor on the row of `source` that is called `name`, else on the first one
    with that in its name; a filter that hides it is taken away. None when there is none."""
    for one in (choice, replace(choice, filter="")):
        shown = arrange(items, columns, one)
        mine = [i for i, item in enumerate(shown) if item.source == source]
        called = [i for i in mine if shown[i].row.name == name]
        for at in called or [i for i in mine if name in shown[i].row.name]:
            return replace(one, cursor=shown[at].id, index=at)
    return None


def arrange(items: Iterable[Item], columns: Sequence[Column], choice: Choice) -> list[Item]:
    """Items filtered (any cell contains the text, any case) and sorted, unknown values last."""
    wanted = choice.filter.casefold()
    shown = [item for item in items if not wanted or _contains(item.row, wanted)]
    index = next((i for i, column in enumerate(columns) if column.key == choice.sort), None)
    if index is None:
        return shown
    known = [item for item in shown if item.row.cells[index] not in (None, "")]
    unknown = [item for item in shown if item.row.cells[index] in (None, "")]
    return sorted(known, key=lambda i: _order(i.row.cells[index]), reverse=choice.reverse) + unknown


def _contains(row: Row, wanted: str) -> bool:
    texts = (row.name, row.note, *(c for c in row.cells if isinstance(c, str)))
    return any(wanted in text.casefold() for text in texts) or wanted in str(row.cells).casefold()


def _order(value: Cell) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return 1, 0.0, str(value).casefold()


def settle(choice: Choice, items: Sequence[Item], height: int) -> Choice:
    """`choice` with its cursor on a row that exists and inside `height` visible rows."""
    if not items:
        return replace(choice, cursor=None, index=0, offset=0)
    places = {item.id: i for i, item in enumerate(items)}
    index = places.get(choice.cursor) if choice.cursor else None
    if index is None:
        index = min(choice.index, len(items) - 1)
    last = max(0, len(items) - max(1, height))
    offset = min(max(choice.offset, index - height + 1), index, last) if height > 0 else index
    return replace(choice, cursor=items[index].id, index=index, offset=max(0, offset))


def move(choice: Choice, items: Sequence[Item], by: int) -> Choice:
    """`choice` with the cursor `by` rows further, stopping at the ends."""
    if not items:
        return choice
    index = min(max(choice.index + by, 0), len(items) - 1)
    return replace(choice, cursor=items[index].id, index=index)


@dataclass(frozen=True, slots=True)
class Fit:
    """A column that is shown, its place in a row, and its width in cells."""

    column: Column
    place: int
    width: int


def fit(
    columns: Sequence[Column], items: Sequence[Item], width: int, *, ascii_only: bool
) -> list[Fit]:
    """The columns that fit in `width`: lowest priority number first, then those that grow."""
    natural = {i: _natural(column, i, items, ascii_only) for i, column in enumerate(columns)}
    order = sorted(range(len(columns)), key=lambda i: (columns[i].priority, i))
    widths: dict[int, int] = {}
    used = 0
    for place in order:
        gap = GAP if widths else 0
        for need in _wishes(columns[place], natural[place]):
            if used + gap + need <= width:
                widths[place] = need
                used += gap + need
                break
    spare = width - used
    for place in (p for p in order if p in widths and columns[p].grow):
        more = min(spare, max(0, natural[place] - widths[place]))
        widths[place] += more
        spare -= more
    return [Fit(columns[p], p, widths[p]) for p in sorted(widths)]


def _wishes(column: Column, natural: int) -> tuple[int, ...]:
    """Widths that a column would do with, the best first."""
    if not column.grow:
        return (natural,)
    least = min(natural, MIN_GROW)
    return (least,) if column.priority else (min(natural, NAME_GROW), least)


def _natural(column: Column, place: int, items: Sequence[Item], ascii_only: bool) -> int:
    texts = (_text(column, item.row.cells[place], ascii_only) for item in items)
    return (
        max(cell_len(column.title), *(min(200, cell_len(t)) for t in texts), 1)
        if items
        else max(cell_len(column.title), 1)
    )


def _text(column: Column, value: Cell, ascii_only: bool) -> str:
    return fmt.cell(value, column.kind, ascii_only=ascii_only, width=SPARK_WIDTH)


def header(fits: Sequence[Fit], choice: Choice, *, ascii_only: bool) -> list[Span]:
    """The titles, the sorted one with an arrow."""
    spans: list[Span] = [("  ", "")]
    for number, one in enumerate(fits):
        title = one.column.title
        if one.column.key == choice.sort:
            arrow = (
                ("v" if choice.reverse else "^") if ascii_only else "↓" if choice.reverse else "↑"
            )
            title = title[: one.width - 1] + arrow
        spans.append((" " * GAP if number else "", ""))
        spans.append((_aligned(title, one), "head"))
    return spans


def line(
    item: Item, fits: Sequence[Fit], choice: Choice, *, focused: bool, ascii_only: bool
) -> Line:
    """One row: a symbol for its health, then its cells."""
    row = item.row
    here = focused and item.id == choice.cursor
    marked = item.id in choice.marks
    back = "cursor" if here else ""
    spans: list[Span] = [_lead(row, marked, back, ascii_only)]
    for number, one in enumerate(fits):
        text = _aligned(_text(one.column, row.cells[one.place], ascii_only), one)
        style = back or _cell_style(row, one, row.cells[one.place])
        spans.append(((" " * GAP if number else "") + text, style))
    if here:
        spans.append((" " * 400, "cursor"))
    return spans


def _lead(row: Row, marked: bool, back: str, ascii_only: bool) -> Span:
    if marked:
        return ("* " if ascii_only else "✓ "), back or "mark"
    if row.health is None:
        return "  ", back
    symbols = fmt.SYMBOLS_ASCII if ascii_only else fmt.SYMBOLS
    return f"{symbols[row.health]} ", f"{back} {health_style(row.health)}".strip()


def _cell_style(row: Row, one: Fit, value: Cell) -> str:
    if value in (None, ""):
        return "dim"
    if row.health in (Health.DOWN, Health.DEGRADED, Health.UNKNOWN) and one.place <= 1:
        return health_style(row.health)
    if one.column.kind == "spark":
        return "info"
    return "dim" if one.column.priority >= 3 else ""


def _aligned(text: str, one: Fit) -> str:
    if cell_len(text) > one.width:
        return set_cell_size(text, max(0, one.width - 1)) + "…"
    pad = " " * (one.width - cell_len(text))
    return pad + text if one.column.kind in fmt.RIGHT else text + pad


def plain(item: Item, columns: Sequence[Column]) -> str:
    """A row as one line of text, for the timeline and the clipboard."""
    parts = [
        f"{column.title} {_text(column, value, False)}"
        for column, value in zip(columns, item.row.cells, strict=False)
        if value not in (None, "") and column.kind != "spark"
    ]
    return f"{item.row.name}: {', '.join(parts)}"
