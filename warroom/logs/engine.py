"""Follows every log of the config into one ring, and counts who asks in the access logs.

One task a source: open, read, and on a fault say why, wait a little longer each time, and open
again; what is read twice then is shown once. The loop is never held for more than a few
milliseconds: chunks are taken in pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final

from warroom.config.settings import LogEntry, SearchEntry
from warroom.domain.clock import Clock, SystemClock
from warroom.domain.text import harmless
from warroom.hosts import tasks
from warroom.hosts.base import Host, HostError
from warroom.hosts.turns import turn
from warroom.logs._backlogs import WAIT_S, Backlogs
from warroom.logs._look import Look
from warroom.logs._source import Counting, Source
from warroom.logs.columns import Columns, columns
from warroom.logs.decode import without_colours
from warroom.logs.drill import Chip, Chosen, Drill
from warroom.logs.histogram import Histogram
from warroom.logs.ring import RING_LIMIT, LogRing, Raw
from warroom.logs.searches import Searches
from warroom.logs.sources import opened
from warroom.logs.talkers import Talkers

if TYPE_CHECKING:
    from warroom.logs.places import Places

PIECE: Final = 16 * 1024
"""Bytes taken in before others get their turn."""
TICK_S: Final = 0.25
BACKOFF_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
TRIAL_S: Final = 10.0
"""How long a command that failed before is not said to be back while it says nothing."""
STEADY_S: Final = 60.0
"""A source that was followed for that long starts again at the shortest wait."""


class SourceState(StrEnum):
    """How following one source goes."""

    WAITING = "waiting"
    FOLLOWING = "following"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source: `lines` that came and `dropped` ones that fell out of the ring; `rate` is lines
    a second over the last 5 s; `last_at` when the last data came (seconds since the epoch);
    `again` since when it is read again, and what was wrong before (None: nothing was);
    `format` what the log was recognised as; `error` one plain line."""

    name: str
    host: str
    state: SourceState
    lines: int
    dropped: int
    rate: float
    error: str
    last_at: float | None
    format: str
    again: tuple[float, str] | None = None


class LogEngine:
    """Every log there is. `hosts` by the name that entries give as `on`."""

    def __init__(
        self,
        entries: Sequence[LogEntry],
        hosts: Mapping[str, Host],
        *,
        clock: Clock | None = None,
        limit: int = RING_LIMIT,
        searches: Sequence[SearchEntry] = (),
        places: Places | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._hosts = hosts
        self.ring = LogRing(limit)
        self.talkers = Talkers(self._now(), places)
        self.histogram = Histogram()
        self.searches = Searches(searches, [str(entry.name) for entry in entries], self)
        self.changed = asyncio.Event()
        """Set when lines came or a source's state changed; whoever waits clears it."""
        self._backlogs = Backlogs(range(len(entries)))
        counting = Counting(self.talkers, self.histogram, self.searches, self._backlogs)
        self._sources = [
            Source(index, entry, self.ring, counting) for index, entry in enumerate(entries)
        ]
        self._states = [SourceState.WAITING] * len(entries)
        self._errors = [""] * len(entries)
        self._again: list[tuple[float, str] | None] = [None] * len(entries)
        self._trials: dict[int, float] = {}  # until when, on the monotonic clock
        self._tasks: list[asyncio.Task[None]] = []
        self._filling: asyncio.Task[None] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sources, by the index that lines carry."""
        return tuple(source.entry.name for source in self._sources)

    def start(self) -> None:
        """Begin to follow. Needs a running loop."""
        self._tasks = [asyncio.create_task(self._follow(source)) for source in self._sources]
        self._tasks += [asyncio.create_task(self._tick()), asyncio.create_task(self._release())]

    async def stop(self) -> None:
        """End every task, and with it what each source had opened."""
        await tasks.end([*self._tasks, *([self._filling] if self._filling else [])])
        self._tasks.clear()

    def status(self) -> tuple[SourceStatus, ...]:
        """How every source stands, by index."""
        return tuple(
            SourceStatus(
                name=source.entry.name,
                host=source.entry.on,
                state=self._states[source.index],
                lines=self.ring.received.get(source.index, 0),
                dropped=self.ring.dropped.get(source.index, 0),
                rate=source.rate,
                error=self._errors[source.index] or source.look.trouble,
                last_at=source.last_at,
                format=source.format,
                again=self._again[source.index],
            )
            for source in self._sources
        )

    def look(self, index: int) -> Look:
        """What the source of that index was recognised as."""
        return self._sources[index].look

    def was_there(self, raw: Raw) -> bool:
        """Whether a line was there before its log was followed: it came at once with others, as of
        the time that it says, if it says one with its zone."""
        return self._sources[raw.source].was_there(raw)

    def drill(self, chips: Sequence[Chip]) -> Drill | None:
        """Count apart what passes every chip from now on, and what is kept of it; without chips
        nothing is. Needs a running loop."""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        self.talkers.drill = None
        if chips:
            drill = self.talkers.drill = Drill(chips, self.talkers)
            self._filling = asyncio.create_task(self._fill(drill))
        return self.talkers.drill

    async def _fill(self, drill: Drill) -> None:
        for _ in drill.fill(self.ring, self.requests, lambda i: self._sources[i].counted_from):
            await turn()
        self.changed.set()

    def requests(self, index: int, data: bytes) -> Columns | None:
        """The columns of whole lines of the source of that index; None where those are no
        requests."""
        return self.read(index, data) if self._sources[index].asks else None

    def read(self, index: int, data: bytes) -> Columns | None:
        """The columns of whole lines of the source of that index; None where its format is not
        known."""
        layout = self._sources[index].look.layout
        return columns(data, layout) if layout is not None else None

    def parts(self, index: int, line: bytes) -> Iterator[tuple[str, bytes]]:
        """The parts of a line of the source of that index, by their writer's names, then by their
        meaning; none where its format is not known."""
        fmt = self._sources[index].look.format
        if fmt is not None:
            line = without_colours(line)
            yield from fmt.fields(line)
            yield from (fmt.roles(line) or {}).items()

    def chosen(self, chips: Sequence[Chip]) -> Chosen:
        """Picks what passes every chip. Raises ValueError for chips that want a database of places
        where there is none."""
        return Chosen(chips, self.talkers.places)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _say(self, source: Source, state: SourceState, error: str = "") -> None:
        if (state, error) != (self._states[source.index], self._errors[source.index]):
            before = self._errors[source.index]
            if state is SourceState.FOLLOWING and before:
                self._again[source.index] = self._now(), before
            self._states[source.index], self._errors[source.index] = state, error
            self.changed.set()

    async def _follow(self, source: Source) -> None:
        faults = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._open(source)
                error = ""
            except HostError as fault:
                error = str(fault)
            except Exception as fault:  # noqa: BLE001 - one broken source must not end the others
                error = f"{type(fault).__name__}: {fault}"
            source.ended(self._now())
            self._trials.pop(source.index, None)
            error = error or _ended(source)
            if self._clock.monotonic() - began > STEADY_S:
                faults = 0
            wait = BACKOFF_S[min(faults, len(BACKOFF_S) - 1)]
            faults += 1
            plain = harmless(error)[:300]
            self._say(source, SourceState.FAULT, f"{plain}; trying again every {wait:.0f} s")
            await asyncio.sleep(wait)

    async def _open(self, source: Source) -> None:
        host = self._hosts[source.entry.on]
        async with opened(source.entry, host, source.journal) as chunks:
            source.began(self._now())
            entry = source.entry
            if self._errors[source.index] and (entry.argv or entry.unit or entry.pm2):
                self._trials[source.index] = self._clock.monotonic() + TRIAL_S
            else:
                self._tell(source, chunks)
            async for chunk in chunks:
                await self._take(source, chunk)
                self._trials.pop(source.index, None)
                self._tell(source, chunks)

    def _tell(self, source: Source, chunks: AsyncIterator[bytes]) -> None:
        """Say how following goes; only files, containers and journals have a word for it."""
        trouble = str(getattr(chunks, "trouble", ""))
        state = SourceState.WAITING if trouble else SourceState.FOLLOWING
        self._say(source, state, harmless(trouble))

    async def _take(self, source: Source, chunk: bytes) -> None:
        if not chunk:
            source.caught_up(self._now())
            self.changed.set()
            return
        for start in range(0, len(chunk), PIECE):
            source.take(chunk[start : start + PIECE], self._now())
            self.changed.set()
            await turn()

    async def _release(self) -> None:
        """Show what the logs held, though one of them has not given its own."""
        await asyncio.sleep(WAIT_S)
        self._backlogs.release()
        self.changed.set()

    async def _tick(self) -> None:
        """Look after what no chunk announces: unfinished lines, backlogs that end, rates."""
        while True:
            await asyncio.sleep(TICK_S)
            for source in self._sources:
                if self._trials.get(source.index, inf) <= self._clock.monotonic():
                    del self._trials[source.index]
                    self._say(source, SourceState.FOLLOWING)
                if source.tick(self._now(), self._clock.monotonic()):
                    self.changed.set()


def _ended(source: Source) -> str:
    """Which command ended, and what it said last: that is why, where it failed."""
    entry = source.entry
    what = f"the command {entry.argv[0]}" if entry.argv else "journalctl" if entry.unit else "pm2"
    last = source.last_words
    return f"{what} ended" + (f'; it last said "{last}"' if last else "")
