"""Consoles of one journal, and a mitigation that counts how often it was pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.sample import Row
from warroom.domain.severity import SCHEMES
from warroom.engine.executor import Action, Armed, Executor
from warroom.engine.session import Session
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationSpec,
    Output,
    Risk,
    Target,
    Undo,
)

ALICE, BOB, CAROL = Author("alice", 1000), Author("bob", 1001), Author("carol", 1002)
UNDO = Undo("t.unpull", "Put it back", {"lever": "api"})


@dataclass
class Lever:
    """Counts how often it was pulled; `held` keeps it busy."""

    risk: Risk = Risk.CHANGE
    held: asyncio.Event | None = None
    done: Done = field(default_factory=lambda: Done("pulled", undo=UNDO, expires_s=900))
    pulled: int = 0
    ended: bool = False
    stops: Callable[[], None] = lambda: None
    fence: Callable[[], None] = lambda: None

    async def preview(self, row: Row | None) -> Card:
        target = Target("id-1", "api")
        return Card("t.pull", "Pull", "", target, ("pull api",), (), "put it back", self.risk)

    async def perform(self, card: Card) -> Done:
        self.stops()
        self.fence()
        self.pulled += 1
        try:
            if self.held:
                await self.held.wait()
        except asyncio.CancelledError:
            self.ended = True
            raise
        return self.done

    async def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class Console:
    """One person at a console of the same journal."""

    session: Session
    executor: Executor

    async def arm(self, lever: Lever, **more: Any) -> Armed:
        def create(output: Output, fence: Callable[[], None]) -> Lever:
            lever.fence = fence
            return lever

        moves = more.pop("moves", ())
        spec = MitigationSpec(
            "t.pull", "Pull", object, lambda *_: lever, lever.risk, "", moves=moves
        )
        action = Action("config:0", "r", "Pull", spec, "", create)
        return await self.executor.arm(replace(action, **more))

    @property
    def outcomes(self) -> list[Event]:
        return [event for event in self.session.events if event.kind is Kind.OUTCOME]

    @property
    def last(self) -> Event:
        return self.session.events[-1]


class Journal(MemoryJournal):
    """One that can take an entry and not say so, or take nothing."""

    swallow = full = False

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if self.full:
            raise NotSaved("no space left on device")
        stored = await super().append(incident, *drafts)
        if self.swallow and any(draft.kind is Kind.REQUESTED for draft in drafts):
            self.swallow = False
            raise NotSaved("the disk has not answered for 0.8 s")
        return stored


class Room:
    """Where people sit down at consoles, each with a journal's view of the same incident."""

    def __init__(self, journal: Journal, clock: ManualClock) -> None:
        self._journal, self._clock = journal, clock
        self._consoles: list[Console] = []

    async def __call__(self, author: Author = ALICE) -> Console:
        session = Session(self._journal, self._clock, author, SCHEMES["P0-P3"])
        if not await session.resume():
            await session.begin("it burns", "P1")
        await session.sign()
        self._consoles.append(Console(session, Executor(session, self._clock)))
        return self._consoles[-1]

    async def empties(self) -> None:
        for console in self._consoles:
            await console.executor.stop()
