"""A pane's view: filters while lines arrive, stands still when paused, finds the next error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs import patterns
from warroom.logs.filters import BadFilter, Query, parse_filter
from warroom.logs.ring import BLOCK_SIZE, LogRing, Raw
from warroom.logs.split import batch_of
from warroom.logs.view import LogView

NAMES = ("nginx", "api", "db")


class Pane:
    """A view over a ring of its own."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self.ring = LogRing(limit)
        self.view = LogView(self.ring)

    def arrive(self, *lines: bytes, source: int = 0, at: float = 100.0) -> None:
        self.ring.append(source, at, batch_of(list(lines)))

    def filter(self, *ins: str, out: tuple[str, ...] = ()) -> None:
        query = Query(
            tuple(parse_filter(text, NAMES) for text in ins),
            tuple(parse_filter(text, NAMES) for text in out),
        )
        self.view.filter(query)
        self.settle()

    def settle(self) -> None:
        while self.view.work(1.0):
            pass

    def shows(self, height: int = 10) -> list[str]:
        return [line.text for line in self.view.lines(height)]


def test_the_newest_lines_are_shown_until_somebody_pauses() -> None:
    pane = Pane()
    pane.arrive(b"one", b"two", b"three")
    assert pane.shows(2) == ["two", "three"]
    pane.view.pause()
    pane.arrive(b"four", b"five")
    assert pane.shows(2) == ["two", "three"]
    assert pane.view.counts(100.0).newer == 2
    pane.view.follow()
    assert pane.shows(2) == ["four", "five"]


def test_a_filter_keeps_matching_what_arrives() -> None:
    pane = Pane()
    pane.arrive(b"GET /a 200", b"GET /b 502", b"GET /c 200")
    pane.filter("502")
    assert pane.shows() == ["GET /b 502"]
    pane.arrive(b"GET /d 502", b"GET /e 200")
    pane.settle()
    assert pane.shows() == ["GET /b 502", "GET /d 502"]
    counts = pane.view.counts(100.0)
    assert (counts.matched, counts.total, counts.complete) == (2, 5, True)


def test_filters_in_and_out_hold_together() -> None:
    pane = Pane()
    pane.arrive(b"GET /health 200", b"GET /cart 500", b"POST /cart 500", b"GET /health 500")
    pane.filter("500", "get", out=("/health",))
    assert pane.shows() == ["GET /cart 500"]


def test_small_letters_match_either_case_and_capitals_only_themselves() -> None:
    pane = Pane()
    pane.arrive(b"Error: x", b"ERROR: y", "ÄRGER".encode(), b"fine")
    pane.filter("error")
    assert pane.shows() == ["Error: x", "ERROR: y"]
    pane.filter("ERROR")
    assert pane.shows() == ["ERROR: y"]
    pane.filter("ärger")
    assert pane.shows() == ["ÄRGER"]


def test_fields_filter_by_level_status_and_source() -> None:
    pane = Pane()
    pane.arrive(b'::1 - - [t] "GET / HTTP/1.1" 502 5', b'::1 - - [t] "GET / HTTP/1.1" 200 5')
    pane.arrive(b"FATAL: too many connections", source=2)
    pane.filter("status:5xx")
    assert len(pane.shows()) == 1
    pane.filter("level:error")
    assert len(pane.shows()) == 2
    pane.filter("level:fatal", "source:db")
    assert pane.shows() == ["FATAL: too many connections"]


@pytest.mark.parametrize("text", ["", "re:(a+)+", "level:loud", "source:nobody", "re:(", "a\nb"])
def test_a_filter_that_cannot_be_used_says_why_in_one_line(text: str) -> None:
    with pytest.raises(BadFilter) as refused:
        parse_filter(text, NAMES)
    assert str(refused.value)
    assert "\n" not in str(refused.value)


def test_colours_do_not_hide_a_text_from_its_filter() -> None:
    pane = Pane()
    pane.arrive(b"\x1b[31mER\x1b[1mROR\x1b[0m: pool", b"ok")
    pane.filter("ERROR: pool")
    assert pane.shows() == ["ERROR: pool"]


def test_scrolling_moves_by_shown_lines_and_the_end_follows_again() -> None:
    pane = Pane()
    pane.arrive(*[b"%d %s" % (n, b"hit" if n % 2 else b"miss") for n in range(100)])
    pane.filter("hit")
    pane.view.scroll(-3, 4)
    assert pane.shows(4) == ["87 hit", "89 hit", "91 hit", "93 hit"]
    pane.view.scroll(1, 4)
    assert pane.shows(4) == ["89 hit", "91 hit", "93 hit", "95 hit"]
    pane.view.scroll(-1000, 4)
    assert pane.shows(4) == ["1 hit", "3 hit", "5 hit", "7 hit"]
    pane.view.scroll(1000, 4)
    assert pane.view.following
    pane.view.top(4)
    assert pane.shows(4)[0] == "1 hit"


def test_a_paused_view_says_how_many_lines_fell_out_and_shows_what_is_left() -> None:
    pane = Pane(limit=4 * BLOCK_SIZE)
    pane.arrive(b"old")
    pane.view.pause()
    for n in range(3000):
        pane.arrive(b"%d " % n + b"x" * 1000, at=float(n))
    assert pane.view.counts(3000.0).fallen == pane.ring.evicted > 0
    assert len(pane.shows(5)) == 5


def test_an_unfinished_line_stands_under_the_newest() -> None:
    pane = Pane()
    pane.arrive(b"whole")
    pane.ring.tails[0] = Raw(2, 0, 100.0, b"panic: no end", 13)
    assert [(line.text, line.partial) for line in pane.view.lines(5)] == [
        ("whole", False),
        ("panic: no end", True),
    ]
    pane.filter("whole")
    assert pane.shows() == ["whole"]


def test_errors_are_found_in_both_directions_within_what_is_shown() -> None:
    pane = Pane()
    pane.arrive(b"ERROR a", b"info", b"ERROR b", b"info", b"ERROR c")
    assert pane.view.next_error(2).number == 3
    assert pane.view.next_error(2, step=-1).number == 1
    assert pane.view.next_error(6).number is None
    pane.filter("c")
    assert pane.view.next_error(1).number == 5


def test_a_time_finds_the_first_shown_line_that_arrived_then_or_later() -> None:
    pane = Pane(limit=4 * BLOCK_SIZE)
    for n in range(3000):
        pane.arrive(b"%d " % n + b"x" * 1000, b"hit %d" % n, at=float(n))

    def found(at: float) -> str | None:
        raw = pane.view.since(at)
        return None if raw is None else raw.data[:8].decode().strip("x")

    assert found(2990.0) == "2990 "
    assert found(2990.5) == "2991 "
    assert found(3000.0) is None
    pane.filter("hit")
    assert found(2990.0) == "hit 2990"
    oldest, first = pane.view.oldest(), pane.view.since(0.0)
    assert oldest is not None
    assert first is not None
    assert oldest.number == first.number > 1


def test_a_search_gives_the_console_back_in_time_and_goes_on() -> None:
    pane = Pane()
    for n in range(100):
        pane.arrive(*[b"x" * 100] * 1000, at=float(n))
    pane.arrive(b"needle")
    query = Query((parse_filter("needle"),))
    seek, calls = pane.view.seek(query, 1, 1, budget_s=0.0), 1
    while seek.resume is not None:
        seek, calls = pane.view.seek(query, seek.resume, 1, budget_s=0.0), calls + 1
    assert seek.number == 100_001
    assert calls > 10


def test_the_newest_matches_are_there_before_the_history_is_matched() -> None:
    pane = Pane()
    for n in range(200):
        pane.arrive(*[b"%d hit " % n + b"x" * 100] * 1000, at=float(n))
    pane.view.filter(Query((parse_filter("hit"),)))
    assert pane.view.work(0.0), "one slice cannot match 200,000 lines"
    assert pane.shows(2)[-1].startswith("199 hit")
    assert not pane.view.counts(200.0).complete


def test_a_pattern_that_is_slow_on_a_line_is_taken_off_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "TOO_SLOW_S", 0.0)
    pane = Pane()
    pane.arrive(b"w" * 60_000, b"short")
    pane.filter(r"re:\w*\w*[xy]")
    assert pane.view.fault == "the pattern took too long on hostile lines and was taken off"
    assert pane.shows()[-1] == "short"


WORDS = st.lists(st.sampled_from([b"a", b"B", b"ab", b"\xff", b"c", b"1"]), max_size=4)
LINES = st.lists(WORDS.map(b" ".join), max_size=30)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), LINES), max_size=8),
    st.sampled_from(["a", "B", "ab", "re:a|b", "re:a.*1", "source:api", "level:error", "c"]),
    st.sampled_from(["", "b", "re:^a", "source:db", "1"]),
    st.integers(0, 8),
)
def test_a_filter_shows_what_a_plain_search_of_every_line_finds(
    arrivals: list[tuple[int, list[bytes]]], wanted: str, unwanted: str, before: int
) -> None:
    pane = Pane()
    for at, (source, lines) in enumerate(arrivals[:before]):
        pane.arrive(*lines, source=source, at=float(at))
    pane.filter(wanted, out=(unwanted,) if unwanted else ())
    for at, (source, lines) in enumerate(arrivals[before:]):
        pane.arrive(*lines, source=source, at=float(before + at))
    pane.settle()
    expected = [
        raw.number
        for raw in pane.ring.forward(0)
        if plainly(wanted, raw) and not (unwanted and plainly(unwanted, raw))
    ]
    assert [line.number for line in pane.view.lines(10_000)] == expected
    assert pane.view.counts(0.0).matched == len(expected)


def plainly(text: str, raw: Raw) -> bool:
    """The same condition, written the slow way."""
    kind, _, value = text.partition(":")
    if kind == "re":
        return bool(re.search(value.encode(), raw.data, re.IGNORECASE))
    if kind == "source":
        return NAMES[raw.source] == value
    if kind == "level":
        return False
    data = raw.data if text != text.lower() else raw.data.lower()
    return text.encode() in data
