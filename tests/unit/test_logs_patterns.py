"""A regular expression typed in an incident cannot hang the console."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from warroom.logs.patterns import BadPattern, SafePattern, TooSlow


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b", r"(a*)*", r"(a|aa)+b", r"(\w+\s?)*$", r"(a?){16}a{16}", r"(a{0,3}){20}b",
        r"(.)\1+", "a?" * 30 + "a" * 30, r"(a|b|ab)(c|bcd)" * 8, r"\w*\w*\w*\w*x", "x" * 300, "(",
        "a{99999999999}", "[z-a]", "(?P<n>", "*",
    ],
)  # fmt: skip
def test_patterns_that_could_hang_or_are_wrong_are_refused_in_one_line(pattern: str) -> None:
    with pytest.raises(BadPattern) as refused:
        SafePattern(pattern)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"timeout|refused", b"connect: connection refused"),
        (r"(\d{1,3}\.){3}\d{1,3}", b"client 203.0.113.7, server"),
        (r"upstream.*timed out.*checkout", b"upstream x timed out y checkout z"),
        (r"^\d+ms", b"120ms"),
        (r"status=5\d\d", b"x status=503"),
        (r"Upstream.*OUT", b"Upstream timed OUT"),
        (r"took \d+ ms", b"it took 1200 ms"),
        (r"(\w+)\s+(\w+)=(\d+)\s+\S+", b"pool  size=12  full"),
        (r'"(GET|POST) [^ ]+ [^"]+" 5\d\d', b'"POST /cart/1 HTTP/1.1" 503 7'),
    ],
)
def test_everyday_patterns_find_their_lines(pattern: str, line: bytes) -> None:
    compiled = SafePattern(pattern)
    assert compiled.search(line.lower() if compiled.folded else line)
    assert not compiled.search(b"nothing of that kind")


EVIL = [
    b"a" * 65536, b"w" * 65536, b"abc" * 20000, b"1" * 65536, b" " * 65536, b"ab" * 30000,
    b"a" * 4000 + b"b", b'"' * 65536, b"a." * 30000,
]  # fmt: skip
ATOMS = st.sampled_from(
    [
        "a", "b", r"\w", r"\d", ".", "[^x]", "a+", r"\w*", ".*", r"\s+", "a?", "(a|b)", "(ab|a)",
        "a{1,3}", "(a.){2}", "^", "$", ".*?", "(a+)", "b{0,60}", "x", "(?:ab)?",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ATOMS, min_size=1, max_size=8).map("".join), st.sampled_from(EVIL))
def test_no_accepted_pattern_takes_long_on_any_line(pattern: str, line: bytes) -> None:
    try:
        compiled = SafePattern(pattern)
    except BadPattern:
        assume(False)
    began = process_time()
    compiled.search(line)
    assert process_time() - began < 0.5


def test_lines_made_to_be_slow_stop_the_pattern_not_the_console() -> None:
    lines = [b"w" * 4096] * 1000
    began = process_time()
    with pytest.raises(TooSlow):
        SafePattern(r"\w+\s+\w+").pick(lines, range(1000))
    assert process_time() - began < 0.5


@settings(max_examples=100, deadline=None)
@given(
    st.lists(ATOMS, min_size=1, max_size=5).map("".join),
    st.text("abx1 .", max_size=12).map(str.encode),
)
def test_searching_part_by_part_finds_what_the_whole_pattern_finds(
    pattern: str, line: bytes
) -> None:
    import re

    try:
        compiled = SafePattern(pattern)
    except BadPattern:
        assume(False)
    assert compiled.search(line) == bool(re.search(pattern.encode(), line))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        ATOMS | st.sampled_from([r"\b", r"\S", r"\W", "[ab]", "|"]), min_size=1, max_size=5
    ).map("".join),
    st.lists(st.text("abx1 .", max_size=12).map(str.encode), min_size=1, max_size=40),
    st.data(),
)
def test_many_lines_at_once_are_picked_as_each_by_itself(
    pattern: str, lines: list[bytes], data: st.DataObject
) -> None:
    try:
        compiled = SafePattern(pattern)
    except BadPattern:
        assume(False)
    low = data.draw(st.integers(0, len(lines)))
    among = range(low, data.draw(st.integers(low, len(lines))))
    each = [i for i in among if compiled.search(lines[i])]
    assert compiled.pick(lines, among) == compiled.pick(lines, among, short=True) == each
