"""Three writers, each killed at a moment that nobody chose, over and over."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Final

from tests.torture.children import Child, Result, Store, listen, look
from warroom.domain.events import Author, Draft, Event, Kind, event_id
from warroom.journal.base import JournalError, NotSaved

WRITERS: Final = 3
LONGEST_S: Final = 0.15
REOPEN_S: Final = 1.0
"""A journal must be open and read by then, whatever happened to those who wrote to it."""
CYCLES_EACH: Final = 25
"""Cycles on one journal; then on a new one, so that its making is killed, too."""


def kill_cycles(
    store: Callable[[], Store], cycles: int, seed: int, tell: Callable[[str], None]
) -> Result:
    """`store` gives a new and empty one. Every cycle ends with a look at everything."""
    rng = random.Random(seed)
    run = _Run(rng)
    for cycle in range(cycles):
        if cycle % CYCLES_EACH == 0:
            run.begin(store())
        run.cycle(cycle)
        tell(f"kill -9: cycle {cycle + 1} of {cycles}, {run.acknowledged} entries acknowledged")
    figures = (
        f"{cycles} cycles, {run.kills} kills, {run.acknowledged:,} acknowledged, "
        f"{run.stored:,} stored, {run.refused} tried again; "
        f"open again within {run.slowest * 1000:.0f} ms"
    )
    return Result(f"kill -9 of {WRITERS} writers", figures, run.wrong)


class _Run:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._acknowledged: dict[str, int] = {}
        self.wrong: list[str] = []
        self.kills = self.acknowledged = self.stored = self.refused = 0
        self.slowest = 0.0

    def begin(self, store: Store) -> None:
        self._store, self._acknowledged, self._stored = store, {}, 0
        self._incident = opened(store)

    def cycle(self, number: int) -> None:
        writers = [Child(_write, self._store, self._incident, f"w{n}") for n in range(WRITERS)]
        ends = sorted((self._rng.uniform(0, LONGEST_S), n) for n in range(WRITERS))
        now = 0.0
        for at, n in ends:
            listen(writers, at - now)
            writers[n].kill()
            now = at
        self.kills += WRITERS
        for writer in writers:
            for seq, name in writer.ended():
                if not seq:
                    self.refused += 1
                    continue
                self._acknowledged[name] = seq
                self.acknowledged += 1
        self._check(number)

    def _check(self, number: int) -> None:
        try:
            seconds, wrong, events = look(self._store, self._incident)
        except JournalError as error:
            self.wrong.append(f"cycle {number}: {error}")
            return
        self.slowest = max(self.slowest, seconds)
        self.stored += len(events) - self._stored
        self._stored = len(events)
        wrong += faults(events, self._acknowledged)
        self.wrong += [f"cycle {number}: {what}" for what in wrong]
        if seconds > REOPEN_S:
            self.wrong.append(f"cycle {number}: open again only after {seconds:.2f} s")


def faults(events: list[Event], acknowledged: dict[str, int]) -> list[str]:
    """What is wrong with `events`, given the sequences that were acknowledged by id."""
    stored = {event.id: event.seq for event in events}
    wrong = [
        f"{name} was acknowledged as {seq} and is {stored.get(name, 'lost')}"
        for name, seq in acknowledged.items()
        if stored.get(name) != seq
    ]
    if len(stored) != len(events):
        wrong.append(f"{len(events) - len(stored)} entries are there twice")
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        wrong.append("the sequence has a hole")
    return wrong


def opened(store: Store) -> str:
    """A new incident in it."""
    return str(Child(_open, store).ended()[-1])


def _open(store: Store, pipe: Connection) -> None:
    async def begin() -> None:
        journal = store.journal()
        data = {"scheme": "P0-P3", "severity": "P1"}
        author = Author("torture", os.getuid())
        draft = Draft(Kind.OPENED, datetime.now(UTC), author, "Torture", data)
        pipe.send((await journal.open_incident(draft)).incident)
        await journal.close()

    asyncio.run(begin())


def _write(store: Store, incident: str, login: str, pipe: Connection) -> None:
    """Until it is killed. What was not saved is tried again, as a session does."""

    async def write() -> None:
        journal = store.journal()
        author = Author(login, os.getuid())
        for number in itertools.count():
            now = datetime.now(UTC)
            text = f"{login} {number} " + "x" * (number * 71 % 900)
            draft = Draft(Kind.NOTE, now, author, text, {"n": number}, id=event_id(now))
            while True:
                try:
                    (event,) = await journal.append(incident, draft)
                    break
                except NotSaved:
                    pipe.send((0, ""))
            pipe.send((event.seq, event.id))

    asyncio.run(write())
