"""Of an option, what it does is told before what is noted beside it."""

from __future__ import annotations

from warroom.tui.screens.choose import ChooseBody
from warroom.tui.screens.dialogs import Option


def lines_of(option: Option, width: int) -> str:
    body = ChooseBody("take", [option], 0, "enter choose")
    return "".join(text for text, _ in body._option(0, width))


def test_a_long_note_gives_way_to_the_option() -> None:
    line = lines_of(Option("copy", "copy the selected", "ERROR " * 20, "y"), 40)
    assert line.startswith(" y copy the selected  ERROR") and len(line) == 40


def test_what_both_fit_is_at_the_two_ends() -> None:
    line = lines_of(Option("p1", "P1  High", "tells engineering", "1"), 40)
    assert line.startswith(" 1 P1  High ") and line.endswith("  tells engineering")
