"""What the public need not know is marked, and what is harmless is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import at_most
from warroom.reports.disclosure import hints


@pytest.mark.parametrize(
    ("text", "marked", "what"),
    [
        ("db at 10.0.0.7 is full", "10.0.0.7", "an IP address"),
        ("at 10.0.0.7.", "10.0.0.7", "an IP address"),
        ("at 2001:db8::7 too", "2001:db8::7", "an IP address"),
        ("ask dana@shop.example now", "dana@shop.example", "an e-mail address"),
        ("see https://wiki.internal/x?y now", "https://wiki.internal/x?y", "an address"),
        ("db1.prod.internal is down", "db1.prod.internal", "a host's name"),
        ("password=hunter2 was leaked", "password=hunter2", "a secret, perhaps"),
        ("Orders-DB is slow", "Orders-DB", "an internal name"),
        ("is the pool is too small?", "the pool is too small", "from an internal entry"),
    ],
)  # fmt: skip
def test_it_is_marked_where_it_stands(text: str, marked: str, what: str) -> None:
    (hint,) = hints(text, ["orders-db", "a"], ["secret talk\nthe pool is too small\n"])
    assert (text[hint.start : hint.end], hint.what) == (marked, what)


@pytest.mark.parametrize(
    "text",
    [
        "We are looking into this: Checkout answers 502.",
        "It began at 14:35 CET (13:35 UTC). We will say more by 15:05 CET (14:05 UTC).",
        "From 14:35:02 to 15:10:59, about 35 min., i.e. 99.9 % of version 2.10.1 users.",
        "Payments, e.g. by card, work. Orders do not.",
    ],
)
def test_an_ordinary_update_is_not_marked(text: str) -> None:
    assert [text[h.start : h.end] for h in hints(text) if h.what != "a host's name"] == []
    assert not [h for h in hints(text) if text[h.start : h.end] not in ("i.e", "e.g")]


@given(st.text(), st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(), max_size=3))
def test_marks_lie_within_the_text_in_order_and_apart(
    text: str, names: list[str], entries: list[str]
) -> None:
    place = 0
    for hint in hints(text, names, entries):
        assert place <= hint.start < hint.end <= len(text)
        place = hint.end


@pytest.mark.parametrize("piece", ["a.", "a@", "1.", "a:", "a-", "aa://", "password:", "x"])
def test_no_text_takes_long_to_look_through(piece: str) -> None:
    with at_most(3.0):
        hints(piece * 5_000_000, ["name"], ["entry"])
