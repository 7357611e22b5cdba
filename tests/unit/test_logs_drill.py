"""A part of the requests is counted as exactly as all of them: what was kept first, then what
comes; and the range that explains a flood is found, whatever its size."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs.columns import Columns, Layout, columns
from warroom.logs.drill import Chip, Chosen, Drill, parse_chips
from warroom.logs.explain import explained
from warroom.logs.filters import BadFilter, Page, Query, parse_filter
from warroom.logs.formats.web import COMBINED, VHOST
from warroom.logs.ring import LogRing
from warroom.logs.split import Splitter
from warroom.logs.talkers import BUCKET_S, Talkers

START = 1_795_268_100.0
LAYOUT = Layout(COMBINED)
LINE = '{} - - [21/Nov/2026:14:35:02 +0000] "{} {} HTTP/1.1" {} 7 "-" "{}"\n'
Asked = tuple[str, str, str, int, str]


def text(*requests: Asked) -> bytes:
    return "".join(LINE.format(*request) for request in requests).encode()


def read(_: int, data: bytes) -> Columns:
    return columns(data, LAYOUT)


class Edge:
    """An edge whose lines are kept and counted as they come."""

    def __init__(self, limit: int = 1 << 24) -> None:
        self.ring, self.talkers = LogRing(limit), Talkers(START)

    def come(self, data: bytes, at: float) -> None:
        batch = Splitter().feed(data)
        assert batch is not None
        self.ring.append(0, at, batch)
        self.talkers.feed(read(0, data), at)

    def drill(self, *chips: Chip, begins: int = 0) -> Drill:
        """Filled at once; lines may come between its steps elsewhere."""
        drill = self.talkers.drill = Drill(chips, self.talkers)
        for _ in drill.fill(self.ring, read, lambda _: begins):
            pass
        return drill


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["203.0.113.7", "203.0.113.8", "2001:db8::1"]),
        st.sampled_from(["GET", "POST"]),
        st.sampled_from(["/user/1", "/user/2?x", "/cart"]),
        st.sampled_from([200, 502]),
        st.sampled_from(["curl/8", "Mozilla/5.0 (X11)"]),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), REQUESTS), max_size=10), st.integers(0, 10))
def test_a_part_is_counted_as_a_plain_recount_of_its_lines_does(
    arrivals: list[tuple[int, list[Asked]]], opened: int
) -> None:
    edge, seen, now = Edge(), [], START
    drill = None
    for turn, (later, requests) in enumerate(arrivals):
        if turn == opened:
            drill = edge.drill(Chip("ip", "203.0.113.7"), Chip("path", "/user/*"))
        now += later
        if requests:
            edge.come(text(*requests), now)
        seen += [(now, r) for r in requests if r[0] == "203.0.113.7" and "/user" in r[2]]
    drill = drill or edge.drill(Chip("ip", "203.0.113.7"), Chip("path", "/user/*"))
    for window in (60, 0):
        since = now // BUCKET_S * BUCKET_S - window if window else 0
        inside = [request for at, request in seen if at >= since]
        for by, place in (("method", 1), ("agent", 4)):
            found = drill.talkers.ranking(by, 9, now=now, window_s=window)  # type: ignore[arg-type]
            plain = Counter(str(request[place]) for request in inside)
            assert {t.key: t.count for t in found.talkers} == plain
        assert sum(found.by_status.values()) == len(inside)


def test_lines_that_come_while_it_is_filled_are_counted_once() -> None:
    edge = Edge()
    asked: Asked = ("203.0.113.7", "GET", "/a", 200, "x")
    for turn in range(20):
        edge.come(text(*[asked] * 900), START + turn)  # more than one block
    drill = edge.talkers.drill = Drill([Chip("ip", "203.0.113.7")], edge.talkers)
    steps = 0
    for _ in drill.fill(edge.ring, read, lambda _: 0):
        steps += 1
        if steps < 5:
            edge.come(text(asked), START + 20)
    edge.come(text(asked), START + 21)
    assert steps > 5
    assert drill.talkers.requests == 20 * 900 + 4 + 1
    assert drill.talkers.requests == edge.talkers.requests


def test_to_look_while_it_is_filled_moves_no_line_of_before_into_now() -> None:
    edge = Edge()
    asked: Asked = ("203.0.113.7", "GET", "/a", 200, "x")
    for turn in range(20):
        edge.come(text(*[asked] * 900), START + 30 * turn)  # ten minutes, more than one block
    now = START + 600
    drill = edge.talkers.drill = Drill([Chip("ip", "203.0.113.7")], edge.talkers)
    for _ in drill.fill(edge.ring, read, lambda _: 0):
        assert drill.talkers.ranking("path", 1, now=now).total == 0
    looked = drill.talkers.ranking("path", 1, now=now)
    assert looked.total == edge.talkers.ranking("ip", 1, now=now).total == 2 * 900
    assert looked.talkers[0].first_seen == START


def test_what_was_there_before_following_began_is_not_counted() -> None:
    edge = Edge()
    edge.come(text(*[("203.0.113.7", "GET", "/old", 200, "x")] * 5), START)
    edge.come(text(("203.0.113.7", "GET", "/new", 200, "x")), START + 1)
    drill = edge.drill(Chip("ip", "203.0.113.7"), begins=6)
    assert [t.key for t in drill.talkers.top("path", 9, now=START + 2)] == ["/new"]


def test_it_says_since_when_it_is_complete_where_lines_fell_out() -> None:
    edge = Edge(limit=100_000)
    for turn in range(60):
        edge.come(text(*[("203.0.113.7", "GET", "/a", 200, "x")] * 100), START + turn)
    drill = edge.drill(Chip("method", "GET"))
    assert edge.ring.evicted
    assert START < drill.since <= START + 59
    kept = edge.ring.count
    assert drill.talkers.requests == kept
    rate = drill.talkers.ranking("ip", 1, now=START + 60, window_s=0).rate
    assert rate == pytest.approx(kept / (START + 60 - drill.since))


def test_hosts_are_known_where_the_format_says_them_and_not_guessed() -> None:
    plain = text(("203.0.113.7", "GET", "/a", 200, "x"))
    two = b"shop.example:443 " + plain + b"api.example:443 " + plain
    talkers = Talkers(START)
    talkers.feed(columns(two, Layout(VHOST)), START)
    talkers.feed(read(0, plain), START)
    found = talkers.ranking("host", 9, now=START + 1)
    assert {t.key for t in found.talkers} == {"shop.example:443", "api.example:443"}
    assert (found.total, found.unknown) == (3, 1)
    chosen = Chosen([Chip("host", "api.example:443")])
    assert chosen.places_in(columns(two, Layout(VHOST))) == [1]
    assert chosen.places_in(read(0, plain)) == []


# Which range ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crowd", "range"),
    [
        ([f"203.0.113.{n}" for n in range(200)], "203.0.113.0/24"),
        ([f"203.0.{n}.{n}" for n in range(200)], "203.0.0.0/16"),
        ([f"2001:db8:1:2::{n:x}" for n in range(200)], "2001:db8:1:2::/64"),
        ([f"2001:db8:1:{n:x}::1" for n in range(200)], "2001:db8:1::/48"),
        ([f"2001:db8:{n:x}::1" for n in range(200)], "2001:db8::/32"),
    ],
)
def test_the_range_behind_a_flood_is_found_at_its_own_size(crowd: list[str], range: str) -> None:
    talkers = Talkers(START)
    for client in [*crowd, *(f"{n}.9.9.9" for n in (1, 5, 9, 44, 80) * 10)]:
        talkers.feed(read(0, text((client, "GET", "/", 200, "x"))), START)
    found = asyncio.run(explained(talkers, now=START + 1))
    assert found is not None
    assert (found.talker.key, found.talker.count) == (range, 200)
    assert found.holds(crowd[0])
    assert not found.holds("1.9.9.9")


def test_neither_one_busy_client_nor_everybody_is_explained_by_a_range() -> None:
    talkers = Talkers(START)
    for _ in range(50):
        talkers.feed(read(0, text(("203.0.113.7", "GET", "/", 200, "x"))), START)
    assert asyncio.run(explained(talkers, now=START + 1)) is None
    for n in range(200):
        talkers.feed(read(0, text((f"{n}.{n}.9.9", "GET", "/", 200, "x"))), START)
    assert asyncio.run(explained(talkers, now=START + 1)) is None


# Before the incident --------------------------------------------------------------------------


def test_what_grew_is_seen_against_what_was_usual_before() -> None:
    talkers = Talkers(START)
    usual: Asked = ("198.51.100.7", "GET", "/", 200, "x")
    fresh: Asked = ("203.0.113.7", "GET", "/", 200, "x")
    for second in range(120):
        talkers.feed(read(0, text(*[usual] * 5)), START + second)
    began = START + 120
    for second in range(120, 180):
        talkers.feed(read(0, text(*[usual] * 5, *[fresh] * 3)), START + second)
    before = talkers.before(began, now=START + 180)
    assert before is not None
    rates = {t.key: before.rate("ip", t) for t in talkers.top("ip", 9, now=START + 180)}
    assert rates == {"198.51.100.7": pytest.approx(5.0), "203.0.113.7": 0.0}
    new = {t.key: before.is_new("ip", t) for t in talkers.top("ip", 9, now=START + 180)}
    assert new == {"198.51.100.7": False, "203.0.113.7": True}


def test_half_a_minute_is_the_least_to_tell_what_is_usual_and_what_is_forgotten_is_not_known() -> (
    None
):
    talkers = Talkers(START)
    for second in range(0, 3000, 10):
        talkers.feed(read(0, text(("203.0.113.7", "GET", "/", 200, "x"))), START + second)
    assert talkers.before(START + 20, now=START + 3000) is None
    assert talkers.before(START + 2100, now=START + 3000) is None, "its buckets are gone"
    late = talkers.before(START + 2900, now=START + 3000)
    assert late is not None
    assert late.span_s <= 900
    (talker,) = talkers.top("ip", 1, now=START + 3000)
    assert late.rate("ip", talker) == pytest.approx(0.1, rel=0.05)


# As a filter ----------------------------------------------------------------------------------


class Known:
    """Every log is a combined one."""

    def read(self, index: int, data: bytes) -> Columns:
        return columns(data, LAYOUT)

    def chosen(self, chips: tuple[Chip, ...]) -> Chosen:
        return Chosen(chips)


@given(
    REQUESTS.filter(bool),
    st.lists(st.sampled_from(["ip", "path", "method", "status", "agent", "range"]), min_size=1),
)
def test_the_filter_keeps_the_lines_that_are_counted(requests: list[Asked], by: list[str]) -> None:
    data = text(*requests)
    found = read(0, data)
    keys = {
        "ip": "203.0.113.7", "path": "/user/*", "method": "GET", "status": "502",
        "agent": "Mozilla/5.0 (X11)", "range": "203.0.113.0/24",
    }  # fmt: skip
    chips = [Chip(one, keys[one]) for one in dict.fromkeys(by)]  # type: ignore[arg-type]
    written = " ".join(map(str, chips))
    assert parse_chips(written) == tuple(chips)
    query = Query((parse_filter(written, (), Known()),))  # type: ignore[arg-type]
    page = Page(data, lambda _: 0)
    assert list(query.pick(page, range(len(requests)))) == Chosen(chips).places_in(found)


def test_a_text_with_a_colon_stays_a_text_and_a_country_wants_its_database() -> None:
    known = Known()
    for written in ("upstream: timed out", "http://x", "path: /a", "path:/a and more", ":x"):
        found = parse_filter(written, (), known)  # type: ignore[arg-type]
        assert type(found).__name__ == "TextFilter"
    with pytest.raises(BadFilter, match=r"\.mmdb"):
        parse_filter("country:DE", (), known)  # type: ignore[arg-type]


HOSTILE = [
    "\x1b[2J", "[/x]", "[@click=app.bell]x[/]", "\u202egnp", "a b", 'quo"te', "back\\slash", "\x9b",
]  # fmt: skip


@pytest.mark.parametrize("agent", HOSTILE, ids=ascii)
def test_a_hostile_key_comes_out_harmless_and_finds_its_lines_again(agent: str) -> None:
    escaped = agent.replace("\\", "\\\\").replace('"', '\\"')
    data = text(("203.0.113.7", "GET", "/", 200, escaped), ("203.0.113.7", "GET", "/", 200, "x"))
    talkers = Talkers(START)
    talkers.feed(read(0, data), START)
    key = next(t.key for t in talkers.top("agent", 2, now=START + 1) if t.key != "x")
    assert key.isprintable()
    written = str(Chip("agent", key))
    query = Query((parse_filter(written, (), Known()),))  # type: ignore[arg-type]
    assert list(query.pick(Page(data, lambda _: 0), range(2))) == [0]
