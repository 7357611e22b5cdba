"""A journal whose disk fills and empties as a test says."""

from __future__ import annotations

import asyncio

from warroom.domain.events import Draft, Event
from warroom.engine.session import Session
from warroom.journal.base import JournalError, NotSaved
from warroom.journal.memory import MemoryJournal


class Brittle(MemoryJournal):
    """A journal that can be made to take or tell nothing."""

    full = False
    unreadable = 0
    appends = 0

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        self.appends += 1
        await asyncio.sleep(0)
        if self.full:
            raise NotSaved("the disk is full")
        return await super().append(incident, *drafts)

    async def events(self, incident: str, *, after: int = 0) -> tuple[Event, ...]:
        if self.unreadable:
            self.unreadable -= 1
            raise JournalError("cannot be read just now")
        return tuple(await super().events(incident, after=after))


def texts(session: Session) -> list[str]:
    """What is on a console's timeline."""
    return [event.text for event in session.events]
