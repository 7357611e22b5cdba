"""What a name resolves to, and how long that takes.

Asked is the resolver of the machine, as every program on it does (`getaddrinfo`: /etc/hosts, then
the name servers); on another host the same by `getent ahosts`. A cache between here and there may
hide what the authoritative servers say.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Column, Detail, Health, Row, Sample, Section
from warroom.domain.text import harmless
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

COLUMNS: Final = (
    Column("address", "address", grow=True),
    Column("family", "family", priority=1),
    Column("expected", "expected"),
)

_NAME: Final = re.compile(r"[\w.-]{1,253}")
_NOT_FOUND: Final = 2
"""getent's exit code for a name without addresses (getent(1))."""


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """`host` is the name to resolve; with `expect`, the addresses it must have, and no other."""

    host: str
    expect: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.host) or self.host.startswith("-"):
            raise ValueError("host: a host name such as shop.example")
        for address in self.expect:
            if _canonical(address) is None:
                raise ValueError(f'expect: "{address}" is not an IP address')


class DnsProbe:
    """Resolves one name."""

    kind = "dns"

    def __init__(self, options: DnsOptions, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        far = context.host.name
        by = (
            f"the resolver of {far} (getent ahosts)"
            if far
            else "this machine's resolver (getaddrinfo)"
        )
        self.asks = harmless(f"the addresses of {options.host}, by {by}")
        self._options, self._context = options, context
        self._last: Sample | None = None

    async def sample(self) -> Sample:
        """One resolution. Raises ProbeFault (down) when there is no address, HostError."""
        clock, timeout = self._context.clock, self._context.timeout
        began = clock.monotonic()
        try:
            async with asyncio.timeout(self._context.look_s):
                addresses = await self._resolved()
        except TimeoutError:
            message = f"no name server answered within {timeout:g} s ({self._options.host})"
            raise ProbeFault(message, down=True) from None
        self._last = self._sample(addresses, clock.monotonic() - began)
        return self._last

    async def detail(self, key: str) -> Detail:
        """The addresses of the last look."""
        last = self._last or await self.sample()
        if key and key not in {row.key for row in last.rows}:
            raise ProbeFault(f"{self._options.host} does not resolve to {harmless(key)} now")
        expected = ", ".join(self._options.expect) or "anything"
        pairs = (("name", self._options.host), ("result", last.summary), ("expected", expected))
        lines = tuple(row.name for row in last.rows)
        return Detail(self.name, (Section("resolution", pairs, lines),))

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _resolved(self) -> tuple[str, ...]:
        from warroom.probes._http_names import NameFault, resolve

        name, host = self._options.host, self._context.host
        if not host.name:
            try:
                return tuple(address.host for address in await resolve(name, 0))
            except NameFault as fault:
                raise ProbeFault(str(fault), down=True) from None
        result = await host.run(["getent", "ahosts", name], timeout=self._context.timeout)
        if result.code == _NOT_FOUND:
            raise ProbeFault(f"no such name: {name} (DNS of {host.name})", down=True)
        if result.code:
            raise ProbeFault(f"getent on {host.name} failed with exit code {result.code}")
        words = (
            line.split(b" ", 1)[0].decode("ascii", "replace") for line in result.out.split(b"\n")
        )
        return tuple(dict.fromkeys(word for word in words if _canonical(word)))

    def _sample(self, addresses: tuple[str, ...], took: float) -> Sample:
        found = {_canonical(address) or address for address in addresses}
        expected = {_canonical(address) for address in self._options.expect}
        health, summary = _verdict(sorted(found), expected, took)
        rows = tuple(
            Row(
                address,
                address,
                (address, "IPv6" if ":" in address else "IPv4", _word(address, expected)),
            )
            for address in sorted(found)
        )
        metrics = {"resolve_s": took, "addresses": float(len(found))}
        now = self._context.clock.now()
        return Sample(self.name, now, health, summary, metrics, COLUMNS, rows)


def _verdict(found: list[str], expected: set[str | None], took: float) -> tuple[Health, str]:
    shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    wanted = ", ".join(sorted(str(address) for address in expected))
    if not expected or set(found) == expected:
        return Health.OK, f"{shown} in {span(took)}"
    if expected.isdisjoint(found):
        return Health.DOWN, f"resolves to {shown} (expected {wanted})"
    return Health.DEGRADED, f"resolves to {shown} (expected just {wanted})"


def _word(address: str, expected: set[str | None]) -> str:
    if not expected:
        return ""
    return "yes" if address in expected else "no"


def _canonical(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def _create(options: DnsOptions, context: ProbeContext) -> DnsProbe:
    return DnsProbe(options, context)


SPEC: Final = ProbeSpec("dns", "DNS name", DnsOptions, _create, every=30.0)
