"""What requests are grouped by: who asked (client, its ranges, country, network), for what (path,
method, host), with what (agent), and how it was answered (status).

Each key is made of one field as it stands in a line, so that a field's key is worked out once for
all the lines that have it.
"""

from __future__ import annotations

import re
from _socket import AF_INET6, inet_ntop, inet_pton
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, get_args

from warroom.logs.access import is_address, is_ipv6, not_ipv4, request_of
from warroom.logs.columns import Field

if TYPE_CHECKING:
    from warroom.logs.columns import Columns
    from warroom.logs.places import Places

By = Literal[
    "ip", "range", "wide", "narrow", "path", "url", "status", "method", "agent", "host",
    "country", "asn",
]  # fmt: skip
GROUPINGS: Final[tuple[By, ...]] = get_args(By)
RANGES: Final[tuple[By, ...]] = ("narrow", "range", "wide")
"""Groupings of addresses, from the most special to the widest."""
OF_PLACES: Final[tuple[By, ...]] = ("country", "asn")
"""Groupings that want a database of places."""
Key = Callable[[bytes], bytes]

LONGEST: Final = 512
"""Bytes of a path, an agent or a host that are told apart."""
_MAPPED: Final = bytes(10) + b"\xff\xff"
_ID: Final = re.compile(
    rb"(?<=/)(?:\d++|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    rb"|(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}+|(?=[\w~-]*\d)[\w~-]{20,}+)(?=/|\Z)"
)
"""Parts of a path that name one thing of many: numbers, UUIDs (RFC 9562), hashes, long tokens."""


def column(found: Columns, of: Field) -> list[bytes]:
    """That field of every line; empty as a whole where no line says which host was asked."""
    match of:
        case "client":
            return found.clients
        case "request":
            return found.requests
        case "result":
            return found.results
        case "agent":
            return found.agents
        case "host":
            return found.hosts


def range_of(client: bytes) -> bytes:
    """The /24 or /48 that an address lies in: the smallest pieces that are routed by themselves.

    An IPv4 address written as IPv6 (RFC 4291, section 2.5.5.2) counts as IPv4. Empty for what is
    no address.

    >>> range_of(b"203.0.113.9"), range_of(b"2001:db8:1:2::3"), range_of(b"::ffff:10.1.2.3")
    (b'203.0.113.0/24', b'2001:db8:1::/48', b'10.1.2.0/24')
    """
    if not is_address(client):
        return b""
    if b":" not in client:
        return client.rpartition(b".")[0] + b".0/24"
    packed = _packed(client)
    if packed[:12] == _MAPPED:
        return b"%d.%d.%d.0/24" % tuple(packed[12:15])
    return _network(packed, 6)


def wide_of(client: bytes) -> bytes:
    """The /16 or /32 that an address lies in: about what one provider has.

    >>> wide_of(b"203.0.113.9"), wide_of(b"2001:db8:1:2::3")
    (b'203.0.0.0/16', b'2001:db8::/32')
    """
    if not is_address(client):
        return b""
    if b":" not in client:
        first, second, _ = client.split(b".", 2)
        return first + b"." + second + b".0.0/16"
    packed = _packed(client)
    if packed[:12] == _MAPPED:
        return b"%d.%d.0.0/16" % tuple(packed[12:14])
    return _network(packed, 4)


def narrow_of(client: bytes) -> bytes:
    """The /64 that an IPv6 address lies in: one machine may use all of it (RFC 8981). An IPv4
    address alone, for that is as narrow.

    >>> narrow_of(b"2001:db8:1:2::3"), narrow_of(b"203.0.113.9")
    (b'2001:db8:1:2::/64', b'203.0.113.9')
    """
    if not is_address(client):
        return b""
    if b":" not in client:
        return client
    packed = _packed(client)
    if packed[:12] == _MAPPED:
        return b"%d.%d.%d.%d" % tuple(packed[12:])
    return _network(packed, 8)


def _packed(client: bytes) -> bytes:
    return inet_pton(AF_INET6, client.decode())


def _network(packed: bytes, size: int) -> bytes:
    network = inet_ntop(AF_INET6, packed[:size] + bytes(16 - size))
    return b"%b/%d" % (network.encode(), 8 * size)


def url_of(request: bytes) -> bytes:
    """The path of a request line as it stands, without its query; empty when there is none.

    >>> url_of(b"GET /cart/7?id=7 HTTP/1.1"), url_of(b"")
    (b'/cart/7', b'')
    """
    return request_of(request)[1].partition(b"?")[0][:LONGEST]


def path_of(request: bytes) -> bytes:
    """The path of a request line without its query, what names one thing of many as `*`.

    >>> path_of(b"GET /user/123?x HTTP/1.1"), path_of(b"GET /v2/cart HTTP/1.1")
    (b'/user/*', b'/v2/cart')
    """
    return _ID.sub(b"*", url_of(request))


def method_of(request: bytes) -> bytes:
    """The method of a request line (RFC 9110, section 9); empty for what is none.

    >>> method_of(b"GET / HTTP/1.1"), method_of(b"x16x03"), method_of(b"- /a HTTP/1.1")
    (b'GET', b'', b'')
    """
    method = request_of(request)[0]
    return method if len(method) <= 32 and method != b"-" else b""


def status_of(result: bytes) -> bytes:
    """The status of ` STATUS SIZE`; empty when it is not known."""
    status = result[1:4]
    return status if status.isdigit() else b""


def text_of(text: bytes) -> bytes:
    """An agent or a host as it stands; empty for the dash that formats write for none."""
    return b"" if text == b"-" else text[:LONGEST]


def client_key(client: bytes) -> bytes:
    """`client` where it is an address, else empty."""
    client = client.rstrip(b"\r\n")
    return client if is_address(client) else b""


FIELDS: Final[Mapping[By, Field]] = {
    "ip": "client", "range": "client", "wide": "client", "narrow": "client", "country": "client",
    "asn": "client", "path": "request", "url": "request", "method": "request",
    "status": "result", "agent": "agent", "host": "host",
}  # fmt: skip
"""Of which field each key is made."""
FOLDS: Final[Mapping[By, Key]] = {
    "ip": client_key,
    "range": lambda client: range_of(client.rstrip(b"\r\n")),
    "wide": lambda client: wide_of(client.rstrip(b"\r\n")),
    "narrow": lambda client: narrow_of(client.rstrip(b"\r\n")),
    "path": path_of,
    "url": url_of,
    "method": method_of,
    "status": status_of,
    "agent": text_of,
    "host": text_of,
}
"""From the field as it stands in the line to the key; an empty key means unknown."""


def fold_for(by: By, places: Places | None = None) -> Key:
    """What makes the key of a field. Raises ValueError for a grouping by places without a
    database of them."""
    if by not in OF_PLACES:
        return FOLDS[by]
    if places is None:
        raise ValueError(f"{by} wants a database of places: name an .mmdb file")
    look = places.country if by == "country" else places.asn
    return lambda client: look(client_key(client))


def folded(counts: Mapping[bytes, int], by: By, places: Places | None = None) -> dict[bytes, int]:
    """Counts by raw field as counts by key, those of unknown key under the empty one."""
    if by == "ip":
        return _folded_clients(counts)
    fold = fold_for(by, places)
    out: dict[bytes, int] = {}
    for field, count in counts.items():
        key = fold(field)
        out[key] = out.get(key, 0) + count
    return out


def _folded_clients(counts: Mapping[bytes, int]) -> dict[bytes, int]:
    """Nearly all clients are addresses, and those are keys as they stand."""
    out = dict(counts)
    for field in not_ipv4(counts):
        if not is_ipv6(field):
            key = client_key(field)
            out[key] = out.pop(field) + out.get(key, 0)
    return out


def merged(some: dict[bytes, int], others: dict[bytes, int]) -> dict[bytes, int]:
    """The sums of two counts; it may be one of them, where the other is empty."""
    if not (some and others):
        return some or others
    sums = dict(some)
    for key, figure in others.items():
        sums[key] = sums.get(key, 0) + figure
    return sums
