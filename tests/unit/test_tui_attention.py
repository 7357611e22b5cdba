"""Keys that nobody meant confirm nothing."""

from __future__ import annotations

import pytest

from warroom.tui.attention import EARLY, PIECE, STOOD, Attention

DEAF = 0.4


class Hands:
    """Somebody at a keyboard, with a clock of their own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.attention = Attention(lambda: self.now)
        self.attention.shown()

    def waits(self, seconds: float, *, stopped: bool = False) -> None:
        end = self.now + seconds
        while not stopped and self.now + 0.1 < end:
            self.now += 0.1
            self.attention.tick()
        self.now = end

    def types(self, text: str, each: float = 0.08) -> str:
        for _ in text:
            self.now += each
            self.attention.key(self.now)
        return self.attention.doubt(text.removesuffix("\r"), DEAF)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_what_is_typed_at_once_is_too_early(hands: Hands) -> None:
    assert hands.types("\r") == EARLY


def test_what_was_typed_before_it_was_shown_stays_too_early_however_late_it_is_read(
    hands: Hands,
) -> None:
    typed = hands.now - 0.1
    hands.waits(3)
    hands.attention.key(typed)
    assert hands.attention.doubt("", DEAF) == EARLY
    assert hands.types("\r") == "", "and the next press is its own"


def test_what_is_read_and_then_typed_is_meant(hands: Hands) -> None:
    hands.waits(1)
    assert hands.types("db7\r") == ""


def test_a_word_that_came_in_one_piece_is_not_typed(hands: Hands) -> None:
    hands.waits(1)
    assert hands.types("shop-api\r", each=0.001) == PIECE


def test_keys_typed_while_the_console_was_stopped_count_for_nothing(hands: Hands) -> None:
    hands.waits(1)
    hands.waits(5, stopped=True)
    assert hands.types("\r", each=0.001) == STOOD


def test_after_a_stop_the_card_is_read_anew(hands: Hands) -> None:
    hands.waits(1)
    hands.waits(5, stopped=True)
    hands.attention.tick()
    assert hands.types("\r", each=0.1) == STOOD
    hands.waits(1)
    assert hands.types("\r") == ""


def test_a_paste_is_never_typing(hands: Hands) -> None:
    hands.waits(1)
    hands.attention.pasted = True
    assert hands.types("db7\r") == PIECE
