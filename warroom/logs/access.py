"""Addresses and request lines: what the counting needs to know of a line's parts.

What is not an address stays unknown; nothing is looked for elsewhere in the line.
"""

from __future__ import annotations

import re
from _socket import AF_INET6, inet_pton  # `socket` itself takes as long to import as all the rest
from collections.abc import Iterable
from typing import Final

_OCTET: Final = rb"(?:1\d?+\d?+|2(?:[0-4]\d?+|5[0-5]?+|[6-9])?+|[3-9]\d?+|0)"
_IPV4: Final = re.compile(rb"\.".join([_OCTET] * 4))
_PORT: Final = re.compile(rb"([\d.]+):\d{1,5}|\[([0-9a-fA-F:.]+)\](?::\d{1,5})?")
_AUTHORITY: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{0,15}://[^/?#]*+")


def is_address(text: bytes) -> bool:
    """Whether `text` is an IPv4 or IPv6 address (RFC 4291, section 2.2) and nothing else."""
    return bool(_IPV4.fullmatch(text)) or is_ipv6(text)


def not_ipv4(texts: Iterable[bytes]) -> list[bytes]:
    """Those that are no IPv4 addresses: the quick look at many."""
    match = _IPV4.fullmatch
    return [text for text in texts if not match(text)]


def is_ipv6(text: bytes) -> bool:
    """Whether `text` is an IPv6 address (RFC 4291, section 2.2) and nothing else."""
    try:
        inet_pton(AF_INET6, text.decode("ascii"))
    except (OSError, ValueError):  # no address; not ASCII, or a NUL in it
        return False
    return True


def address_in(peer: bytes) -> bytes:
    """The address of a peer that is written alone, with a port, or in brackets (RFC 3986, section
    3.2.2); empty when that is none. An IPv6 address with a bare port after it is not unpicked:
    where a format writes such, it says so.

    >>> address_in(b"203.0.113.7:4711"), address_in(b"[2001:db8::1]:80"), address_in(b"shop:80")
    (b'203.0.113.7', b'2001:db8::1', b'')
    """
    if is_address(peer):
        return peer
    found = _PORT.fullmatch(peer)
    address = (found[1] or found[2]) if found is not None else b""
    return address if is_address(address) else b""


def request_of(request: bytes) -> tuple[bytes, bytes]:
    """Method and path of a request line; what is not one is all path. Of a whole URL, such as
    proxies and load balancers write, the path is what comes after the host.

    >>> request_of(b"GET /a b HTTP/1.1"), request_of(b"x16x03")
    ((b'GET', b'/a b'), (b'', b'x16x03'))
    >>> request_of(b"GET http://shop.example:80/a?b HTTP/1.1")
    (b'GET', b'/a?b')
    """
    method, space, rest = request.partition(b" ")
    path, blank, protocol = rest.rpartition(b" ")
    if blank and protocol.startswith(b"HTTP/"):
        return method, path_in(path)
    if space and (rest[:1] == b"/" or b"://" in rest[:20]):
        return method, path_in(rest)
    return b"", request


def path_in(url: bytes) -> bytes:
    """The path of a URL with its query; a path alone is itself.

    >>> path_in(b"https://shop.example?a"), path_in(b"/a")
    (b'/?a', b'/a')
    """
    if url[:1] == b"/" or b"://" not in url[:20]:
        return url
    found = _AUTHORITY.match(url)
    path = url[found.end() :] if found is not None else url
    return path if path[:1] == b"/" else b"/" + path
