"""Rows of the logs are as wide as their pane, cell by cell, and say what they leave out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from warroom.logs.decode import decode
from warroom.logs.fold import Entry
from warroom.logs.ring import Raw
from warroom.tui.panes.log_rows import Look, first_of, row_lines
from warroom.tui.widgets.lines import Line, width_of


def drawn(text: str, width: int, *, wrap: bool) -> list[Line]:
    raw = Raw(7, 0, 0.0, text.encode(), len(text.encode()))
    look = Look(width, ZoneInfo("UTC"), ("api", "db"), wrap=wrap)
    one = decode(raw)
    return row_lines(Entry((raw,)), one, one.text, look)


def said(lines: list[Line]) -> str:
    return "".join("".join(text for text, _ in line[-1:]) for line in lines)


@given(st.text(st.sampled_from("ab 日本😀é")), st.integers(40, 90))
def test_a_wrapped_line_stands_whole_within_the_pane(text: str, width: int) -> None:
    lines = drawn(text, width, wrap=True)
    assert all(width_of(line) <= width for line in lines)
    assert said(lines) == decode(Raw(1, 0, 0.0, text.encode(), 0)).text


@pytest.mark.parametrize("letter", ["x", "漢"])
def test_of_a_line_too_long_to_be_wrapped_whole_the_rest_is_counted(letter: str) -> None:
    lines = drawn(letter * 9000, 60, wrap=True)
    wide = 60 - 14
    per_line = wide // cell_len(letter)
    assert len(lines) == 41
    assert lines[-1][-1][0] == f"  {9000 - 40 * per_line:,} more characters: enter"


def test_what_has_no_place_above_the_lines_is_counted() -> None:
    faults: list[Line] = [[(f"fault {n}", "")] for n in range(5)]
    assert first_of(faults, 5) == faults
    assert first_of(faults, 3) == [*faults[:2], [(" … and 3 more", "degraded")]]
    assert first_of(faults, 1) == [[(" 5 faults: make the pane higher, with z", "degraded")]]
