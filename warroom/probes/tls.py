"""The certificate of one TLS endpoint, whatever speaks behind it: days left, chain, names.

Only a handshake is made; nothing is sent. Protocols that begin in plain text and turn to TLS
later (STARTTLS of SMTP, IMAP, PostgreSQL) are not spoken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Final

from warroom.domain.sample import Column, Detail, Health, Row, Sample
from warroom.domain.text import harmless, shorten
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

if TYPE_CHECKING:
    from warroom.probes._http_certificates import Certificate
    from warroom.probes._http_wire import Wire

COLUMNS: Final = (
    Column("name", "endpoint", grow=True),
    Column("cert_days", "days left", "count"),
    Column("until", "until", priority=1),
    Column("subject", "subject", priority=2, grow=True),
    Column("issuer", "issuer", priority=3, grow=True),
    Column("protocol", "protocol", priority=2),
    Column("note", "note", priority=1, grow=True),
)


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Where to shake hands; `server_name` (SNI, and whose certificate it must be) is the host's
    by default; `ca` is a PEM file or folder in place of the machine's authorities."""

    host: str
    port: int = 443
    server_name: str = ""
    ca: str = ""

    def __post_init__(self) -> None:
        for key, value in (("host", self.host), ("server_name", self.server_name)):
            if not value.isprintable() or any(char in value for char in " /@?#"):
                raise ValueError(f"{key}: a name or an IP address, without https:// and path")
        if not self.host:
            raise ValueError("host: a name or an IP address")
        if not 1 <= self.port <= 65535:
            raise ValueError("port: 1 to 65535")


class TlsProbe:
    """Shakes hands and reads the certificate."""

    kind = "tls"

    def __init__(self, options: TlsOptions, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        server = f", as {options.server_name}" if options.server_name else ""
        host = f"[{options.host}]" if ":" in options.host else options.host
        self.asks = harmless(f"a TLS handshake with {host}:{options.port}{server}")
        self._options, self._context = options, context
        self._seen: Certificate | None = None
        self._protocol = ""

    async def sample(self) -> Sample:
        """One handshake. A certificate that is refused is a sample with health DOWN.

        Raises ProbeFault when there is no handshake to judge, HostError.
        """
        from warroom.probes._http_look import certificate_refused, parsed
        from warroom.probes._http_wire import BadCertificate, NoAnswer, Stage, Wire

        wire = Wire(self._context.host, self._context.clock)
        limit = self._context.look_s
        began = self._context.clock.monotonic()
        problem = ""
        try:
            async with asyncio.timeout(limit):
                await self._shake(wire)
        except BadCertificate as fault:
            left = limit - (self._context.clock.monotonic() - began)
            problem = await certificate_refused(fault, wire, left, self._context.clock.now())
        except NoAnswer as fault:
            raise ProbeFault(str(fault), down=True) from None
        except TimeoutError:
            stage = wire.stage or Stage.CONNECT
            message = f"timed out after {self._context.timeout:g} s waiting for {stage.value}"
            raise ProbeFault(message, down=True) from None
        finally:
            wire.enter(None)
        self._seen, self._protocol = parsed(wire.certificate), wire.tls
        return self._sample(wire, problem)

    async def detail(self, key: str) -> Detail:
        """All about the certificate that the last look saw."""
        from warroom.probes._http_detail import certificate_section

        if key not in ("", self.name):
            raise ProbeFault(f"{self.name} has nothing called {harmless(key)}")
        if self._seen is None:
            await self.sample()
        if self._seen is None:
            raise ProbeFault("no certificate could be read")
        now = self._context.clock.now()
        return Detail(self.name, (certificate_section(self._seen, now, self._protocol),))

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _shake(self, wire: Wire) -> None:
        from warroom.probes._http_certificates import TrustFault, trust

        options = self._options
        try:
            context = trust(True, options.ca)
        except TrustFault as fault:
            raise ProbeFault(str(fault)) from None
        stream = await wire.connect_tcp(options.host, options.port)
        wire.asked = options.server_name or options.host
        try:
            await stream.start_tls(context, wire.asked)
        finally:
            await stream.aclose()

    def _sample(self, wire: Wire, problem: str) -> Sample:
        from warroom.probes._http_look import METRIC_OF

        now = self._context.clock.now()
        metrics = {METRIC_OF[stage]: seconds for stage, seconds in wire.spent.items()}
        metrics["latency_s"] = sum(wire.spent.values())
        seen, days = self._seen, None
        if seen is not None:
            metrics["cert_days"] = seen.days_left(now)
            days = floor(metrics["cert_days"])
        cells = (
            self.name,
            days,
            f"{seen.not_after:%Y-%m-%d}" if seen else "",
            seen.subject if seen else "",
            seen.issuer if seen else "",
            wire.tls,
            problem,
        )
        summary = problem or f"certificate valid for {days} more days"
        return Sample(
            self.name,
            now,
            Health.DOWN if problem else Health.OK,
            summary,
            metrics,
            COLUMNS,
            (Row(self.name, self.name, cells, note=problem),),
            facts={"names": shorten(", ".join(seen.names), 200)} if seen else {},
        )


def _create(options: TlsOptions, context: ProbeContext) -> TlsProbe:
    return TlsProbe(options, context)


SPEC: Final = ProbeSpec("tls", "TLS certificate", TlsOptions, _create, every=300.0)
