"""Access lines: recognised by content, the client where the format puts it, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.logs.access import AccessFormat, is_address, parse_line, recognise
from warroom.logs.columns import Layout, columns, layout_of
from warroom.logs.keys import path_of, range_of

STAMP = b"[21/Nov/2026:14:35:02 +0100]"
AT = 1795268102.0
COMMON = b"203.0.113.7 - ann " + STAMP + b' "GET /cart?id=7 HTTP/1.1" 502 157'
COMBINED = COMMON + b' "-" "curl/8.5.0"'
VHOST = b"shop.example:443 " + COMBINED
NGINX_MAIN = COMBINED + b' "198.51.100.9"'
INGRESS = COMBINED + b" 512 0.003 [shop-80] [] 10.0.0.4:80 512 0.002 502 5f3a"
NGINX_JSON = (
    b'{"time_iso8601":"2026-11-21T14:35:02+01:00","remote_addr":"203.0.113.7","request":'
    b'"GET /cart?id=7 HTTP/1.1","status":"502","body_bytes_sent":"157",'
    b'"http_user_agent":"curl/8.5.0","http_x_forwarded_for":"198.51.100.9"}'
)
TRAEFIK = (
    b'{"ClientHost":"203.0.113.7","RequestMethod":"GET","RequestPath":"/cart?id=7",'
    b'"DownstreamStatus":502,"DownstreamContentSize":157,"StartUTC":"2026-11-21T13:35:02Z",'
    b'"request_User-Agent":"curl/8.5.0","level":"info","msg":""}'
)
CADDY = (
    b'{"level":"info","ts":1795268102.0,"logger":"http.log.access","msg":"handled request",'
    b'"request":{"remote_ip":"203.0.113.7","remote_port":"5","method":"GET","uri":"/cart?id=7",'
    b'"headers":{"User-Agent":["curl/8.5.0"],"X-Forwarded-For":["198.51.100.9"]}},'
    b'"size":157,"status":502}'
)


@pytest.mark.parametrize(
    ("line", "fmt", "agent"),
    [
        (COMMON, AccessFormat.COMMON, ""),
        (COMBINED, AccessFormat.COMBINED, "curl/8.5.0"),
        (NGINX_MAIN, AccessFormat.COMBINED, "curl/8.5.0"),
        (INGRESS, AccessFormat.COMBINED, "curl/8.5.0"),
        (VHOST, AccessFormat.VHOST, "curl/8.5.0"),
        (NGINX_JSON, AccessFormat.JSON, "curl/8.5.0"),
        (TRAEFIK, AccessFormat.JSON, "curl/8.5.0"),
        (CADDY, AccessFormat.CADDY, "curl/8.5.0"),
    ],
)
def test_every_format_is_recognised_and_says_the_same(
    line: bytes, fmt: AccessFormat, agent: str
) -> None:
    assert recognise([line] * 3) is fmt
    access = parse_line(line)
    assert access is not None
    assert (access.ip, access.method, access.path) == ("203.0.113.7", "GET", "/cart?id=7")
    assert (access.status, access.size, access.at, access.agent) == (502, 157, AT, agent)
    found = columns(line + b"\n", layout_of([line], fmt))
    assert (found.clients, found.results) == ([b"203.0.113.7"], [b" 502 157 "])
    assert [path_of(request) for request in found.requests] == [b"/cart"]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"Traceback (most recent call last):", b"203.0.113.7", b"{}", b"[1]", b'{"a":',
        b'{"status":200}', b'{"remote_addr":7,"status":200}', b'{"request":{},"status":200}',
        b"Nov 21 14:35:02 web1 sshd[7]: Failed password for root from 203.0.113.7 port 5",
        b"2026-11-21 14:35:02 UTC [71] LOG:  connection received: host=203.0.113.7",
        b'{"level":"error","msg":"upstream 203.0.113.7 failed"}', b"[" * 5000, b'{"a":' * 5000,
    ],
)  # fmt: skip
def test_what_is_no_access_line_stays_unknown_even_with_an_address_in_it(line: bytes) -> None:
    assert parse_line(line) is None
    assert recognise([line] * 10) is None


def test_a_client_that_is_no_address_stays_unknown() -> None:
    for name in (b"unix:", b"-", b"crawl.example", b"999.1.2.3", b"1.2.3", b"12345"):
        access = parse_line(COMBINED.replace(b"203.0.113.7", name))
        assert access is not None
        assert access.ip == ""
        assert access.status == 502


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


LINES = st.one_of(
    st.sampled_from([COMMON, COMBINED, VHOST, NGINX_MAIN, INGRESS, NGINX_JSON, CADDY, b"", b'"']),
    st.just(COMBINED.replace(b"curl", b'c\\"u\\"rl')),
    st.just(COMBINED.replace(b"/cart", b'/"x" 200 5 "')),
    st.just(COMBINED[:70]),
    st.just(b'1.2.3.4 " " " " " "'),
    st.just(b'1.2.3.4 "' + b'" 200 5 "' * 2 + b'"'),
    st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" ")),
)


@given(st.lists(LINES, max_size=12), st.sampled_from([*AccessFormat]), st.sampled_from([0, 6, 8]))
def test_columns_of_any_bytes_are_those_of_each_line_alone(
    lines: list[bytes], fmt: AccessFormat, quotes: int
) -> None:
    quotes = quotes if fmt in (AccessFormat.COMBINED, AccessFormat.VHOST) else 0
    data = b"".join(line + b"\n" for line in lines)
    together = columns(data, Layout(fmt, quotes))
    assert together.lines == len(lines)
    alone = [columns(line + b"\n", Layout(fmt)) for line in lines]
    assert together.clients == [client for one in alone for client in one.clients]
    assert together.results == [result for one in alone for result in one.results]
    assert together.requests == [request for one in alone for request in one.requests]
    assert together.agents == [agent for one in alone for agent in one.agents]


@given(st.binary(max_size=200))
def test_parsing_never_raises(line: bytes) -> None:
    for fmt in (None, *AccessFormat):
        parse_line(line, fmt)
    recognise([line])


def test_hostile_fields_come_out_harmless() -> None:
    hostile = COMBINED.replace(b"/cart", b"/\x1b[2J\x9b\x00[/x]").replace(b"curl", b"\xe2\x80\xae")
    access = parse_line(hostile)
    assert access is not None
    assert access.path.isprintable()
    assert access.agent.isprintable()
