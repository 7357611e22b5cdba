"""The ring keeps the newest lines of every source, and says what it dropped."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs.ring import BLOCK_SIZE, LogRing
from warroom.logs.split import batch_of


def append(ring: LogRing, source: int, *lines: bytes, at: float = 0.0) -> None:
    ring.append(source, at, batch_of(list(lines)))


def test_lines_keep_their_numbers_sources_and_times() -> None:
    ring = LogRing()
    append(ring, 0, b"one", b"two", at=1.0)
    append(ring, 1, b"three", at=2.0)
    assert (ring.first, ring.last, ring.count) == (1, 3, 3)
    three = ring.get(3)
    assert three is not None
    assert (three.data, three.source, three.at, three.number) == (b"three", 1, 2.0, 3)
    assert ring.get(0) is None
    assert ring.get(4) is None


def test_an_empty_ring_has_nothing() -> None:
    ring = LogRing()
    assert (ring.first, ring.last, ring.count) == (1, 0, 0)
    assert list(ring.backward(9)) == list(ring.forward(0)) == []


def test_a_flood_cannot_push_out_the_lines_of_a_quiet_source() -> None:
    ring = LogRing(limit=8 * BLOCK_SIZE)
    for second in range(200):
        append(ring, 1, b"database: out of connections %d" % second, at=float(second))
        append(ring, 0, *[b"GET /flood " + b"x" * 100] * 500, at=float(second))
    quiet = [raw.data for raw in ring.forward(ring.first) if raw.source == 1]
    assert quiet == [b"database: out of connections %d" % second for second in range(200)]
    assert ring.dropped.keys() == {0}
    assert ring.dropped[0] + ring.count == 200 * 501
    assert ring.size <= ring.limit


def test_the_newest_lines_of_one_source_are_found_among_others() -> None:
    ring = LogRing()
    for number in range(50):
        append(ring, number % 3, b"%d" % number, at=float(number))
    assert ring.newest(1, 3) == [b"43", b"46", b"49"]
    assert ring.newest(7, 3) == []


def test_cut_lines_remember_their_length_through_eviction_of_their_neighbours() -> None:
    ring = LogRing(limit=4 * BLOCK_SIZE)
    ring.append(1, 0.0, batch_of([b"cut"], {0: 5_000_000}))
    for _ in range(40):
        append(ring, 0, *[b"y" * 1000] * 30)
    first = ring.get(1)
    assert first is not None
    assert (first.data, first.length) == (b"cut", 5_000_000)


def test_arrivals_are_counted_from_a_time_on() -> None:
    ring = LogRing()
    for second in range(10):
        append(ring, 0, b"a", b"b", at=float(second))
    assert ring.arrived_since(7.0) == 6


ARRIVALS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(0, 3000)), max_size=60
)


@settings(deadline=None)
@given(ARRIVALS)
def test_what_is_kept_is_the_newest_of_each_source_in_order(
    arrivals: list[tuple[int, int, int]],
) -> None:
    ring = LogRing(limit=3 * BLOCK_SIZE)
    sent: list[tuple[int, int, bytes]] = []
    for at, (source, count, size) in enumerate(arrivals):
        lines = [b"%d %d " % (at, index) + b"x" * size for index in range(count)]
        sent += [(len(sent) + i + 1, source, line) for i, line in enumerate(lines)]
        append(ring, source, *lines, at=float(at))
    kept = [(raw.number, raw.source, raw.data) for raw in ring.forward(0)]
    assert kept == [(r.number, r.source, r.data) for r in ring.backward(ring.last)][::-1]
    for source in range(4):
        all_of = [line for line in sent if line[1] == source]
        kept_of = [line for line in kept if line[1] == source]
        assert kept_of == all_of[len(all_of) - len(kept_of) :]
        assert ring.dropped.get(source, 0) == len(all_of) - len(kept_of)
    for number, _, data in sent:
        found = ring.get(number)
        assert found is None or found.data == data
    assert len(kept) == ring.count
    assert {n for n, _, _ in kept} == {n for n, _, _ in sent if ring.get(n) is not None}
    newest_block = max((c * (s + 200) for _, c, s in arrivals), default=0)
    assert ring.size <= ring.limit or ring.size <= newest_block + BLOCK_SIZE
