"""Bad levels are found in one pass exactly where reading line by line finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs.filters import Page, Query, parse_filter
from warroom.logs.level import LogLevel, level_of
from warroom.logs.suspects import suspects

LOGS = Path(__file__).parent / "logs"
BAD = (LogLevel.WARN, LogLevel.ERROR, LogLevel.FATAL)
PARTS = st.sampled_from(
    [
        b"ERROR", b"error: ", b"[warn]", b"[core:error]", b"WARNING", b"E0102 14:35:02", b"W0102 1",
        b"<11>", b"<134>", b'{"level":50', b'{"level": 40, "msg":"x"', b'{"level":100}',
        b'{"status":"502"', b'{"DownstreamStatus":404', b'{"severity":"CRITICAL"', b"lvl=dpanic",
        b"level=fail", b"level='eror'", b"severity=wrn", b' HTTP/1.1" 502 1', b' HTTP/2.0" 404 1',
        b"7:M 21 Nov 2026 14:35:02.123 # oom", b"java.lang.X.Exception: x", b"Uncaught x",
        b"Caused by: x", b"Traceback (most recent call last):", b"Exception in thread ", b"E: fine",
        b"INFO", b" ", b"x", b"\xff", b"7:M 21 Nov 2026 14:35:02.1 * fine", b"F0102 14:35:02 x",
    ]
)  # fmt: skip
LINES = st.lists(st.lists(PARTS, max_size=3).map(b"".join), min_size=1, max_size=40)


@settings(deadline=None, max_examples=300)
@given(LINES, st.integers(0, 60))
def test_no_bad_line_is_missed_and_no_other_taken(lines: list[bytes], quiet: int) -> None:
    lines = [*lines, *[b"served /cart"] * 4 * quiet]
    page = Page(b"".join(line + b"\n" for line in lines), lambda _: 0)
    for least in BAD:
        picked = Query((parse_filter(f"level:{least.word}"),)).pick(page, range(len(lines)))
        assert list(picked) == [i for i, line in enumerate(lines) if level_of(line) >= least]


@pytest.mark.parametrize("file", sorted(LOGS.glob("*.log")), ids=lambda file: file.stem)
def test_the_bad_lines_of_every_format_are_among_the_suspects(file: Path) -> None:
    lines = file.read_bytes().split(b"\n")[:-1]
    data = b"".join(line + b"\n" + b"x\n" * 9 for line in lines).lower()
    for least in BAD:
        found = set(suspects(data, 10 * len(lines), least))
        assert found >= {10 * i for i, line in enumerate(lines) if level_of(line) >= least}


def test_lines_without_a_word_of_it_are_not_read() -> None:
    assert list(suspects(b"served\n" * 9 + b"an error\n", 10, LogLevel.ERROR)) == [9]
    assert list(suspects(b"served\n" * 9, 9, LogLevel.FATAL)) == []
    assert suspects(b"served\n" * 9, 9, LogLevel.INFO) == range(9)
