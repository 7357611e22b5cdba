"""Access-log lines: which format a file has, and what one line says.

Formats are recognised by content. The client is the field that the format gives to it (`%h`,
`$remote_addr`, `remote_addr`, Caddy's `client_ip`), never the first thing that looks like an
address; X-Forwarded-For is not believed. What is not an address stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SAMPLE_LINES: Final = 200
_JSON_LIMIT: Final = 64 * 1024


class AccessFormat(StrEnum):
    """COMMON and COMBINED are Apache's and nginx's (combined with any fields after it); VHOST has
    `host:port` first; JSON is nginx's or Traefik's object a line; CADDY nests a request."""

    COMMON = "common"
    COMBINED = "combined"
    VHOST = "vhost_combined"
    JSON = "json"
    CADDY = "caddy"


@dataclass(frozen=True, slots=True)
class Access:
    """What one access line says. `ip` is empty when the client is not an address; `at` is the
    line's own time in seconds since the epoch, None when it cannot be read; `size` in bytes."""

    ip: str
    at: float | None
    method: str
    path: str
    status: int
    size: int
    agent: str


_QUOTED: Final = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE: Final = re.compile(
    rb'(\S+) (?:(\S+) )?[^\[\]"]*\[([^\[\]"]*)\] ' + _QUOTED + rb" (\d{3}|-) (\d+|-)"
    rb"(?= |$)(?: " + _QUOTED + rb" " + _QUOTED + rb")?"
)
_TIME: Final = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_IPV4: Final = re.compile(
    rb"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
)


def is_address(text: bytes) -> bool:
    """Whether `text` is an IPv4 or IPv6 address (RFC 4291, section 2.2) and nothing else."""
    return bool(_IPV4.fullmatch(text)) or (b":" in text and _is_ipv6(text))


def not_ipv4(texts: Iterable[bytes]) -> list[bytes]:
    """Those that are no IPv4 addresses: the quick look at many."""
    match = _IPV4.fullmatch
    return [text for text in texts if not match(text)]


def _is_ipv6(text: bytes) -> bool:
    import socket  # the counter starts faster without it, and most files need it for few lines

    try:
        socket.inet_pton(socket.AF_INET6, text.decode("ascii"))
    except (OSError, ValueError):  # no address; not ASCII, or a NUL in it
        return False
    return True


def recognise(lines: Sequence[bytes]) -> AccessFormat | None:
    """The format that most of `lines` have; None when fewer than half are access lines."""
    votes: dict[AccessFormat, int] = {}
    seen = 0
    for line in lines[:SAMPLE_LINES]:
        if not line.strip():
            continue
        seen += 1
        found = _format_of(line)
        if found is not None:
            votes[found] = votes.get(found, 0) + 1
    if not votes or sum(votes.values()) * 2 < seen:
        return None
    if AccessFormat.COMBINED in votes:  # a combined line is a common one and more
        votes[AccessFormat.COMBINED] += votes.pop(AccessFormat.COMMON, 0)
    return max(votes, key=votes.__getitem__)


def _format_of(line: bytes) -> AccessFormat | None:
    if line[:1] == b"{":
        record = _record(line)
        if record is None or _of_record(record) is None:
            return None
        nested = isinstance(record.get("request"), Mapping)
        return AccessFormat.CADDY if nested else AccessFormat.JSON
    found = _LINE.match(line)
    if found is None:
        return None
    first, second = found[1], found[2]
    # `host:port client - user`: the second field is an address only there, being ident elsewhere
    if second is not None and is_address(second) and not is_address(first):
        return AccessFormat.VHOST
    return AccessFormat.COMMON if found[7] is None else AccessFormat.COMBINED


def parse_line(line: bytes, fmt: AccessFormat | None = None) -> Access | None:
    """What `line` says; None when it is not an access line. Without `fmt` its own is found.

    >>> parse_line(b'10.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /a?b HTTP/1.1" 200 12')
    ... # doctest: +ELLIPSIS
    Access(ip='10.0.0.1', at=1767225601.0, method='GET', path='/a?b', status=200, size=12, ...)
    """
    fmt = fmt or _format_of(line)
    if fmt is None:
        return None
    if fmt in (AccessFormat.JSON, AccessFormat.CADDY):
        record = _record(line)
        return None if record is None else _of_record(record)
    found = fields(line, fmt)
    if found is None:
        return None
    client, stamp, request, status, size, agent = found
    method, path = request_of(request)
    return Access(
        ip=client.decode() if is_address(client) else "",
        at=instant(stamp.decode("ascii", "replace")),
        method=_text(method),
        path=_text(path),
        status=int(status) if status != b"-" else 0,
        size=int(size) if size != b"-" else 0,
        agent=_text(agent),
    )


Fields = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
"""Client, time, request, status, size, agent as they stand in the line."""


def fields(line: bytes, fmt: AccessFormat) -> Fields | None:
    """The fields of a line that is not JSON."""
    found = _LINE.match(line)
    if found is None:
        return None
    first, second, stamp, request, status, size, _, agent = found.groups()
    client = second if fmt is AccessFormat.VHOST else first
    return client or b"", stamp, request, status, size[:18], agent or b""


def request_of(request: bytes) -> tuple[bytes, bytes]:
    """Method and path of a request line; what is not one is all path.

    >>> request_of(b"GET /a b HTTP/1.1"), request_of(b"x16x03")
    ((b'GET', b'/a b'), (b'', b'x16x03'))
    """
    method, space, rest = request.partition(b" ")
    path, blank, protocol = rest.rpartition(b" ")
    if blank and protocol.startswith(b"HTTP/"):
        return method, path
    return (method, rest) if space and rest.startswith(b"/") else (b"", request)


def instant(stamp: str) -> float | None:
    """Seconds since the epoch of `01/Jan/2026:00:00:01 +0000` or an ISO 8601 time."""
    found = _TIME.fullmatch(stamp)
    from datetime import UTC, datetime, timedelta, timezone

    try:
        if found is None:
            moment = datetime.fromisoformat(stamp)
            return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
        day, month, year, hour, minute, second = found.groups()[:6]
        offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
        zone = timezone(-offset if found[7] == "-" else offset)
        parts = (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second))
        return datetime(*parts, tzinfo=zone).timestamp()
    except (ValueError, KeyError, OverflowError):
        return None


def _record(line: bytes) -> Mapping[str, Any] | None:
    if len(line) > _JSON_LIMIT:
        return None
    import json

    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


_CLIENTS: Final = ("client_ip", "remote_ip", "remote_addr", "ClientHost", "clientip", "client")
_TIMES: Final = ("ts", "time_iso8601", "time_local", "msec", "StartUTC", "@timestamp", "time")
_METHODS: Final = ("request_method", "method", "RequestMethod")
_PATHS: Final = ("request_uri", "uri", "RequestPath", "path", "url")
_STATUSES: Final = ("status", "status_code", "DownstreamStatus")
_SIZES: Final = ("body_bytes_sent", "bytes_sent", "size", "DownstreamContentSize", "bytes")
_AGENTS: Final = ("http_user_agent", "user_agent", "request_User-Agent", "agent")


def _of_record(record: Mapping[str, Any]) -> Access | None:
    """Of a JSON object: one with a whole status and a client is an access line."""
    nested = record.get("request")
    inner: Mapping[str, Any] = nested if isinstance(nested, Mapping) else record
    client, status = _first(inner, _CLIENTS), _number(_first(record, _STATUSES))
    if not isinstance(client, str) or not 100 <= status <= 599:
        return None
    method, path = _first(inner, _METHODS), _first(inner, _PATHS)
    if isinstance(nested, str) and (method is None or path is None):
        parts = request_of(nested.encode("utf-8", "replace"))
        method, path = parts[0].decode("utf-8", "replace"), parts[1].decode("utf-8", "replace")
    address = client.encode("utf-8", "replace")
    return Access(
        ip=client if is_address(address) else "",
        at=_moment(_first(record, _TIMES)),
        method=_word(method),
        path=_word(path),
        status=status,
        size=_number(_first(record, _SIZES)),
        agent=_word(_first(record, _AGENTS) or _header(inner, "User-Agent")),
    )


def _first(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if name in record:
            return record[name]
    return None


def _header(request: Mapping[str, Any], name: str) -> str:
    """Of Caddy's headers: lists by name."""
    headers = request.get("headers")
    values = headers.get(name) if isinstance(headers, Mapping) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _number(value: Any) -> int:
    """A whole number of at most 18 digits; nginx writes its variables as strings."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, (int, float)):
        return int(value) if 0 <= value < 1e18 else 0
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return 0


def _moment(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 < value < 1e11 else None
    if isinstance(value, str):
        if re.fullmatch(r"\d{9,11}(\.\d{1,9})?", value):
            return float(value)
        return instant(value)
    return None


def _word(value: Any) -> str:
    return _text(value.encode("utf-8", "replace")) if isinstance(value, str) else ""


def _text(data: bytes) -> str:
    from warroom.domain.text import harmless_bytes

    return harmless_bytes(data, limit=_JSON_LIMIT)
