"""The preview marks exactly what the hints name, wherever the lines break."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warroom.reports.disclosure import Hint, hints
from warroom.tui.screens.preview import marked


def shown(text: str, found: tuple[Hint, ...], width: int) -> tuple[str, str]:
    """All that is shown, and all of it that is marked, without spaces."""
    spans = [span for line in marked(text, found, width) for span in line]
    every = "".join(part for part, _ in spans)
    set_off = "".join(part for part, style in spans if style)
    return every.replace(" ", ""), set_off.replace(" ", "")


def test_a_mark_goes_on_over_the_end_of_a_line() -> None:
    text = "see https://a.example/long/path/to/x at 10.0.0.7\nand 10.0.0.8"
    every, set_off = shown(text, hints(text), 12)
    assert every == "".join(text.split())
    assert set_off == "https://a.example/long/path/to/x10.0.0.710.0.0.8"


words = st.sampled_from(["10.0.0.7", "a", "db1.internal", "\n", " ", "  ", "x" * 30, "dana"])


@given(st.lists(words, max_size=30), st.integers(8, 40))
def test_nothing_is_left_out_and_nothing_else_is_marked(parts: list[str], width: int) -> None:
    text = " ".join(parts)
    found = hints(text, ["dana"])
    every, set_off = shown(text, found, width)
    assert every == "".join(text.split())
    assert set_off == "".join(text[hint.start : hint.end] for hint in found)
