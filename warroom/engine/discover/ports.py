"""Local ports that answer HTTP: loopback only, each asked twice at the most."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.engine.discover.findings import Found, Look, Missing

if TYPE_CHECKING:
    import httpx

_LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp, proc(5)."""
_NOT_HTTP: Final = frozenset(
    {21, 22, 23, 25, 53, 110, 111, 143, 389, 465, 587, 631, 636, 873, 993, 995, 2049, 3306, 5432,
     5672, 6379, 6432, 11211, 27017}
)  # fmt: skip
"""Ports whose protocol is another one: a stray request there is noise in somebody's log."""
_MOST: Final = 24
_AT_ONCE: Final = 6
_PATIENCE: Final = 1.5
_BODY: Final = 4096


async def look_at_ports(root: Path) -> Look:
    """Every listener that loopback reaches and that answers GET /health or GET /."""
    ports = sorted(port for port in listening(root) if port not in _NOT_HTTP)
    if not ports:
        return [Missing("http", "nothing else listens on this machine")]
    import httpx

    gate = asyncio.Semaphore(_AT_ONCE)
    limits = httpx.Timeout(_PATIENCE)
    async with httpx.AsyncClient(trust_env=False, timeout=limits, verify=False) as client:

        async def asked(port: int) -> Found | Missing | None:
            async with gate:
                return await _ask(client, port)

        answers = await asyncio.gather(*(asked(port) for port in ports[:_MOST]))
    found: Look = [answer for answer in answers if answer is not None]
    if len(ports) > _MOST:
        found.append(Missing("http", f"{len(ports) - _MOST} more ports listen and were not asked"))
    return found or [Missing("http", "no listening port answered HTTP")]


def listening(root: Path) -> set[int]:
    """TCP ports that this machine listens on and that loopback reaches."""
    ports = set()
    for name in ("tcp", "tcp6"):
        try:
            text = (root / "proc/net" / name).read_text("ascii", "replace")
        except OSError:  # no /proc, or no IPv6: then there is nothing to list
            continue
        for line in text.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTEN and (port := _reachable(fields[1])):
                ports.add(port)
    return ports


def _reachable(address: str) -> int:
    """The port of `0100007F:1F90` when it is loopback's or everybody's, else 0."""
    host, _, port = address.partition(":")
    try:
        words = struct.unpack(f"<{len(host) // 8}I", bytes.fromhex(host))
        packed = struct.pack(f">{len(words)}I", *words)
        ip = ipaddress.ip_address(packed)
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        return int(port, 16) if mapped.is_loopback or mapped.is_unspecified else 0
    except (ValueError, struct.error):  # a line of another shape: not an address
        return 0


async def _ask(client: httpx.AsyncClient, port: int) -> Found | Missing | None:
    last = 0
    for path in ("/health", "/"):
        status = await _status(client, f"http://127.0.0.1:{port}{path}")
        if status is None:
            return None
        if status < 400:
            url = f"http://127.0.0.1:{port}{path if path != '/' else ''}"
            table = {"kind": "http", "name": f"port-{port}", "url": url}
            return Found("probe", table, f"GET {path} at port {port} answered {status}")
        last = status
    why = f"port {port} answers /health and / with {last}; name its own health path"
    return Missing("http", why)


async def _status(client: httpx.AsyncClient, url: str) -> int | None:
    """The status, the body left unread beyond its first 4 KiB; None when it is not HTTP."""
    import httpx

    try:
        async with asyncio.timeout(_PATIENCE), client.stream("GET", url) as response:
            return response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
        return None
