"""Tables: what fits is shown whole, and the cursor stays on its row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Column, Health, Row
from warroom.tui.widgets import table
from warroom.tui.widgets.lines import fitted, spread, width_of
from warroom.tui.widgets.table import Choice, Item

COLUMNS = (
    Column("name", "name", grow=True),
    Column("state", "state", priority=1),
    Column("cpu", "cpu", "percent", priority=1),
    Column("image", "image", priority=3, grow=True),
)


def items(*names: str) -> list[Item]:
    return [
        Item("docker", Row(name, name, (name, "running", float(i), "img"), Health.OK))
        for i, name in enumerate(names)
    ]


names = st.lists(st.text(st.characters(categories=["L", "N", "So"]), min_size=1), max_size=12)


@given(names, st.integers(10, 120))
def test_a_line_is_exactly_as_wide_as_it_should_be(found: list[str], width: int) -> None:
    shown = items(*dict.fromkeys(found))
    fits = table.fit(COLUMNS, shown, width, ascii_only=False)
    assert sum(fit.width + table.GAP for fit in fits) - table.GAP <= width
    for item in shown:
        line = table.line(item, fits, Choice(), focused=False, ascii_only=False)
        assert width_of(fitted(line, width)) == width


def test_the_least_important_column_goes_first() -> None:
    keys = [fit.column.key for fit in table.fit(COLUMNS, items("api"), 22, ascii_only=False)]
    assert keys == ["name", "state", "cpu"]


def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    choice = table.settle(Choice(), items("a", "b", "c"), 10)
    choice = table.move(choice, items("a", "b", "c"), 1)
    choice = table.settle(choice, items("z", "a", "b", "c"), 10)
    assert choice.cursor == ("docker", "b")
    assert choice.index == 2


def test_when_its_row_is_gone_the_cursor_takes_the_next() -> None:
    choice = table.settle(Choice(cursor=("docker", "c"), index=2), items("a", "b"), 10)
    assert choice.cursor == ("docker", "b")


@given(st.integers(0, 50), st.integers(1, 60), st.integers(1, 20))
def test_the_cursor_is_always_inside_the_window(index: int, count: int, height: int) -> None:
    rows = items(*(f"n{i}" for i in range(count)))
    choice = table.settle(Choice(index=index), rows, height)
    assert choice.offset <= choice.index < choice.offset + height


def test_sorting_puts_what_is_not_known_last() -> None:
    rows = [
        Item("d", Row("a", "a", ("a", "x", None, ""))),
        Item("d", Row("b", "b", ("b", "x", 2.0, ""))),
        Item("d", Row("c", "c", ("c", "x", 9.0, ""))),
    ]
    order = table.arrange(rows, COLUMNS, Choice(sort="cpu", reverse=True))
    assert [item.row.name for item in order] == ["c", "b", "a"]


def test_a_filter_looks_at_names_and_cells_in_any_case() -> None:
    assert [
        i.row.name for i in table.arrange(items("api", "web"), COLUMNS, Choice(filter="AP"))
    ] == ["api"]


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 60))
def test_spreading_two_ends_gives_exactly_the_width(left: str, right: str, width: int) -> None:
    left, right = (text if text.isprintable() else "x" for text in (left, right))
    assert width_of(fitted(spread([(left, "")], [(right, "")], width), width)) == width
