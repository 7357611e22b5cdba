"""Lines are shown harmless, with the level that they name."""

from __future__ import annotations

import pytest

from warroom.logs.decode import decode, text_of
from warroom.logs.level import LogLevel, level_of
from warroom.logs.ring import Raw


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"2026/11/21 14:35:02 [error] 7#7: *1 connect() failed", LogLevel.ERROR),
        (b"2026/11/21 14:35:02 [emerg] 7#7: bind() failed", LogLevel.FATAL),
        (b"[Sat Nov 21 14:35:02 2026] [core:warn] [pid 7] x", LogLevel.WARN),
        (b"2026-11-21 14:35:02 UTC [71] FATAL:  too many connections", LogLevel.FATAL),
        (b"2026-11-21 14:35:02 UTC [71] LOG:  checkpoint starting", LogLevel.INFO),
        (b"71:M 21 Nov 2026 14:35:02.123 # WARNING overcommit_memory", LogLevel.WARN),
        (b"71:M 21 Nov 2026 14:35:02.123 * Ready to accept connections", LogLevel.INFO),
        (b"ts=2026-11-21 level=error msg=boom", LogLevel.ERROR),
        (b'lvl="warn" msg=x', LogLevel.WARN),
        (b'{"time":"x","level":"ERROR","msg":"boom"}', LogLevel.ERROR),
        (b'{"level":50,"msg":"pino"}', LogLevel.ERROR),
        (b'{"level":30,"msg":"pino"}', LogLevel.INFO),
        (b'{"remote_addr":"::1","status":"502"}', LogLevel.ERROR),
        (b'::1 - - [t] "GET / HTTP/1.1" 503 5', LogLevel.ERROR),
        (b'::1 - - [t] "GET /ERROR HTTP/1.1" 404 5', LogLevel.WARN),
        (b'::1 - - [t] "GET /ERROR HTTP/1.1" 200 5', LogLevel.INFO),
        (b"E1121 14:35:02.000000 1 kubelet.go:1] no", LogLevel.ERROR),
        (b"<11>Nov 21 14:35:02 web sshd: no", LogLevel.ERROR),
        (b"Traceback (most recent call last):", LogLevel.ERROR),
        (b"TypeError: undefined is not a function", LogLevel.ERROR),
        (b"java.lang.NullPointerException", LogLevel.ERROR),
        (b"panic: runtime error", LogLevel.FATAL),
        (b"14:35:02 DEBUG pool idle", LogLevel.DEBUG),
        (b"the errors page was information only", LogLevel.NONE),
        (b"", LogLevel.NONE),
    ],
)
def test_a_line_has_the_level_that_it_names(line: bytes, level: LogLevel) -> None:
    assert level_of(line) is level


HOSTILE = [
    b"\x1b]0;title\x07", b"\x1b[2J\x1b[H", b"\x1bP1$r\x1b\\", b"\x9b31m", b"\x00\x01\x7f",
    "\u202egnp.exe".encode(), b"[/x]", b"[@click=app.bell]x[/]", b"\xff\xfe\xed\xa0\x80",
    b"\xc2\x9b2J", b"a\rb", "\u2028".encode(),
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_control_of_a_line_reaches_the_screen(hostile: bytes) -> None:
    line = decode(Raw(1, 0, 0.0, b"GET " + hostile + b" end", 9))
    assert line.text.isprintable()
    assert line.text.startswith("GET ")
    assert line.text.endswith(" end")


def test_colours_go_and_tabs_become_spaces() -> None:
    assert text_of(b"\x1b[1;31mERROR\x1b[0m\tat x") == "ERROR    at x"
    assert decode(Raw(1, 0, 0.0, b"\x1b[31mERROR\x1b[0m boom", 18)).level is LogLevel.ERROR


def test_markup_stays_as_it_is_for_nobody_parses_it() -> None:
    assert text_of(b"[@click=app.bell]x[/]") == "[@click=app.bell]x[/]"


def test_a_cut_line_says_how_long_it_was() -> None:
    line = decode(Raw(1, 0, 0.0, b"x" * 65536, 10_000_000))
    assert line.text.endswith("x… (10,000,000 bytes)")
    assert line.length == 10_000_000
