"""The journal in one SQLite file: for one machine, any number of consoles.

Nothing here blocks the event loop: appends go through one thread, reads through another, so that
a slow disk holds up neither the screen nor what is read from it. What is no part of the record
(who is looking, figures) goes through a third.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from warroom.domain.clock import Clock, SystemClock
from warroom.domain.events import Author, Draft, Event
from warroom.domain.readings import Reading
from warroom.journal._sqlite_aside import Aside
from warroom.journal._sqlite_rows import Unreadable
from warroom.journal._sqlite_store import Store
from warroom.journal.base import Heading, JournalError, NotSaved, Presence, newest_open

SAVE_S: Final = 0.7
"""How long an append may take, and wait for other consoles', before it is not saved."""
ADOPT_S: Final = 60.0
"""How long taking in an incident may take: nobody types meanwhile."""
POLL_S: Final = 0.25
"""How often `watch` asks the file whether another process wrote to it."""
_EACH_S: Final = 0.001
"""How much longer for each draft of many that are appended at once."""
_HANGING_S: Final = 0.15
"""How much longer a disk may take for a commit that has begun, which nothing can take back."""
_SLICE: Final = 10_000
"""Events in one read: between two, others have their turn."""
_CHECKED: Final = 2000
"""Events in one read that looks at each."""

T = TypeVar("T")


class SqliteJournal:
    """See `journal.base.Journal`. Opens nothing before it is first used.

    An append that is cancelled, or not saved because the disk did not answer in time, may still
    be stored; appended again with the same id it is stored once.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        *,
        save_s: float = SAVE_S,
        poll_s: float = POLL_S,
    ) -> None:
        self.path = path
        self.changed = asyncio.Event()
        clock = clock or SystemClock()
        self._save_s, self._poll_s = save_s, poll_s
        self._write = _Lane("journal-writer", Store(path, clock, busy_s=save_s))
        self._read = _Lane("journal-reader", Store(path, clock, busy_s=save_s))
        self._aside = _Lane("journal-aside", Aside(path, clock, busy_s=save_s))
        self._watcher: asyncio.Task[None] | None = None

    async def open_incident(self, draft: Draft) -> Event:
        return await self._saved(partial(self._write.store.open_incident, draft), self._save_s)

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        append = partial(self._write.store.append, incident, drafts)
        return await self._saved(append, self._save_s + len(drafts) * _EACH_S)

    async def adopt(self, events: Sequence[Event], origin: str) -> str:
        return await self._saved(partial(self._write.store.adopt, events, origin), ADOPT_S)

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        try:
            return await self._in_columns(incident, after)
        except Unreadable:
            return await self._row_by_row(incident, after)

    async def headings(self) -> Sequence[Heading]:
        return await self._read.run(self._read.store.headings)

    async def current(self) -> str | None:
        return newest_open(await self.headings())

    async def verify(self, incident: str) -> int:
        last: Event | None = None
        while True:
            read = partial(self._read.store.verify, incident, last, _CHECKED)
            fault, events = await self._read.run(read)
            if fault or len(events) < _CHECKED:
                return fault
            last = events[-1]

    async def beat(
        self, incident: str, console: str, author: Author, doing: str = ""
    ) -> Sequence[Presence]:
        beat = partial(self._aside.store.beat, incident, console, author, doing)
        return await self._aside.run(beat)

    async def keep(self, incident: str, readings: Sequence[Reading]) -> None:
        keep = partial(self._aside.store.keep, incident, readings)
        await self._aside.save(keep, self._save_s)

    async def readings(self, incident: str) -> Sequence[Reading]:
        return await self._aside.run(partial(self._aside.store.readings, incident))

    async def figures(self) -> dict[str, int]:
        """Its size and the free room of its disk, its schema and the newest one known here."""
        return await self._read.run(self._read.store.figures)

    def watch(self) -> None:
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await self._aside.close()
        await self._read.close()
        await self._write.close()

    async def _in_columns(self, incident: str, after: int) -> list[Event]:
        """While one slice is parsed, the next is read. Raises Unreadable."""
        events: list[Event] = []
        parsing: asyncio.Task[list[Event]] | None = None
        length = _SLICE
        try:
            while length == _SLICE:
                read = partial(self._read.store.columns, incident, after, _SLICE)
                found = await self._read.run(read)
                length, after = found.length, found.last
                events += await parsing if parsing else []
                parsing = asyncio.create_task(asyncio.to_thread(found.events))
            return events + (await parsing if parsing else [])
        finally:
            if parsing:
                parsing.cancel()

    async def _row_by_row(self, incident: str, after: int) -> list[Event]:
        events: list[Event] = []
        while True:
            last = events[-1].seq if events else after
            read = partial(self._read.store.events, incident, last, _CHECKED)
            found = await self._read.run(read)
            events += found
            if len(found) < _CHECKED:
                return events

    async def _saved(self, call: Callable[[float], T], within: float) -> T:
        saved = await self._write.save(call, within)
        self.changed.set()
        return saved

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


class _Closes(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=_Closes)


class _Lane(Generic[S]):
    """A store with the one thread that uses it, started when first used."""

    def __init__(self, name: str, store: S) -> None:
        self.store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._closed = False

    async def run(self, call: Callable[[], T]) -> T:
        return await self._submitted(call)

    async def save(self, call: Callable[[float], T], within: float) -> T:
        """What `call(until)` gives. Raises NotSaved when it did not come to an end in time: it may
        still do so."""
        until = time.monotonic() + within
        running = self._submitted(partial(call, until))
        running.add_done_callback(_heard)
        done, _ = await asyncio.wait({running}, timeout=within + _HANGING_S)
        if not done:
            raise NotSaved(f"the disk has not answered for {within:.1f} s")
        return running.result()

    async def close(self) -> None:
        if not self._closed:
            await self.run(self.store.close)
            self._closed = True
            self._thread.shutdown(wait=False)

    def _submitted(self, call: Callable[[], T]) -> asyncio.Future[T]:
        if self._closed:
            raise JournalError("the journal is closed")
        return asyncio.get_running_loop().run_in_executor(self._thread, call)


def _heard(future: asyncio.Future[Any]) -> None:
    """It may be that nobody waits for it any more, nor for what went wrong in it."""
    if not future.cancelled():
        future.exception()
