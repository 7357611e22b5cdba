"""Who an address belongs to, as others say it: its name in the DNS, its owner by whois.

Both ask somebody else, and tell them the address: the DNS servers that this machine uses, and the
registry that IANA names for it (RFC 3912; the first answer's `refer:` says which). Nothing is asked
before somebody wants it, once, with a time limit; what comes is cut and harmless.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_network
from typing import Final

from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import HostError

IANA: Final = "whois.iana.org"
PORT: Final = 43
TIMEOUT_S: Final = 8.0
"""Seconds for one answer."""
_LIMIT: Final = 64 * 1024
_HOPS: Final = 3
_TELLING: Final = (
    "inetnum", "inet6num", "netrange", "cidr", "netname", "descr", "orgname", "org-name",
    "organization", "owner", "country", "origin", "originas", "route", "route6", "abuse-mailbox",
    "orgabuseemail", "status",
)  # fmt: skip
"""What RIPE, APNIC, AFRINIC, ARIN and LACNIC call what a responder asks for."""


def asked_for(text: str) -> str:
    """The address that `text`, an address or a range, is about. Raises HostError."""
    try:
        return str(ip_network(text.strip(), strict=False).network_address)
    except ValueError:
        raise HostError(f'"{harmless(text)[:60]}" is no address and no range') from None


async def name_of(address: str, *, timeout: float = TIMEOUT_S) -> str:
    """The name that the DNS has for an address (its PTR record). Raises HostError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            name, _ = await loop.getnameinfo((address, 0), socket.NI_NAMEREQD)
    except TimeoutError:
        raise HostError(f"the DNS did not answer within {timeout:.0f} s") from None
    except socket.gaierror as error:
        raise HostError(f"the DNS has no name for it ({harmless(error.strerror or '')})") from None
    return harmless(name)[:255]


async def owner_of(
    address: str, *, server: str = IANA, port: int = PORT, timeout: float = TIMEOUT_S
) -> tuple[str, list[tuple[str, str]]]:
    """The registry that answered last, and what it says of an address in its own words, the
    telling ones. Raises HostError."""
    try:
        async with asyncio.timeout(timeout):
            for _ in range(_HOPS):
                answer = await _answer(address, server, port)
                pairs = _pairs(answer)
                further = next((v for k, v in pairs if k in ("refer", "referralserver")), "")
                further, further_port = _server(further, port)
                if not further or further == server:
                    break
                server, port = further, further_port
    except TimeoutError:
        raise HostError(f"{server} did not answer within {timeout:.0f} s") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HostError(f"{server}: {harmless(reason)}") from None
    return server, [(key, value) for key, value in pairs if key in _TELLING]


async def _answer(address: str, server: str, port: int) -> str:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(address.encode("ascii") + b"\r\n")
        await writer.drain()
        data = b""
        while len(data) < _LIMIT and (piece := await reader.read(_LIMIT - len(data))):
            data += piece
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return harmless_bytes(data, limit=_LIMIT, lines=True)


def _pairs(answer: str) -> list[tuple[str, str]]:
    found = []
    for line in answer.splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip() and not line.startswith(("%", "#", " ")):
            found.append((key.strip().lower(), value.strip()[:200]))
    return found


def _server(text: str, port: int) -> tuple[str, int]:
    """Host and port of `whois.ripe.net`, `whois://whois.ripe.net:43` or `rwhois://HOST:4321`; no
    host where it is another protocol than whois."""
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme != "whois":
        return "", port
    host, colon, number = rest.strip("/").partition(":")
    return host, int(number) if colon and number.isdigit() else port
