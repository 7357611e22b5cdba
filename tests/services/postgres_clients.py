"""Clients of a real PostgreSQL that do what an incident is made of, and a probe that looks on."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from warroom.config.values import Secret
from warroom.domain.clock import Clock, SystemClock
from warroom.domain.sample import Row, Sample
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import find
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.probes._postgres_rows import COLUMNS
from warroom.probes.base import ProbeContext
from warroom.probes.postgres import SPEC, Options, PostgresProbe

T = TypeVar("T")
PATIENCE: Final = 30.0


def psql(server: Postgres, sql: str, database: str = "postgres", user: str = "postgres") -> str:
    """What psql prints for `sql`, unaligned and without headings.

    It is the server's own: Debian's is a Perl program first, which chooses among versions.
    """
    binary = find("initdb", "apt install postgresql").resolve().with_name("psql")
    argv = [str(binary), "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql, server.dsn(user, database)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tcp(server: Postgres, user: str, password: str = "", database: str = "postgres") -> str:
    """A URL over TCP, where the server asks for a password."""
    login = f"{user}:{password}" if password else user
    return f"postgresql://{login}@127.0.0.1:{server.port}/{database}"


def probe_of(
    dsn: str | Secret,
    *,
    host: Host | None = None,
    clock: Clock | None = None,
    timeout: float = 5.0,
    **options: Any,
) -> PostgresProbe:
    """A probe of its own, to be closed by the test."""
    secret = Secret(dsn) if isinstance(dsn, str) else dsn
    context = ProbeContext("db", host or LocalHost(), clock or SystemClock(), timeout)
    made = SPEC.create(Options(secret, **options), context)
    assert isinstance(made, PostgresProbe)
    return made


async def until(look: Callable[[], Awaitable[T]], holds: Callable[[T], object]) -> T:
    """The first look for which `holds`; the server publishes what others do with some delay."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not holds(seen := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"still not so: {seen}"
        await asyncio.sleep(0.02)
    return seen


def cells(row: Row) -> dict[str, Any]:
    """A row's cells by column."""
    return {column.key: cell for column, cell in zip(COLUMNS, row.cells, strict=True)}


def row_of(sample: Sample, pid: int) -> Row:
    """The row of a backend."""
    return next(row for row in sample.rows if row.data["pid"] == pid)


class Crowd:
    """Connections that belong to one test, and whose backends are gone after it."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._connections: list[Any] = []
        self._pids: list[int] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        """A backend that sleeps or waits does not notice that its client went: it is ended."""
        pids = ", ".join(str(number) for number in self._pids) or "0"
        sql = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid IN ({pids})"
        await asyncio.to_thread(psql, self._server, sql)
        for connection in self._connections:
            connection.terminate()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def connect(self, dsn: str = "", *, app: str = "shop", **settings: str) -> Any:
        """A client that idles."""
        import asyncpg

        names = {"application_name": app} | settings
        connection = await asyncpg.connect(dsn or self._server.dsn(), server_settings=names)
        self._connections.append(connection)
        self._pids.append(pid(connection))
        return connection

    async def idles_in_transaction(self, *statements: str, app: str = "shop") -> Any:
        """A client that began a transaction, did something in it and went for a coffee."""
        connection = await self.connect(app=app)
        await connection.execute("BEGIN")
        for statement in statements:
            await connection.execute(statement)
        return connection

    def runs(self, connection: Any, statement: str) -> asyncio.Task[Any]:
        """`connection` begins to run a statement that takes long or waits."""
        task = asyncio.create_task(connection.execute(statement))
        self._tasks.append(task)
        return task


def pid(connection: Any) -> int:
    """The backend of a client."""
    number: int = connection.get_server_pid()
    return number
