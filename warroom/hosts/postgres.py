"""PostgreSQL on a host: one session, opened when it is needed, its faults in plain words.

PostgresFault         the server could not be asked, or said no
└── PostgresLost      the connection broke under a statement: it may or may not have run
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from warroom.config.values import Secret
from warroom.hosts._postgres_dsn import Dsn, parse_dsn
from warroom.hosts._postgres_sql import OLDEST, statement
from warroom.hosts._postgres_words import PostgresFault, PostgresLost, explain
from warroom.hosts._reach import reached_by
from warroom.hosts._urls import BadUrl
from warroom.hosts.base import Host, HostError, TcpAddress

if TYPE_CHECKING:
    from warroom.hosts._postgres_tls import Relay

__all__ = [
    "APPLICATION",
    "BadUrl",
    "Dsn",
    "PostgresFault",
    "PostgresLost",
    "PostgresSession",
    "parse_dsn",
    "server_version",
    "statement",
    "tolerant",
]

APPLICATION: Final = "warroom"
"""`application_name` of every session of ours; what bears it is not acted on."""
STATEMENT_LIMIT_S: Final = 3.0
NO_SLOT: Final = "53300"
"""SQLSTATE of a server, a database or a role that takes no further connection."""
_LIMITS: Final = {
    "statement_timeout": f"{STATEMENT_LIMIT_S * 1000:.0f}",
    "lock_timeout": "1000",
    "idle_in_transaction_session_timeout": "10000",
}


class PostgresSession:
    """One connection at most, one statement at a time; opened again when it was lost.

    A session is read-only unless `writes`; its statements end after 3 s, its waits for a lock
    after 1 s. Behind a pooler, which keeps no session settings, each use is a transaction that
    sets them for itself. Where no connection slot is left, one that `borrows` uses the read-only
    connection that another session of this process has to the same server as the same role: what
    frees slots must not need one.
    """

    _observers: ClassVar[weakref.WeakSet[PostgresSession]] = weakref.WeakSet()

    def __init__(
        self,
        dsn: Secret,
        host: Host,
        *,
        timeout: float,
        writes: bool = False,
        borrows: bool = False,
    ) -> None:
        self._secret, self._host, self._timeout, self._writes = dsn, host, timeout, writes
        self._borrows = borrows
        if not writes:
            self._observers.add(self)
        self._connection: Any = None
        self._relay: Relay | None = None
        self._busy = asyncio.Lock()
        self.dsn = Dsn()
        """What the secret said when the session was opened last."""

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """The open `asyncpg.Connection`, for one user at a time. Raises PostgresFault, HostError;
        what asyncpg raises inside becomes one, and a connection that broke is not kept."""
        async with self._busy:
            try:
                connection = await self._opened()
            except PostgresFault as refused:
                lender = self._lender(refused)
                if lender is None:
                    raise
                async with lender.use() as connection:
                    yield connection
                return
            try:
                if self.dsn.pooled:
                    async with self._settled(connection):
                        yield connection
                else:
                    yield connection
            except PostgresFault:
                raise
            except Exception as error:  # asyncpg's errors have no common ancestor
                fault = self._translated(error)
                if fault is None:
                    raise
                raise fault from error
            except BaseException:
                self._drop()  # cancelled half-way: nobody knows what is still on the wire
                raise

    async def close(self) -> None:
        """Close the connection; the session may be used again."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1.0)
            except (OSError, TimeoutError):
                connection.terminate()
        if self._relay:
            await self._relay.close()
            self._relay = None

    def _lender(self, fault: PostgresFault) -> PostgresSession | None:
        """Whose connection will do, when it is a slot that is missing."""
        if not self._borrows or fault.sqlstate != NO_SLOT:
            return None
        same = (s for s in self._observers if s.dsn == self.dsn and s._host is self._host)
        return next((s for s in same if s._connection and not s._connection.is_closed()), None)

    def _translated(self, error: Exception) -> PostgresFault | None:
        import asyncpg

        known = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
        if not isinstance(error, (*known, asyncpg.InternalClientError)):
            return None
        fault = explain(error, self.dsn, connected=True)
        if isinstance(fault, PostgresLost):
            self._drop()
        return fault

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    @asynccontextmanager
    async def _settled(self, connection: Any) -> AsyncIterator[None]:
        """A transaction with our limits in it: all that lasts behind a pooler."""
        async with connection.transaction(readonly=not self._writes):
            for name, value in _LIMITS.items():
                await connection.execute(f"SET LOCAL {name} = {value}")
            yield

    async def _opened(self) -> Any:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        await self.close()
        try:
            async with asyncio.timeout(self._timeout):
                self._connection = await self._open()
        except TimeoutError as error:
            raise explain(error, self.dsn, connected=False) from error
        return self._connection

    async def _open(self) -> Any:
        from warroom.hosts.secrets import reveal

        try:
            self.dsn = parse_dsn(await reveal(self._secret, self._host))
        except BadUrl as error:
            raise PostgresFault(f"dsn: {error}") from None
        try:
            return await self._connect(self.dsn)
        except PostgresFault as fault:
            changed = _second_try(self.dsn, fault)
            if changed is None:
                raise
            self.dsn = changed
            return await self._connect(changed)

    async def _connect(self, dsn: Dsn) -> Any:
        import asyncpg

        settings = {"application_name": APPLICATION}
        if not dsn.pooled:
            settings |= _LIMITS
            settings["default_transaction_read_only"] = "off" if self._writes else "on"
        try:
            connection = await asyncpg.connect(
                **await self._where(dsn),
                user=dsn.user or None,
                password=dsn.password or None,
                database=dsn.database or None,
                timeout=self._timeout,
                command_timeout=STATEMENT_LIMIT_S + 1.0,
                statement_cache_size=0 if dsn.pooled else 64,
                server_settings=settings,
            )
        except HostError:
            raise
        except Exception as error:  # whatever it is, it is told in words
            raise explain(error, dsn, connected=False) from error
        try:
            for name in ("text", "name"):
                await connection.set_type_codec(
                    name, schema="pg_catalog", format="binary", encoder=_encoded, decoder=_decoded
                )
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _where(self, dsn: Dsn) -> dict[str, Any]:
        """`host`, `port` and `ssl` for asyncpg, through the host's forward where there is one."""
        from warroom.hosts._postgres_hello import greet

        reached = await reached_by(self._host, dsn.address, PostgresFault)
        await greet(reached, dsn)
        if isinstance(reached, TcpAddress):
            return {"host": reached.host, "port": reached.port, "ssl": _ssl(dsn)}
        if dsn.wants_tls and isinstance(dsn.address, TcpAddress):
            from warroom.hosts._postgres_tls import Relay, context

            self._relay = Relay(reached)
            port = await self._relay.open()
            return {"host": "127.0.0.1", "port": port, "ssl": context(dsn)}
        folder, _, name = reached.path.rpartition("/")
        return {"host": folder, "port": int(name.rpartition(".")[2]), "ssl": False}


@asynccontextmanager
async def tolerant(connection: Any) -> AsyncIterator[None]:
    """A statement that may fail without spoiling those after it: within a transaction (a pooler's)
    it gets a savepoint of its own; outside nothing is needed."""
    if not connection.is_in_transaction():
        yield
        return
    async with connection.transaction():
        yield


def server_version(connection: Any) -> int:
    """The server's major version. Raises PostgresFault for one that is too old to be read."""
    major: int = connection.get_server_version().major
    if major < OLDEST:
        raise PostgresFault(f"PostgreSQL {major} is too old: {OLDEST} is the oldest understood")
    return major


def _ssl(dsn: Dsn) -> object:
    if not dsn.wants_tls:
        return dsn.sslmode
    from warroom.hosts._postgres_tls import context

    return context(dsn)


def _second_try(dsn: Dsn, fault: PostgresFault) -> Dsn | None:
    """What to ask for instead, where the refusal says so: a pooler that takes no settings, a
    server behind a forward that lets nobody in without TLS."""
    from dataclasses import replace

    text = str(fault)
    if "unsupported startup parameter" in text and not dsn.pooled:
        return replace(dsn, pooled=True)
    if fault.sqlstate == "28000" and "the server wants TLS" in text and dsn.sslmode == "prefer":
        return replace(dsn, sslmode="require")
    return None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _decoded(data: bytes) -> str:
    """Query texts of databases in other encodings come as they are: never a reason to fail."""
    return bytes(data).decode("utf-8", "replace")
