"""Lines come out whole and the same, however a stream was cut into chunks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import at_most
from warroom.logs.split import Splitter

LIMIT = 16
STREAMS = st.lists(
    st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"x" * 15, b"y" * 40, b"\0", b"\xff"])
).map(b"".join)


def lines_of(stream: bytes, cuts: list[int]) -> tuple[list[bytes], dict[int, int], bytes]:
    splitter = Splitter(LIMIT)
    lines: list[bytes] = []
    lengths: dict[int, int] = {}
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, stop in pairwise(edges):
        batch = splitter.feed(stream[start:stop])
        assert len(batch.lines()) == batch.count
        lengths |= {len(lines) + index: length for index, length in batch.cuts.items()}
        lines += batch.lines()
    return lines, lengths, splitter.pending


@given(STREAMS, st.lists(st.integers(0, 500)))
def test_chunk_borders_change_nothing(stream: bytes, cuts: list[int]) -> None:
    assert lines_of(stream, cuts) == lines_of(stream, [])


@given(STREAMS, st.lists(st.integers(0, 500)))
def test_lines_are_what_stands_between_line_feeds_cut_at_the_limit(
    stream: bytes, cuts: list[int]
) -> None:
    whole = [line.removesuffix(b"\r") for line in stream.split(b"\n")[:-1]]
    lines, lengths, _ = lines_of(stream, cuts)
    assert lines == [line[:LIMIT] for line in whole]
    assert lengths == {i: len(line) for i, line in enumerate(whole) if len(line) > LIMIT}


def test_a_line_of_ten_megabytes_is_cut_and_its_length_remembered() -> None:
    splitter = Splitter()
    with at_most(2.0):  # it is not gone over again and again
        for _ in range(10_000):
            assert not splitter.feed(b"z" * 1000)
        batch = splitter.feed(b"\nnext\n")
    assert [len(line) for line in batch.lines()] == [64 * 1024, 4]
    assert batch.cuts == {0: 10_000_000}


def test_an_unfinished_line_waits_and_can_be_given_up_as_a_line() -> None:
    splitter = Splitter()
    assert not splitter.feed(b"panic: no line feed will come")
    assert splitter.pending == b"panic: no line feed will come"
    assert splitter.flush().lines() == [b"panic: no line feed will come"]
    assert not splitter.flush()
