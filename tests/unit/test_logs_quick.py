"""What looks at many lines at once finds what looking at each of them finds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs._buckets import Bucket, Part, Sum, largest_of, shrinking, thinning
from warroom.logs.filters import Page, Query, parse_filter
from warroom.logs.keys import merged
from warroom.logs.level import LogLevel, level_of
from warroom.logs.patterns import SEEN_LEAST, SafePattern
from warroom.logs.suspects import bad_answers
from warroom.logs.weights import COUNT_SHIFT

ONE = 1 << COUNT_SHIFT
STATUSES = st.lists(st.sampled_from((200, 204, 301, 404, 499, 500, 503)), min_size=1, max_size=40)
WORDS = st.sampled_from(
    (b"order", b"Order", b"ord", b"er", b"7", b" ", b"id=", b"\xc3\xa4", b"[x]")
)
LINES = st.lists(st.lists(WORDS, max_size=6).map(b"".join), min_size=1, max_size=60)


def access(status: int, path: bytes = b"/cart") -> bytes:
    return b'203.0.113.7 - - [21/Nov/2026:14:35:02 +0000] "GET %b HTTP/1.1" %d 5 "-" "curl"' % (
        path,
        status,
    )


def page_of(lines: list[bytes]) -> Page:
    return Page(b"".join(line + b"\n" for line in lines), lambda _: 0)


def picked(lines: list[bytes], text: str) -> list[int]:
    query = Query((parse_filter(text),))
    return list(query.pick(page_of(lines), range(len(lines))))


@settings(deadline=None, max_examples=100)
@given(STATUSES)
def test_access_lines_are_as_bad_as_their_status(statuses: list[int]) -> None:
    lines = [access(status) for status in statuses]
    for least in list(LogLevel)[1:]:
        bad = [index for index, line in enumerate(lines) if level_of(line) >= least]
        assert bad_answers(page_of(lines).data, len(lines), least) is not None
        assert picked(lines, f"level:{least.word}") == bad


@pytest.mark.parametrize(
    "other", [b"ERROR: no request", b"", access(500, b"/" + b"x" * 2000), b'x HTTP/1.1" 5']
)
def test_a_line_that_says_no_answer_in_time_has_all_of_them_read(other: bytes) -> None:
    lines = [access(200), other, access(502)]
    assert bad_answers(page_of(lines).data, len(lines), LogLevel.ERROR) is None
    wanted = [index for index, line in enumerate(lines) if level_of(line) >= LogLevel.ERROR]
    assert picked(lines, "level:error") == wanted


@settings(deadline=None, max_examples=200)
@given(LINES, st.sampled_from(("order", "Order", "er", "ä", "7")))
def test_a_text_is_found_whether_few_or_all_lines_hold_it(lines: list[bytes], text: str) -> None:
    needle, small = text.encode(), text == text.lower()
    for quiet in (0, 40 * len(lines)):
        shown = [*lines, *[b"-"] * quiet]
        held = [
            index
            for index, line in enumerate(shown)
            if needle in (line.decode("utf-8", "replace").lower().encode() if small else line)
        ]
        assert picked(shown, text) == held


@settings(deadline=None, max_examples=200)
@given(
    LINES, st.sampled_from((r"id=\d", r"ord.*7", r"(order|id)", r"[o]rd+er", r"Ord\w*", r"x?er"))
)
def test_a_pattern_finds_with_its_literal_what_it_finds_without(
    lines: list[bytes], text: str
) -> None:
    pattern = SafePattern(text)
    shown = [line.lower() if pattern.folded else line for line in lines]
    assert picked(lines, f"re:{text}") == [
        index for index, line in enumerate(shown) if pattern.search(line)
    ]


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        (r"timed.*out", b"timed"), (r"id=\d+5 ", b"id="), (r"(a|b)c+", b""),
        (r"up(stre)?am", b"up"), (r"(?i)order", b""), (r"(upstream) x", b"upstream x"),
        (r"[xy]", b""),
    ],
)  # fmt: skip
def test_what_every_match_must_hold_is_known(text: str, literal: bytes) -> None:
    assert SafePattern(text).literal == literal


def test_a_pattern_that_tries_much_is_tried_on_fewer_lines_at_a_time() -> None:
    assert SafePattern("plain").step > SafePattern(r"\d+-\d+-\w+x").step >= 16
    assert SafePattern("plain").seen > SEEN_LEAST


def test_keys_are_given_up_in_steps_and_what_is_left_is_the_same() -> None:
    weights = {b"%d" % n: (1 + n % 7) * ONE for n in range(9000)} | {b"": 3 * ONE}
    open_one, closed = Bucket(0.0), Bucket(0.0)
    for bucket in (open_one, closed):
        bucket.counts["ip"].update(weights)
    for steps in (thinning(open_one, "ip", 3000), shrinking(closed, "ip", 3000)):
        assert sum(1 for _ in steps) > 5
    assert closed.counts == open_one.counts
    assert closed.short == open_one.short
    assert 0 < len(closed.counts["ip"]) <= 3001
    assert closed.counts["ip"][b""] == 3 * ONE


def test_what_is_counted_between_the_steps_is_short_by_no_more_than_is_told() -> None:
    bucket, asked = Bucket(0.0), Counter[bytes]()

    def ask(*keys: bytes) -> None:
        bucket.add("ip", keys, [ONE] * len(keys))
        asked.update(keys)

    ask(*(b"%d" % n for n in range(9000) for _ in range(1 + n % 7)))
    for step, _ in enumerate(thinning(bucket, "ip", 3000)):
        ask(b"new", b"%d" % step, b"%d" % (8999 - step))
    left = {key: weight // ONE for key, weight in bucket.counts["ip"].items()}
    assert bucket.short["ip"] == 5
    assert left[b"new"] == asked[b"new"], "it came when what is given up was known already"
    assert all(left.get(key, 0) <= n <= left.get(key, 0) + 5 for key, n in asked.items())
    assert len(left) < 3100


@pytest.mark.parametrize("most", [1, 3, 40_000])
@pytest.mark.parametrize("n", [1, 50])
def test_the_largest_are_found_however_much_alike_all_are(most: int, n: int) -> None:
    """Once alike, once nearly, once a few far above the others; each part has others on top."""
    summed, late, current = Sum("ip"), Bucket(0.0), Bucket(10.0)
    counts = Counter[bytes]()
    for place, bucket in enumerate((late, current)):
        for n_th in range(8000):
            key, times = b"%d" % (n_th + 3000 * place), max(1, most // (1 + n_th % 7919))
            bucket.add("ip", [key, b""], [times * ONE, ONE])
            counts[key] += times
    summed.move([late], since=0.0)
    wanted = sorted(((times, key) for key, times in counts.items()), reverse=True)[:n]
    known = [late.part("ip"), current.part("ip")]
    for parts in (known, [summed.part, known[1]], [Part(late.counts["ip"]), known[1]]):
        assert [(weight // ONE, key) for key, weight in largest_of(parts, n)] == wanted


def test_counts_of_two_processes_add_up() -> None:
    assert merged({b"a": 1, b"b": 2}, {b"b": 3, b"c": 4}) == {b"a": 1, b"b": 5, b"c": 4}
    assert merged({}, {b"a": 1}) == merged({b"a": 1}, {}) == {b"a": 1}
