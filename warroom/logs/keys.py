"""What requests are grouped by: client, its range, path, status, agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from warroom.logs.access import is_address, not_ipv4, request_of

By = Literal["ip", "range", "path", "status", "agent"]


def range_of(client: bytes) -> bytes:
    """The /24 or /48 that an address lies in; an IPv4 address written as IPv6 (RFC 4291, section
    2.5.5.2) counts as IPv4. Empty for what is no address.

    >>> range_of(b"203.0.113.9"), range_of(b"2001:db8:1:2::3"), range_of(b"::ffff:10.1.2.3")
    (b'203.0.113.0/24', b'2001:db8:1::/48', b'10.1.2.0/24')
    """
    if not is_address(client):
        return b""
    if b":" not in client:
        return client.rpartition(b".")[0] + b".0/24"
    import socket

    packed = socket.inet_pton(socket.AF_INET6, client.decode())
    if packed[:12] == bytes(10) + b"\xff\xff":
        return b"%d.%d.%d.0/24" % tuple(packed[12:15])
    network = socket.inet_ntop(socket.AF_INET6, packed[:6] + bytes(10))
    return network.encode() + b"/48"


def path_of(request: bytes) -> bytes:
    """The path of a request line without its query; empty when there is none.

    >>> path_of(b"GET /cart?id=7 HTTP/1.1"), path_of(b"")
    (b'/cart', b'')
    """
    return request_of(request)[1].partition(b"?")[0]


def status_of(result: bytes) -> bytes:
    """The status of ` STATUS SIZE `; empty when it is not known."""
    status = result[1:4]
    return status if status.isdigit() else b""


def client_key(client: bytes) -> bytes:
    """`client` where it is an address, else empty."""
    client = client.rstrip(b"\r\n")
    return client if is_address(client) else b""


FOLDS: Final[Mapping[By, Callable[[bytes], bytes]]] = {
    "ip": client_key,
    "range": lambda client: range_of(client.rstrip(b"\r\n")),
    "path": path_of,
    "status": status_of,
    "agent": lambda agent: agent,
}
"""From the field as it stands in the line to the key; an empty key means unknown."""


def folded(counts: Mapping[bytes, int], by: By) -> dict[bytes, int]:
    """Counts by raw field as counts by key, those of unknown key under the empty one."""
    if by == "ip":
        return _folded_clients(counts)
    fold = FOLDS[by]
    out: dict[bytes, int] = {}
    for field, count in counts.items():
        key = fold(field)
        out[key] = out.get(key, 0) + count
    return out


def _folded_clients(counts: Mapping[bytes, int]) -> dict[bytes, int]:
    """Most clients are IPv4 addresses, and those are keys as they stand."""
    out = dict(counts)
    for field in not_ipv4(counts):
        key = client_key(field)
        if key != field:
            out[key] = out.get(key, 0) + out.pop(field)
    return out
