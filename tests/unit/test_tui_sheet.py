"""A sheet says all of what it is given, however narrow the terminal is."""

from __future__ import annotations

from warroom.tui.screens.sheet import whole
from warroom.tui.widgets.lines import Line, width_of

RESULT: Line = [
    ("  result   ", "dim"),
    ("connection refused by 127.0.0.1:9 — is the service running?", "down"),
]


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def test_what_fits_is_left_as_it_is() -> None:
    assert whole([RESULT, []], 80) == [RESULT, []]


def test_a_value_too_long_goes_on_below_itself_with_nothing_cut() -> None:
    lines = [text_of(line).rstrip() for line in whole([RESULT], 50)]
    assert lines == [
        "  result   connection refused by 127.0.0.1:9 — is",
        "           the service running?",
    ]


def test_a_last_column_far_to_the_right_leaves_room_for_what_goes_on() -> None:
    line: Line = [("  15:50:07 down     refused       —  ", ""), ("connection refused", "dim")]
    lines = whole([line], 40)
    assert "".join(text_of(line).split("  ")[-1] for line in lines).endswith("refused")
    assert text_of(lines[1]).startswith("    ") and not text_of(lines[1]).startswith(" " * 5)
    assert all(width_of(line) <= 40 for line in lines)


def test_a_word_of_a_megabyte_fills_every_line_and_is_all_there() -> None:
    word = "0123456789" * 100_000
    lines = whole([[("  the line  ", "dim"), (word, "")]], 80)
    assert {width_of(line) for line in lines[:-1]} == {80}
    assert "".join(line[-1][0] for line in lines) == word
