"""A line beside a clock that shows its time: what is left of it, and when nothing may go."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from warroom.logs.decode import text_of
from warroom.logs.recognise import recognise
from warroom.logs.stamps import unstamped

AT = 1_795_268_102.0  # 2026-11-21 13:35:02 UTC
BERLIN, GREENWICH = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
ACCESS = b'203.0.113.7 - - [21/Nov/2026:13:35:02 +0000] "GET /cart HTTP/1.1" 502 157 "-" "curl/8"'


def shown(line: bytes, at: float = AT, zone: ZoneInfo = GREENWICH, keep: str = "") -> str:
    fmt = recognise([line]).format
    assert fmt is not None
    return unstamped(text_of(line), line, fmt, at, zone, keep)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (ACCESS, '203.0.113.7 - - "GET /cart HTTP/1.1" 502 157 "-" "curl/8"'),
        (b"2026/11/21 14:35:02 [error] 7#7: *1 boom", "[error] 7#7: *1 boom"),
        (b"Nov 21 14:35:01 web1 cron[7]: done", "web1 cron[7]: done"),
        (b"2026-11-21T13:35:00Z INFO  served", "INFO  served"),
        (b"7:M 21 Nov 2026 13:35:02.123 * Ready", "7:M * Ready"),
    ],
)
def test_a_time_that_the_clock_shows_already_is_left_out(line: bytes, left: str) -> None:
    assert shown(line, zone=BERLIN) == left


def test_of_an_earlier_time_of_the_day_the_clock_is_left() -> None:
    assert shown(ACCESS, AT + 3600).startswith('203.0.113.7 - - 13:35:02 "GET /cart')


def test_a_time_of_another_day_or_in_another_zone_stays_whole() -> None:
    assert shown(ACCESS, AT + 86_400) == ACCESS.decode()
    assert shown(ACCESS, AT + 3600, BERLIN) == ACCESS.decode()


def test_what_somebody_looks_for_in_a_time_stays_on_the_screen() -> None:
    assert shown(ACCESS, keep="nov/2026") == ACCESS.decode()
    assert "Nov" not in shown(ACCESS, keep="cart")


@pytest.mark.parametrize(
    "line",
    [
        b'{"time":"2026-11-21T13:35:02Z","level":"info","msg":"served"}',
        b"time=2026-11-21T13:35:02Z level=info msg=served",
        b"I1121 13:35:02.123456       1 main.go:7] served",
    ],
)
def test_a_time_that_is_a_part_of_something_stays(line: bytes) -> None:
    assert shown(line) == line.decode()


def test_a_line_that_is_not_of_its_logs_format_stays_as_it_is() -> None:
    fmt = recognise([ACCESS]).format
    assert fmt is not None
    assert unstamped("  at x.js:1", b"  at x.js:1", fmt, AT, GREENWICH) == "  at x.js:1"
