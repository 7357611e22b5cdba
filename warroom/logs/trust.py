"""Who asked, when proxies stand between: which hops of X-Forwarded-For are believed.

Anybody can send an X-Forwarded-For header. What stands in it is believed only as far as hops that
the config calls trusted have added to it: read from the near end, the first hop that is not one of
them is the client (nginx, ngx_http_realip_module, `real_ip_recursive`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from warroom.logs.access import address_in

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from warroom.logs.formats.base import Roles

_HOPS: Final = 64
_REMEMBERED: Final = 50_000


class Trust:
    """The addresses and networks that are believed. Raises ValueError for what is none.

    >>> trust = Trust(["10.0.0.0/8"])
    >>> trust.client(b"10.0.0.1", b"6.6.6.6, 203.0.113.7, 10.0.0.2")
    b'203.0.113.7'
    >>> trust.client(b"203.0.113.9", b"6.6.6.6")
    b'203.0.113.9'
    """

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = []
        if networks:
            from ipaddress import ip_network

            self._networks = [ip_network(text, strict=False) for text in networks]
        self._known: dict[bytes, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: bytes, chain: bytes) -> bytes:
        """The client behind `peer`, which said that there were the hops of `chain`; empty when a
        trusted hop does not say who it was. An empty peer is one that the format does not write:
        whoever names trusted proxies for such a log says that its requests come through one."""
        if peer and not self._believes(peer):
            return peer
        nearest = peer
        if chain in (b"", b"-"):
            return nearest
        for hop in reversed(chain.split(b",")[-_HOPS:]):
            address = address_in(hop.strip())
            if not address:
                return b""
            if not self._believes(address):
                return address
            nearest = address
        return nearest

    def _believes(self, address: bytes) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._is_in(address)
        return known

    def _is_in(self, text: bytes) -> bool:
        from ipaddress import IPv6Address, ip_address

        try:
            address = ip_address(text.decode("ascii"))
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


NOBODY: Final = Trust()
"""No header is believed: the client is the peer."""


def client_in(roles: Roles, line: bytes, trust: Trust = NOBODY) -> bytes:
    """The client's address, as it stands in `line`; empty when it is not known."""
    written = roles.get("client", b"")
    peer = address_in(written)
    if trust and (peer or not written.strip(b"-")):
        peer = trust.client(peer, roles.get("forwarded", b""))
    # a decoded text may hold what the line does not: that is no address of this line
    return peer if peer in line else b""
