"""Health of one HTTP(S) endpoint: status, latency and where it went, what the body says.

Every look is one request on a fresh connection. That costs 0.9 ms of CPU over http and 2.8 ms over
https, 2 ms of it the handshake, and sees what a kept connection hides: a name that no longer
resolves, a full accept queue, a certificate that expired in the meantime.

Through another host (`on = "web1"`) the connection comes out there, so the name is resolved there
too and its time is part of the connect.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import floor
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from warroom.config.values import Seconds, Secret
from warroom.domain.sample import Column, Detail, Health, Row, Sample
from warroom.domain.text import harmless
from warroom.probes._http_words import is_secret
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

if TYPE_CHECKING:
    from warroom.probes._http_detail import Look
    from warroom.probes._http_judge import Wanted

COLUMNS: Final = (
    Column("name", "endpoint", grow=True),
    Column("status", "status"),
    Column("latency", "latency", "seconds", 1),
    Column("course", "course", "spark", 2),
    Column("availability", "avail", "percent", 1),
    Column("cert_days", "cert days", "count", 3),
    Column("note", "note", priority=2, grow=True),
)
"""Columns of every endpoint's one row, so that a pane can put several probes in one table."""

METRICS: Final = frozenset(
    (
        "latency_s",
        "status",
        "availability",
        "steady_percent",
        "cert_days",
        "dns_s",
        "connect_s",
        "tls_s",
        "first_byte_s",
        "body_s",
        "size_bytes",
    )
)
"""Names that `fields` may not take."""

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What to ask of an endpoint.

    `expect` and `fields` are dotted paths into a JSON body (`components.db.status`,
    `checks.0.time`): `expect` by path, with the text it must have; `fields` by a name of yours.
    `window` counts looks.
    """

    url: str
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    headers: Mapping[str, Secret] = field(default_factory=dict)
    expect_status: tuple[int, ...] = ()
    expect: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    contains: str = ""
    follow_redirects: bool = True
    verify: bool = True
    ca: str = ""
    slow: Seconds | None = None
    window: int = 120

    def __post_init__(self) -> None:
        check_url(self.url)
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f'headers: "{name}" is not the name of a header')
            if value.is_literal and is_secret(name):
                raise ValueError(
                    f"headers: {name} holds a secret, which does not belong in a config; "
                    'name where it is, as in "env:NAME" or "file:PATH"'
                )
        if any(not 100 <= status <= 599 for status in self.expect_status):
            raise ValueError("expect_status: a status is 100 to 599")
        if not 1 <= self.window <= 10_000:
            raise ValueError("window: 1 to 10000 looks")
        taken = METRICS & self.fields.keys()
        if taken:
            raise ValueError(f'fields: "{min(taken)}" is a metric of every endpoint already')


def check_url(url: str) -> None:
    """Raises ValueError (`url: message`) when `url` is not one that may be asked."""
    if not url.isprintable() or " " in url or len(url) > 4096:
        raise ValueError("url: an address has no spaces and no control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("url: not an address such as https://shop.example/health") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("url: not an address such as https://shop.example/health")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "url: a user or password does not belong in an address; "
            "use headers, with the value in the environment or a file"
        )


class HttpProbe:
    """Looks at one endpoint; remembers its course over the window."""

    kind = "http"

    def __init__(self, options: HttpOptions, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        address, mark, _ = options.url.partition("?")
        self.asks = harmless(f"{options.method} {address}{mark and '?…'}")
        self._options, self._context = options, context
        self._looks: deque[Look] = deque(maxlen=options.window)
        self._spoke_json = False

    async def sample(self) -> Sample:
        """One request. No answer is a sample with health DOWN and the reason as its error.

        Raises ProbeFault when the request cannot be made as configured, HostError.
        """
        from warroom.probes._http_look import look

        options = self._options
        headers = await self._revealed()
        seen = await look(options, self._wanted(), headers, self._context, self._context.look_s)
        self._spoke_json = self._spoke_json or (seen.verdict is not None and seen.verdict.is_json)
        if self._looks:  # an answer is up to 1 MiB: only the newest keeps it
            self._looks[-1] = replace(self._looks[-1], answer=None)
        self._looks.append(seen)
        return self._sample(seen)

    async def detail(self, key: str) -> Detail:
        """What the last look saw; looks first if there was none yet."""
        from warroom.probes._http_detail import detail

        if key not in ("", self.name):
            raise ProbeFault(f"{self.name} has nothing called {harmless(key)}")
        if not self._looks:
            await self.sample()
        return detail(self.name, self._looks)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _wanted(self) -> Wanted:
        from warroom.probes._http_judge import Wanted

        options = self._options
        return Wanted(
            method=options.method,
            expect_status=options.expect_status,
            expect=options.expect,
            fields=options.fields,
            contains=options.contains,
            slow=options.slow,
            path=harmless(urlsplit(options.url).path),
            spoke_json=self._spoke_json,
        )

    async def _revealed(self) -> Mapping[str, str]:
        """The headers with their values; a value that HTTP cannot carry is refused unseen."""
        if not self._options.headers:
            return {}
        from warroom.hosts.secrets import reveal

        revealed = {}
        for name, secret in self._options.headers.items():
            value = (await reveal(secret, self._context.host)).strip()
            if not value.isascii() or not value.isprintable():
                raise ProbeFault(f"headers: the value of {name} is not one line of plain text")
            revealed[name] = value
        return revealed

    def _sample(self, seen: Look) -> Sample:
        metrics = dict(seen.metrics)
        metrics["availability"] = availability = self._availability()
        steady = self._steady()
        if steady is not None:
            metrics["steady_percent"] = steady
        cells = (
            self.name,
            seen.word,
            seen.latency,
            ",".join(f"{look.latency or 0:.4g}" for look in self._looks),
            availability,
            floor(metrics["cert_days"]) if "cert_days" in metrics else None,
            seen.note,
        )
        # the row's health stays None: it is the sample's, and would be written down twice
        row = Row(self.name, self.name, cells, note=seen.note, data={"url": seen.url})
        return Sample(
            self.name,
            seen.at,
            seen.health,
            seen.summary,
            metrics,
            COLUMNS,
            (row,),
            facts=seen.facts,
            error="" if seen.verdict else seen.note,
        )

    def _availability(self) -> float:
        """Percent of the looks in the window that were answered by a service that is not down."""
        good = sum(look.health is not Health.DOWN for look in self._looks)
        return 100.0 * good / len(self._looks)

    def _steady(self) -> float | None:
        """The same since the last outage (two such looks in a row), which is told by itself and is
        no news once it is over; None while there is one."""
        bad = [look.health is Health.DOWN for look in self._looks]
        begin = next((i + 1 for i in range(len(bad) - 1, 0, -1) if bad[i] and bad[i - 1]), 0)
        since = bad[begin:]
        return 100.0 * (1 - sum(since) / len(since)) if since else None


def _create(options: HttpOptions, context: ProbeContext) -> HttpProbe:
    return HttpProbe(options, context)


SPEC: Final = ProbeSpec("http", "HTTP endpoint", HttpOptions, _create)
