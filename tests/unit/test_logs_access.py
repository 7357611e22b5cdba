"""Requests as columns: those of each line alone, however the lines come; addresses and ranges."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.logs.access import address_in, is_address
from warroom.logs.columns import Columns, Field, Layout, client_of, columns
from warroom.logs.formats.base import Format
from warroom.logs.formats.cloud import ALB
from warroom.logs.formats.structured import CADDY, NGINX_JSON, TRAEFIK_JSON
from warroom.logs.formats.web import ACCESS, COMBINED, COMMON, INGRESS, VARNISH, VHOST
from warroom.logs.keys import column, path_of, range_of
from warroom.logs.recognise import recognise
from warroom.logs.record import read

STAMP = b"[21/Nov/2026:14:35:02 +0100]"
AT = 1795268102.0
ONE = b"203.0.113.7 - ann " + STAMP + b' "GET /cart?id=7 HTTP/1.1" 502 157'
MORE = ONE + b' "-" "curl/8.5.0"'
HOSTED = b"shop.example:443 " + MORE
MAIN = MORE + b' "198.51.100.9"'
ROUTED = MORE + b" 512 0.003 [shop-80] [] 10.0.0.4:80 512 0.002 502 5f3a"
URLS = MORE.replace(b"GET /", b"GET http://shop.example/")
BALANCED = (
    b"https 2026-11-21T13:35:02.000000Z app/shop/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80 "
    b'0.000 0.001 0.000 502 502 34 157 "GET https://shop.example:443/cart?id=7 HTTP/1.1" '
    b'"curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2'
)
OBJECT = (
    b'{"time_iso8601":"2026-11-21T14:35:02+01:00","remote_addr":"203.0.113.7","request":'
    b'"GET /cart?id=7 HTTP/1.1","status":"502","body_bytes_sent":"157",'
    b'"http_user_agent":"curl/8.5.0","http_x_forwarded_for":"198.51.100.9"}'
)
TRAEFIK_OBJECT = (
    b'{"ClientHost":"203.0.113.7","RequestMethod":"GET","RequestPath":"/cart?id=7",'
    b'"DownstreamStatus":502,"DownstreamContentSize":157,"StartUTC":"2026-11-21T13:35:02Z",'
    b'"request_User-Agent":"curl/8.5.0","level":"info","msg":""}'
)
NESTED = (
    b'{"level":"info","ts":1795268102.0,"logger":"http.log.access","msg":"handled request",'
    b'"request":{"remote_ip":"203.0.113.7","remote_port":"5","method":"GET","uri":"/cart?id=7",'
    b'"headers":{"User-Agent":["curl/8.5.0"],"X-Forwarded-For":["198.51.100.9"]}},'
    b'"size":157,"status":502}'
)


@pytest.mark.parametrize(
    ("line", "fmt"),
    [
        (MORE, COMBINED), (ROUTED, INGRESS), (HOSTED, VHOST), (URLS, VARNISH), (BALANCED, ALB),
        (OBJECT, NGINX_JSON), (TRAEFIK_OBJECT, TRAEFIK_JSON), (NESTED, CADDY), (ONE, COMMON),
    ],
)  # fmt: skip
def test_a_line_as_columns_says_what_it_says_as_a_record(line: bytes, fmt: Format) -> None:
    assert recognise([line] * 3).format is fmt
    record = read(line, fmt)
    assert record is not None
    assert (record.client, record.method, record.path) == ("203.0.113.7", "GET", "/cart?id=7")
    assert (record.status, record.size, record.at) == (502, 157, AT)
    assert record.agent == ("" if fmt is COMMON else "curl/8.5.0")
    found = columns(line + b"\n", Layout(fmt))
    assert (found.clients, found.results) == ([b"203.0.113.7"], [b" 502 157"])
    assert [path_of(request) for request in found.requests] == [b"/cart"]


def test_a_client_that_is_no_address_stays_unknown() -> None:
    for name in (b"unix:", b"-", b"crawl.example", b"999.1.2.3", b"1.2.3", b"12345"):
        record = read(MORE.replace(b"203.0.113.7", name), COMBINED)
        assert record is not None
        assert record.client == ""
        assert record.status == 502


def test_an_address_is_taken_from_brackets_and_from_before_a_port() -> None:
    for peer in (b"203.0.113.7", b"203.0.113.7:443", b"[2001:db8::1]:443", b"[2001:db8::1]"):
        assert address_in(peer) in (b"203.0.113.7", b"2001:db8::1")
    for peer in (b"shop:443", b"[shop]:443", b"203.0.113.7:http", b":443", b"[]", b"1.2.3.4:"):
        assert address_in(peer) == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"203.0.113.7", True), (b"::1", True), (b"2001:db8::7", True), (b"::ffff:1.2.3.4", True),
        (b"0.0.0.0", True), (b"256.1.1.1", False), (b"1.2.3.4.5", False), (b"01.2.3.4", False),
        (b"1.2.3.4\n", False), (b"::1\n", False), (b"dead", False), (b":::", False),
        (b"2001:db8:::1", False), (b"fe80::1%eth0", False), (b"", False), (b" ::1", False),
        (b"1:2:3:4:5:6:7:8", True), (b"1:2:3:4:5:6:7:8:9", False), (b"12345::1", False),
    ],
)  # fmt: skip
def test_only_an_address_is_an_address(text: bytes, expected: bool) -> None:
    assert is_address(text) is expected


def test_ranges_are_24_and_48_bits() -> None:
    assert range_of(b"203.0.113.77") == b"203.0.113.0/24"
    assert range_of(b"2001:db8:1:2:3::4") == b"2001:db8:1::/48"
    assert range_of(b"2001:DB8:1::") == b"2001:db8:1::/48"
    assert range_of(b"::ffff:203.0.113.77") == b"203.0.113.0/24"
    assert range_of(b"-") == b""


LOGS = Path(__file__).parent / "logs"
WHOLE = [ONE, MORE, HOSTED, MAIN, ROUTED, URLS]
CUT = [line[:place] for line in WHOLE for place in (20, 40, 70, 90, -1)]
LINES = st.one_of(
    st.sampled_from([*WHOLE, *WHOLE, *CUT, OBJECT, NESTED, b"", b'"', b"]", b" ", b"203.0.113.7"]),
    st.sampled_from([b"a[b", b"a]b", b'"a"', b"[a]", b'[a "b'])
    .flatmap(lambda odd: st.sampled_from([odd, b"- " + odd, odd + b" -", odd + b" " + odd]))
    .map(lambda who: MORE.replace(b"- ann", who)),
    st.just(MORE.replace(b"curl", b'c\\"u\\"rl')),
    st.just(MORE.replace(b"curl", b"c\\\\u\trl\\")),
    st.just(MORE.replace(b"/cart", b'/"x" 200 5 "')),
    st.just(b'1.2.3.4 " " " " " "'),
    st.just(b'1.2.3.4 "' + b'" 200 5 "' * 2 + b'"'),
    st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" ")),
)
CHUNKS = st.tuples(st.lists(LINES, max_size=12), st.sampled_from([1, 1, 40])).map(
    lambda drawn: drawn[0] * drawn[1]
)
ROWS = tuple[bytes, bytes, bytes, bytes]


def alone(line: bytes, fmt: Format) -> ROWS:
    """Client, request, result and agent of one line, by the pattern of its format."""
    if fmt.client_at is None:
        (row,) = rows(columns(line + b"\n", Layout(fmt)))
        return row
    roles = fmt.roles(line)
    if roles is None:
        return client_of(line, fmt.client_at), b"", b"", b""
    result = b" %b %b" % (roles["status"], roles["size"])
    return roles["client"], roles["request"], result, roles.get("agent", b"")


def rows(found: Columns) -> list[ROWS]:
    parts = found.clients, found.requests, found.results, found.agents
    return list(zip(*parts, strict=True))


@given(CHUNKS, st.sampled_from([*ACCESS, NGINX_JSON, CADDY, ALB]))
def test_columns_of_any_bytes_are_those_of_each_line_alone(lines: list[bytes], fmt: Format) -> None:
    together = columns(b"".join(line + b"\n" for line in lines), Layout(fmt))
    assert together.lines == len(lines)
    assert rows(together) == [alone(line, fmt) for line in lines]


@pytest.mark.parametrize("fmt", ACCESS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("only", [None, *get_args(Field)])
def test_whole_lines_of_the_common_family_are_never_read_one_by_one(
    fmt: Format, only: Field | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warroom.logs.columns._read", lambda *_: pytest.fail("line by line"))
    whole = (LOGS / f"{fmt.name}.log").read_bytes().splitlines(keepends=True)[:7]
    assert columns(b"".join(whole * 40), Layout(fmt), only).lines == 280


@given(CHUNKS, st.sampled_from([*ACCESS, ALB]), st.sampled_from(get_args(Field)))
def test_one_column_alone_is_the_one_among_all(
    lines: list[bytes], fmt: Format, only: Field
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    every, one = columns(data, Layout(fmt)), columns(data, Layout(fmt), only)
    assert (one.lines, one.results) == (every.lines, every.results)
    assert column(one, only) == column(every, only)
