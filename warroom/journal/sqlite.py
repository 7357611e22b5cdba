"""The journal in one SQLite file: for one machine, any number of consoles.

Nothing here blocks the event loop: appends go through one thread, reads through another, so that
a slow disk holds up neither the screen nor what is read from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from warroom.domain.clock import Clock, SystemClock
from warroom.domain.events import Draft, Event
from warroom.domain.incident import Status
from warroom.journal._sqlite_store import Store
from warroom.journal.base import Heading, JournalError

BUSY_S: Final = 2.0
"""How long an append waits for another console's, before it is not saved."""
POLL_S: Final = 0.25
"""How often `watch` asks the file whether another process wrote to it."""

T = TypeVar("T")


class SqliteJournal:
    """See `journal.base.Journal`. Opens nothing before it is first used.

    An append that is cancelled may still be stored; whoever reads `events` after it sees.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        *,
        busy_s: float = BUSY_S,
        poll_s: float = POLL_S,
    ) -> None:
        self.path = path
        self.changed = asyncio.Event()
        clock = clock or SystemClock()
        self._write = _Lane("journal-writer", Store(path, clock, busy_s=busy_s))
        self._read = _Lane("journal-reader", Store(path, clock, busy_s=busy_s))
        self._poll_s = poll_s
        self._watcher: asyncio.Task[None] | None = None

    async def open_incident(self, draft: Draft) -> Event:
        event = await self._write.run(partial(self._write.store.open_incident, draft))
        self.changed.set()
        return event

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        events = await self._write.run(partial(self._write.store.append, incident, drafts))
        self.changed.set()
        return events

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        return await self._read.run(partial(self._read.store.events, incident, after))

    async def headings(self) -> Sequence[Heading]:
        return await self._read.run(self._read.store.headings)

    async def current(self) -> str | None:
        open_ones = (h.id for h in await self.headings() if h.status is not Status.CLOSED)
        return next(open_ones, None)

    async def verify(self, incident: str) -> int:
        return await self._read.run(partial(self._read.store.verify, incident))

    def watch(self) -> None:
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await self._read.close()
        await self._write.close()

    async def _watch(self) -> None:
        """Sets `changed` when it begins, because nobody knows what was written just before."""
        seen: tuple[int, int] | None = None
        while True:
            try:
                state = await self._read.run(self._read.store.state)
            except JournalError:
                state = None  # readers and writers are told by their own calls; look again
            if state is not None and state != seen:
                self.changed.set()
                seen = state
            await asyncio.sleep(self._poll_s)


class _Lane:
    """A store with the one thread that uses it, started when first used."""

    def __init__(self, name: str, store: Store) -> None:
        self.store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._closed = False

    async def run(self, call: Callable[[], T]) -> T:
        if self._closed:
            raise JournalError("the journal is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def close(self) -> None:
        if not self._closed:
            await self.run(self.store.close)
            self._closed = True
            self._thread.shutdown(wait=False)
