"""Keeps the newest lines of a container's log with the incident, before they are gone with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Row
from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import HostError
from warroom.hosts.containers import newest_lines
from warroom.hosts.docker import Engine
from warroom.hosts.docker_container import NAME, Container, container
from warroom.mitigations._docker_engine import OnEngine
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    Risk,
    Target,
)

MOST: Final = 10_000
KEPT: Final = 200
"""Lines that are kept of a container before it is removed."""
LIMIT: Final = 768 * 1024
"""Bytes that are kept, the newest of them: less than `evidence.TEXT_LIMIT` characters."""
_LINE: Final = 4096
_READ_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class LogsOptions:
    """`container` is a name or id (empty: the selected row), `socket` as for the docker probe;
    `lines` is how many of the newest are kept."""

    container: str = ""
    socket: str = ""
    lines: int = 500

    def __post_init__(self) -> None:
        if self.container and not NAME.fullmatch(self.container):
            raise ValueError("container: not the name or id of a container")
        if not 1 <= self.lines <= MOST:
            raise ValueError(f"lines: from 1 to {MOST:,}")


class KeepLogs(OnEngine):
    """Reads, and changes nothing: what it reads becomes evidence of the incident."""

    def __init__(
        self, options: LogsOptions, context: MitigationContext, engine: Engine | None = None
    ) -> None:
        super().__init__(options.socket, context, engine)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """Whose lines. Raises MitigationRefused, also for a log that cannot be read."""
        engine, found, _ = await self.chosen(self._options.container, row)
        one, driver = container(found), _driver(found)
        if driver == "none":
            raise MitigationRefused(f'{one.name} keeps no log: its log driver is "none"')
        lines = self._options.lines
        return Card(
            kind="docker.logs",
            title=f"Keep the log of {one.name}",
            host=self._context.host.name,
            target=Target(one.id, one.name, {"started_at": one.started}),
            command=(
                f"GET /containers/{one.short}/logs?tail={lines} on {engine.where}",
                f"docker logs --timestamps --tail {lines} {one.name}",
            ),
            hits=(
                ("container", f"{one.short}, image {one.image}"),
                ("state", one.words),
                ("log driver", driver),
                ("kept", f"the newest {lines:,} lines, output and errors, of all its runs"),
            ),
            undo="nothing is changed; the evidence can be retracted in the timeline",
            risk=Risk.READ,
            warnings=("whatever secrets its log holds will stand in the record",),
        )

    async def perform(self, card: Card) -> Done:
        """Read the log of the container on the card, whichever run it is in by now."""
        try:
            engine = await self.connected()
            one = container(await engine.inspect(card.target.id))
            self._context.fence()
            kept = await log_of(engine, one, self._options.lines, card.host)
        except (HostError, TimeoutError) as error:
            why = str(error) or f"no answer within {_READ_S:g} s"
            raise MitigationFailed(f"its log cannot be read: {why}") from error
        if kept is None:
            return Done(f"{one.name} has written nothing", {"lines": 0})
        count = kept.text.count("\n") + 1
        said = f"{count:,} lines of {one.name} are kept"
        since = f", from {kept.begin:%Y-%m-%d %H:%M:%S} UTC on" if kept.begin else ""
        return Done(said + since, {"lines": count, "container": one.id}, exhibits=(kept,))


async def log_of(engine: Engine, one: Container, lines: int, host: str) -> Evidence | None:
    """The newest lines of a container's log as evidence; None where it has written nothing.

    Raises HostError for a log that cannot be read, and TimeoutError.
    """
    async with asyncio.timeout(_READ_S):
        found = await newest_lines(engine, one, lines, LIMIT)
    if not found:
        return None
    return Evidence(
        EvidenceKind.LINES, f"log of {one.name}", "\n".join(map(_line, found)), source=one.name,
        host=host, query=f"docker logs --timestamps --tail {lines} {one.short}",
        begin=_instant(found[0]), end=_instant(found[-1]),
    )  # fmt: skip


async def kept_log(engine: Engine, one: Container, context: MitigationContext) -> Evidence | None:
    """What a container wrote last, before it is removed; None where that cannot be read, which is
    said."""
    try:
        return await log_of(engine, one, KEPT, context.host.name)
    except (HostError, TimeoutError) as error:
        context.output.say(f"the log of {one.name} could not be read: {error}")
        return None


async def last_words(engine: Engine, one: Container, count: int = 3) -> str:
    """What a container said last, on one line; empty when that cannot be read."""
    try:
        async with asyncio.timeout(5.0):
            found = await newest_lines(engine, one, count, LIMIT)
    except (HostError, TimeoutError):
        return ""
    return " / ".join(harmless_bytes(line.partition(b" ")[2], limit=200) for line in found)


def _line(line: bytes) -> str:
    """`12:00:04Z what it said`."""
    at, message = _instant(line), line.partition(b" ")[2].removesuffix(b"\r")
    text = harmless_bytes(message, limit=_LINE)
    return f"{at:%H:%M:%S}Z {text}" if at is not None else text


def _instant(line: bytes) -> datetime | None:
    try:
        stamp = line.partition(b" ")[0].decode("ascii", "replace")
        return datetime.fromisoformat(stamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _driver(found: Mapping[str, Any]) -> str:
    host_config = found.get("HostConfig")
    config = host_config.get("LogConfig") if isinstance(host_config, Mapping) else None
    kind = config.get("Type") if isinstance(config, Mapping) else ""
    return harmless(str(kind or "unknown"))[:60]


def _create(options: LogsOptions, context: MitigationContext) -> Mitigation:
    return KeepLogs(options, context)


SPECS: Final = (
    MitigationSpec(
        kind="docker.logs",
        title="Keep the container's log",
        options=LogsOptions,
        create=_create,
        risk=Risk.READ,
        acts_on="docker",
        takes_row=True,
        target_option="container",
        timeout=_READ_S + 10.0,
    ),
)
