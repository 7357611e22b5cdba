"""An address or range as people and logs write it, made canonical or refused; and which of them
may never be blocked. Pure.

One way of writing only is read: dotted decimal IPv4 (RFC 6943, section 3.1.1, tells why every other
form is trouble: `010.0.0.1` is 10.0.0.1 here and 8.0.0.1 there) and IPv6 as of RFC 4291, with a
prefix length where a range is meant. What comes out is canonical (RFC 5952); IPv4 written as IPv6
(::ffff:203.0.113.7) is IPv4, as nginx itself compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from warroom.domain.text import harmless, shorten

Range = IPv4Network | IPv6Network
"""An address is a range of one."""

WIDEST: Final = {4: 8, 6: 19}
"""Shortest prefix that may be blocked. An IPv4 /8 and an IPv6 /19 are about the largest pieces that
one network was ever given; whatever is wider hits many who have nothing to do with each other."""
CAREFUL: Final = {4: 24, 6: 48}
"""A shorter prefix than this is more than one site: it wants the target typed. A /24 and a /48 are
the smallest pieces that are routed by themselves, and how top talkers groups."""

_LONGEST: Final = 49
"""Characters of the longest way to write one: eight groups, the last two as IPv4, and /128."""
_IPV4: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,3}))?", re.ASCII)
_IPV6: Final = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?(?:/(\d{1,3}))?")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_WRONG: Final = (
    (re.compile(r"[^\x20-\x7e]"), "has characters that are no plain digits or letters"),
    (re.compile(r"\s"), "has spaces in it"),
    (re.compile(r"%"), "has a zone: a client's address has none"),
    (re.compile(r"[\[\]]"), "has brackets: write the address alone"),
    (re.compile(r"[*?]"), 'has a wildcard: write a range as "203.0.113.0/24"'),
    (re.compile(r"[^0-9A-Fa-fxX.:/,-]"), "has characters that are in no address"),
    (re.compile(r","), "is more than one: block them one by one"),
    (re.compile(r"-"), 'is written from-to: write a range as "203.0.113.0/24"'),
    (re.compile(r"[xX]"), "is written in hex: write it as 203.0.113.7"),
    (re.compile(r"/[^/]*[.:/]"), 'has a mask: write the range as "203.0.113.0/24"'),
    (re.compile(r"/($|0\d)"), 'has no plain prefix length: write "203.0.113.0/24"'),
    (re.compile(r"^\d+(/|$)"), "is a number: write it as 203.0.113.7"),
    (re.compile(r"^[\d.]+:\d+$"), "has a port: write the address alone"),
)


class NotAnAddress(ValueError):
    """Not an address or range as it must be written, and why, in one plain line."""


@dataclass(frozen=True, slots=True)
class Never:
    """What may not be blocked, and whose it is: `"203.0.113.9", "this machine's own address"`."""

    range: Range
    whose: str


def _never(text: str, whose: str) -> Never:
    return Never(ip_network(text), whose)


NOBODY: Final = (
    _never("0.0.0.0/8", 'an address of "this network", no client\'s (RFC 1122)'),
    _never("127.0.0.0/8", "loopback: this machine itself"),
    _never("169.254.0.0/16", "link-local: machines and clouds talk to themselves with it"),
    _never("224.0.0.0/4", "multicast, no client's"),
    _never("240.0.0.0/4", "reserved or broadcast, no client's"),
    _never("::/128", "the unspecified address, no client's"),
    _never("::1/128", "loopback: this machine itself"),
    _never("fe80::/10", "link-local: neighbours talk to each other with it"),
    _never("ff00::/8", "multicast, no client's"),
)
"""IANA's special-purpose registries: what never is a client whom blocking would keep away."""
PRIVATE: Final = (
    ip_network("10.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("100.64.0.0/10"),
    ip_network("fc00::/7"),
)
"""Addresses within an organisation or a provider (RFC 1918, 4193, 6598): often one's own."""


def canonical(text: str) -> Range:
    """The address or range that `text` writes. Raises NotAnAddress.

    >>> str(canonical("203.0.113.0/24")), shown(canonical("2001:DB8:0::7"))
    ('203.0.113.0/24', '2001:db8::7')
    >>> shown(canonical("::ffff:203.0.113.7"))
    '203.0.113.7'
    """
    if not text:
        raise NotAnAddress("no address is given")
    if len(text) > _LONGEST:
        raise NotAnAddress(f"{_quoted(text)} is too long for an address")
    for pattern, wrong in _WRONG:
        if pattern.search(text):
            raise NotAnAddress(f"{_quoted(text)} {wrong}")
    if match := _IPV4.fullmatch(text):
        return _ipv4(text, match)
    if match := _IPV6.fullmatch(text):
        return _ipv6(text, match)
    if re.fullmatch(r"[\d.]+(/\d+)?", text):
        raise NotAnAddress(f"{_quoted(text)} is not whole: an IPv4 address has four parts")
    raise NotAnAddress(f"{_quoted(text)} is not an address")


def shown(found: Range) -> str:
    """As nginx is told and people read it: a range of one without its prefix length."""
    return str(found.network_address if found.prefixlen == found.max_prefixlen else found)


def is_single(found: Range) -> bool:
    return found.prefixlen == found.max_prefixlen


def within(inner: Range, outer: Range) -> bool:
    """Whether all of `inner` lies in `outer`."""
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False


def refusal(found: Range, never: Iterable[Never]) -> str:
    """Why `found` may not be blocked, in words; empty when it may."""
    text = shown(found)
    if found.prefixlen == 0:
        return f"{text} is everybody: that is never blocked"
    widest = WIDEST[found.version]
    if found.prefixlen < widest:
        return f"{text} is too wide: ranges wider than /{widest} are never blocked"
    for one in (*NOBODY, *never):
        if within(found, one.range):
            return f"{text} is never blocked: it is {_within_words(found, one)}"
        if within(one.range, found):
            return f"{text} is never blocked: it holds {shown(one.range)}, {one.whose}"
    return ""


def is_private(found: Range) -> bool:
    """Whether it lies in what organisations use within."""
    return any(within(found, one) for one in PRIVATE)


def _within_words(found: Range, one: Never) -> str:
    return one.whose if found == one.range else f"within {shown(one.range)}, {one.whose}"


def _ipv4(text: str, match: re.Match[str]) -> Range:
    parts, prefix = match.groups()[:4], match[5]
    if any(len(part) > 1 and part[0] == "0" for part in parts):
        raise NotAnAddress(f"{_quoted(text)} has a leading zero: some read it as octal")
    if any(int(part) > 255 for part in parts):
        raise NotAnAddress(f"{_quoted(text)} is not an address: each part is 0 to 255")
    return _network(text, prefix, 32)


def _ipv6(text: str, match: re.Match[str]) -> Range:
    if re.search(r"[:.]0\d+\.|\.0\d", text):
        raise NotAnAddress(f"{_quoted(text)} has a leading zero: some read it as octal")
    found = _network(text, match[1], 128)
    assert isinstance(found, IPv6Network)
    if found.overlaps(_MAPPED):
        if found.prefixlen < 96:
            raise NotAnAddress(f"{_quoted(text)} is too wide: it holds every IPv4 address")
        last = found.network_address.ipv4_mapped
        return ip_network(f"{last}/{found.prefixlen - 96}")
    if found.subnet_of(_COMPATIBLE) and found.network_address > IPv6Address("::1"):
        raise NotAnAddress(f"{_quoted(text)} is an old way of writing IPv4 that nobody uses now")
    return found


def _network(text: str, prefix: str | None, longest: int) -> Range:
    if prefix is not None and int(prefix) > longest:
        raise NotAnAddress(f"{_quoted(text)} has a prefix length over {longest}")
    try:
        loose = ip_network(text, strict=False)
    except ValueError as error:
        raise NotAnAddress(f"{_quoted(text)} is not an address") from error
    address = text.partition("/")[0]
    if loose.network_address != ip_network(address).network_address:
        raise NotAnAddress(
            f"{_quoted(text)} is one address in a range: write {address}, or {loose} for all of it"
        )
    return loose


def _quoted(text: str) -> str:
    return f'"{shorten(harmless(text), 60)}"'
