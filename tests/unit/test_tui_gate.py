"""The last gate: whatever a widget drew, nothing that a terminal obeys gets out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from warroom.tui.gate import Gate, mask

BLACK = Color(0, 0, 0)


@given(st.text())
def test_no_control_character_passes(text: str) -> None:
    (segment,) = Gate().apply([Segment(text)], BLACK)
    assert segment.text.isprintable() or "\u200d" in segment.text or not segment.text.isascii()
    for char in segment.text:
        assert not (ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0), repr(char)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_masking_keeps_the_width(text: str) -> None:
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("203.0.113.7 asked", "203.0.113.7"),
        ("from 2001:db8::8a2e:370:7334 now", "2001:db8::8a2e:370:7334"),
        ("mail ann.b+x@example.co.uk", "ann.b+x@example.co.uk"),
        ("Authorization: Bearer-abc", "Bearer-abc"),
        ("password = hunter2", "hunter2"),
        ("?token=abc123&x=1", "abc123"),
    ],
)
def test_addresses_and_secrets_are_covered_while_sharing(text: str, hidden: str) -> None:
    assert hidden not in mask(text)
    assert "•" in mask(text)


@pytest.mark.parametrize("text", ["at 14:35:02", "00:12:41", "12.5%", "shop-api 1.2.3"])
def test_clocks_and_figures_are_not_covered(text: str) -> None:
    assert mask(text) == text
