"""No bytes break a reader or take it long, and an address is only ever one of the line."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.domain.text import harmless
from warroom.logs.formats.base import Format
from warroom.logs.formats.own import chosen
from warroom.logs.formats.traces import continues, trace_of
from warroom.logs.recognise import every_format, recognise
from warroom.logs.record import details, read
from warroom.logs.trust import Trust

FOLDER = Path(__file__).parent / "logs"
LINES = [line for path in FOLDER.glob("*.log") for line in path.read_bytes().split(b"\n") if line]
OWN = [
    chosen("$remote_addr - $remote_user [$time_local] \"$request\" $status '$http_x' $msec $rest"),
    chosen(r"(?P<client>\S+) (?P<path>[^ ]+) (?P<message>.*)"),
    chosen("#Fields: date time c-ip cs-uri-stem sc-status"),
]
FORMATS = [*every_format(), *OWN]
HOPS = Trust(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A line of some format with a piece of it lost, doubled or replaced by anything."""
    line, other = draw(st.sampled_from(LINES)), draw(st.sampled_from(LINES))
    low = draw(st.integers(0, len(line)))
    high = draw(st.integers(low, min(len(line), low + 40)))
    piece = draw(
        st.one_of(
            st.binary(max_size=12),
            st.just(line[low:high] * 2),
            st.just(other[low:high]),
            st.sampled_from(
                [b"6.6.6.6", b'"', b"\\", b" ", b"[", b"\x1b[2J", b"\xe2\x80\xae", b"\0"]
            ),
        )
    )
    return (line[:low] + piece + line[high:]).replace(b"\n", b" ")


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@settings(deadline=None, max_examples=300)
@given(st.one_of(damaged(), st.binary(max_size=80), st.text(max_size=40).map(str.encode)))
def test_an_address_is_one_and_stands_in_the_line_and_every_text_is_harmless(line: bytes) -> None:
    for fmt in FORMATS:
        fmt.fits(line)
        for trust in (Trust(), HOPS):
            record = read(line, fmt, trust, near=1_795_268_102.0)
            if record is None:
                continue
            if record.client:
                assert is_address(record.client)
                assert record.client.encode() in line
            texts = (record.method, record.path, record.agent, record.host, record.user)
            assert all(harmless(text) == text for text in (*texts, record.level, record.message))
        assert all(harmless(text) == text for part in details(line, fmt) for text in part)
    continues(line)
    trace_of(line)


@settings(deadline=None, max_examples=60)
@given(st.lists(damaged(), max_size=12))
def test_recognising_never_raises_and_says_how_many_lines_fit(lines: list[bytes]) -> None:
    found = recognise(lines)
    assert 0 <= found.matched <= found.seen <= len(lines)
    assert (found.format is None) or found.matched * 2 >= found.seen
    assert str(found)


_UNITS = (
    b'"', b"\\", b'\\"', b" ", b"[", b"]", b"a", b"a ", b"1.", b"1:", b":", b", ", b" from ", b"- ",
    b"a=b ", b'a="', b"{", b'{"a":', b"\t", b"from 1 port 1 ", b", client: a, server: ", b"[x ",
    b'a.b', b"\xff", b'" "', b"client=", b"/", b'[a@1 b="', b"] [", b": ", b"11", b"user ", b"(",
)  # fmt: skip


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_the_time_for_a_line_grows_as_its_length(fmt: Format) -> None:
    """A reader that tries again from every place needs minutes for such lines, not milliseconds."""
    starts = [b"", *(line[:cut] for line in _of(fmt)[:3] for cut in (len(line) // 2, len(line)))]
    began = time.thread_time()
    for start in starts:
        for unit in _UNITS:
            line = start + unit * (60_000 // len(unit))
            fmt.fits(line)
            read(line, fmt, HOPS)
    assert time.thread_time() - began < 20


def _of(fmt: Format) -> list[bytes]:
    path = FOLDER / f"{fmt.name}.log"
    return [line for line in path.read_bytes().split(b"\n") if line] if path.exists() else []


def test_the_start_of_a_trace_and_what_goes_on_it_are_told_from_messages() -> None:
    traces = {
        b"Traceback (most recent call last):": "python",
        b'Exception in thread "main" java.lang.IllegalStateException: no': "java",
        b"java.io.IOException: broken pipe": "java",
        b"TypeError: Cannot read properties of undefined (reading 'x')": "node",
        b"Uncaught ReferenceError: x is not defined": "node",
        b"panic: runtime error: index out of range [3] with length 2": "go",
        b"goroutine 17 [running]:": "go",
    }
    assert {line: trace_of(line) for line in traces} == traces
    for line in (
        b'  File "/srv/app.py", line 7, in pay', b"    raise ValueError(x)", b"ValueError: no",
        b"shop.errors.PoolError: exhausted", b"\tat com.example.Shop.pay(Shop.java:7)",
        b"Caused by: java.io.IOException: x", b"\t... 12 more", b"    at pay (/srv/app.js:7:3)",
        b"goroutine 1 [running]:", b"main.pay(0x1, 0x2)", b"\t/src/main.go:7 +0x1d",
        b"created by main.serve in goroutine 1", b"exit status 2", b"",
        b"github.com/x/y.(*Pool).Get(0xc000)", b"net/http.HandlerFunc.ServeHTTP(...)",
        b"During handling of the above exception, another exception occurred:",
    ):  # fmt: skip
        assert continues(line), line
    for line in (
        b"2026-11-21 13:35:02 ERROR x", b"203.0.113.7 - - [x]", b'{"a":1}', b"GET / HTTP/1.1",
        b"Nov 21 13:35:02 web1 app: x", b"# Time: x", b"level=info msg=x", b"server started",
    ):  # fmt: skip
        assert not continues(line), line
        assert trace_of(line) == ""
