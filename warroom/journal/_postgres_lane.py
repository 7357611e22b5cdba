"""One connection to the store: whatever is asked over it ends within a time limit, in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.hosts.local import LocalHost
from warroom.hosts.postgres import PostgresFault, PostgresLost, PostgresSession
from warroom.journal import _postgres_schema as schema
from warroom.journal.base import JournalError, NewerSchema

if TYPE_CHECKING:
    from warroom.config.values import Secret

CONNECT_S: Final = 5.0
"""For opening a connection, some twenty round trips; it goes on while whoever wanted it is told
that there is no answer, so that a long line is open when the next one asks."""
_TRIPS: Final = 20
"""Round trips that whatever is asked gets at least, however long the line is."""
_LATER: Final = ("55P03", "40P01", "40001")
"""Somebody else holds the lock (lock_not_available), or was in the way: try again."""
_READ_ONLY: Final = "25006"

T = TypeVar("T")
Work = Callable[[Any], Awaitable[T]]


class NoSchema(Exception):
    """Nobody has ever written to this journal."""


class Lane:
    """A session with the server that is given up for a new one when it does not answer in time.

    A lane that `writes` makes or migrates the schema before its first work.
    """

    def __init__(self, dsn: Secret, *, writes: bool) -> None:
        self._dsn, self._writes = dsn, writes
        self._checked: Any = None
        self._version = 0
        self._closed = False
        self._ending: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._trip = 0.0
        self._session = self._new_session()

    @property
    def place(self) -> str:
        """The server and database for people, once the DSN was read."""
        dsn = self._session.dsn
        return f"{dsn.place}/{dsn.database or dsn.user}" if dsn.host or dsn.user else "the journal"

    @property
    def pooled(self) -> bool:
        """Whether a pooler stands in between, which keeps no LISTEN."""
        return self._session.dsn.pooled

    async def run(self, work: Work[T], *, within: float, refusal: type[JournalError]) -> T:
        """What `work` gives, from a lane that writes in a transaction of its own: done and durable,
        or it never happened, or (after a lost answer, or a time limit) nobody knows.

        Raises NoSchema from a lane that does not write, NewerSchema from one that does,
        `refusal` for everything else. `within` in seconds: a cancelled asyncpg may go on for
        longer, so it is left to end by itself.
        """
        if self._closed:
            raise JournalError("the journal is closed")
        task = asyncio.create_task(self._tried(work, refusal))
        within = max(within, _TRIPS * self._trip)
        try:
            done, _ = await asyncio.wait({task}, timeout=within)
        except asyncio.CancelledError:
            self._give_up(task)
            raise
        if not done:
            place = self.place
            self._give_up(task)
            raise refusal(f"{place}: no answer within {within:.2g} s")
        return task.result()

    async def close(self) -> None:
        self._closed = True
        if self._opening is not None:
            await tasks.end([self._opening])
        await self._session.close()
        await asyncio.gather(*self._ending)

    @asynccontextmanager
    async def connected(self, *, create: bool) -> AsyncIterator[Any]:
        """The connection, its schema looked at. Raises NoSchema, NewerSchema, JournalError."""
        session = self._session
        try:
            async with session.use() as connection:
                if connection is not self._checked:
                    await self._look(connection, create=create)
                    self._checked = connection
                yield connection
        except PostgresFault as fault:
            raise _Told(fault, self._words(session, fault)) from fault

    async def _tried(self, work: Work[T], refusal: type[JournalError]) -> T:
        """Once more on a new connection when the old one turns out to be dead: whatever `work`
        is, it may be done twice. Until the time is over while somebody else holds a lock."""
        lost = 0
        while True:
            try:
                await self._open()
                async with self.connected(create=self._writes) as connection:
                    if not self._writes:
                        return await work(connection)
                    async with _transaction(connection):
                        return await work(connection)
            except _Told as told:
                lost += isinstance(told.fault, PostgresLost)
                if not (told.fault.sqlstate in _LATER or (told.lost and lost == 1)):
                    raise refusal(str(told)) from told.fault
            except HostError as error:
                raise refusal(f"{self.place}: {error}") from error
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                act = "stored" if self._writes else "read"
                raise refusal(f"this cannot be {act}: {error}") from error

    async def _open(self) -> None:
        """Returns when there is a connection. Cancelled, opening goes on."""
        if self._checked is not None and not self._checked.is_closed():
            return
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._connect())
            self._opening.add_done_callback(_heard)
        await asyncio.shield(self._opening)

    async def _connect(self) -> None:
        async with self.connected(create=self._writes):
            pass

    async def _look(self, connection: Any, *, create: bool) -> None:
        steps = schema.migrations()
        self._version = len(steps)  # of one that may not even be looked at
        before = time.monotonic()
        try:
            self._version = await schema.version(connection)
            self._trip = (time.monotonic() - before) / 4  # two statements, each prepared first
            if create and self._version < len(steps):
                await schema.migrate(connection, steps)
                self._version = len(steps)
        except JournalError as error:
            raise JournalError(f"{self.place}: {error}") from error
        if self._version == 0:
            raise NoSchema
        if create and self._version > len(steps):
            raise NewerSchema(
                f"{self.place} was written by a newer warroom (schema {self._version}, known "
                f"here: {len(steps)}): it can be read but not written; upgrade warroom"
            )

    def _words(self, session: PostgresSession, fault: PostgresFault) -> str:
        said = schema.denied(fault, session.dsn.user, self._version) or str(fault)
        if fault.sqlstate == _READ_ONLY:
            said = "it takes no writes (a standby, or set read-only): name the primary in the dsn"
        elif fault.sqlstate in _LATER:
            said = "another console is holding the incident; try again"
        return said if self.place in said or session.dsn.place in said else f"{self.place}: {said}"

    def _give_up(self, task: asyncio.Task[Any]) -> None:
        """End `task` without waiting for it, and go on with a session of its own, unless it was
        still waiting for a connection."""
        if self._opening is None or self._opening.done():
            self._session = self._new_session(self._session)
            self._checked = None
        ending = asyncio.create_task(tasks.end([task]))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _new_session(self, before: PostgresSession | None = None) -> PostgresSession:
        session = PostgresSession(self._dsn, LocalHost(), timeout=CONNECT_S, writes=True)
        if before is not None:
            session.dsn = before.dsn
        return session


class _Told(JournalError):
    """A fault with words for people."""

    def __init__(self, fault: PostgresFault, words: str) -> None:
        super().__init__(words)
        self.fault, self.lost = fault, isinstance(fault, PostgresLost)


def _heard(opening: asyncio.Task[None]) -> None:
    """Whoever waited was told; when nobody did, there is nobody to tell."""
    if not opening.cancelled():
        opening.exception()


@asynccontextmanager
async def _transaction(connection: Any) -> AsyncIterator[None]:
    """One that sees what others committed meanwhile, whatever the server's default is.

    Cancelled, it is not rolled back here: that would wait for a server that may be gone. The
    session drops the connection, and the server does the rest.
    """
    nested = connection.is_in_transaction()  # behind a pooler
    transaction = connection.transaction(isolation=None if nested else "read_committed")
    await transaction.start()
    try:
        yield
        await transaction.commit()
    except Exception:
        if not connection.is_closed():
            await transaction.rollback()
        raise
