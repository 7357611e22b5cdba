"""PostgreSQL: connections by state, who waits for whom, replication, size; a backend a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from warroom.config.values import Secret
from warroom.domain.sample import Detail, Health, Sample
from warroom.domain.text import harmless
from warroom.hosts.postgres import (
    PostgresFault,
    PostgresSession,
    server_version,
    statement,
    tolerant,
)
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

if TYPE_CHECKING:
    import asyncio

_ROOM: Final = "warroom.probes"
_SIZE_EVERY_S: Final = 60.0
"""The size of a database looks at every one of its files."""


@dataclass(frozen=True, slots=True)
class Options:
    """`dsn`: any PostgreSQL URL, or where it is kept; `queries`: the team's own, read-only, shown
    in the source's detail; `rows`: backends at most."""

    dsn: Secret
    queries: Mapping[str, str] = field(default_factory=dict)
    rows: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= 1000:
            raise ValueError("rows: from 1 to 1000")


class PostgresProbe:
    """Looks at one server through one read-only session."""

    kind = "postgres"

    def __init__(self, options: Options, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        self._options, self._clock = options, context.clock
        limit = max(1.0, context.timeout - 0.5)
        self._session = PostgresSession(options.dsn, context.host, timeout=limit)
        self._before: Any = None
        self._size: float | None = None
        self._size_at: float | None = None
        self._slots = ""

    async def sample(self) -> Sample:
        """One look. Raises ProbeFault."""
        from warroom.probes import _postgres_rows as rows
        from warroom.probes import _postgres_view as view

        try:
            async with self._session.use() as connection:
                version = server_version(connection)
                overview = await connection.fetchrow(statement(_ROOM, "overview", version))
                backends = await connection.fetch(
                    statement(_ROOM, "activity", version), self._options.rows
                )
                replication = await self._replication(connection, version, overview["sees_all"])
                size = await self._sized(connection, version)
        except PostgresFault as fault:
            raise self._faulted(fault) from fault
        now = view.totals(overview, self._clock.monotonic())
        blocked = sum(1 for backend in backends if backend["blocked_by"])
        look = view.Look(overview, replication, blocked, size, now, self._before)
        self._before = now
        self._slots = f"{overview['connections_max']}"
        values = view.metrics(look)
        return Sample(
            source=self.name,
            at=self._clock.now(),
            health=Health.OK,
            summary=view.summary(look, values),
            metrics=values,
            columns=rows.COLUMNS,
            rows=rows.rows_of(backends),
            facts=view.facts(look, values),
        )

    async def detail(self, key: str) -> Detail:
        """A backend (`pid:start`), or the server. Raises ProbeFault."""
        from warroom.probes import _postgres_detail as detail

        try:
            async with self._session.use() as connection:
                if key:
                    return await detail.of_backend(connection, key)
                return await detail.of_server(
                    connection, self.name, self._options.queries, self._options.rows
                )
        except PostgresFault as fault:
            raise self._faulted(fault) from fault

    async def close(self) -> None:
        await self._session.close()

    async def _replication(self, connection: Any, version: int, allowed: bool) -> Mapping[str, Any]:
        """The record of `replication.sql`; empty for a role that sees nulls, or where a hosted
        server forbids the functions."""
        import asyncpg

        if not allowed:
            return {}
        try:
            async with tolerant(connection):
                record: Mapping[str, Any] = await connection.fetchrow(
                    statement(_ROOM, "replication", version)
                )
        except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError):
            return {}
        return dict(record)

    async def _sized(self, connection: Any, version: int) -> float | None:
        """Bytes of the database, at most a minute old; None where it may not be asked."""
        import asyncpg

        now = self._clock.monotonic()
        if self._size_at is not None and now - self._size_at < _SIZE_EVERY_S:
            return self._size
        try:
            async with tolerant(connection):
                self._size = float(await connection.fetchval(statement(_ROOM, "size", version)))
        except (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError):
            self._size = None
        self._size_at = now
        return self._size

    def _faulted(self, fault: PostgresFault) -> ProbeFault:
        text = str(fault)
        if fault.sqlstate == "53300" and self._slots:
            text += f" (max_connections {self._slots})"
        return ProbeFault(harmless(text), down=fault.down)


def _create(options: Options, context: ProbeContext) -> PostgresProbe:
    return PostgresProbe(options, context)


_ASKS: Final = "pg_stat_activity, pg_blocking_pids, pg_stat_database, pg_stat_replication"
SPEC: Final = ProbeSpec("postgres", "PostgreSQL", Options, _create, asks=_ASKS)
