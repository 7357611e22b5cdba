"""What was said and is not in the journal yet, in the order it was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

from warroom.domain.events import Draft, Event
from warroom.engine.outbox import NotKept, Outbox, Waiting
from warroom.journal.base import Journal, NoIncident

_AT_ONCE: Final = 100
"""Drafts in one append while a backlog is delivered."""


class Backlog:
    """Drafts that wait, each also on disk where there is an `outbox` that takes it."""

    def __init__(self, journal: Journal, outbox: Outbox | None) -> None:
        self._journal, self.outbox = journal, outbox
        self._waiting: list[Waiting] = []
        self.not_kept = ""
        """Why the newest draft is in memory only; empty when it is on disk."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def drafts(self) -> list[Draft]:
        return [waiting.draft for waiting in self._waiting]

    @property
    def kept(self) -> int:
        """How many of them are on disk."""
        return sum(self.outbox.holds(one) for one in self._waiting) if self.outbox else 0

    @property
    def safe(self) -> bool:
        """Whether all of them are on disk."""
        return self.kept == len(self._waiting)

    def parting(self) -> str:
        """What a person is told who leaves now: every text, those that only they have first."""
        kept = [one for one in self._waiting if self.outbox and self.outbox.holds(one)]
        lost = [one.draft.text for one in self._waiting if one not in kept]
        lines = ["NOT SAVED; keep it somewhere else:", *lost] if lost else []
        if kept and self.outbox:
            lines += [
                f"not in the journal yet, but kept in {self.outbox.folder}: the next console that "
                "reaches the journal puts it there:",
                *(one.draft.text for one in kept),
            ]
        return "\n".join(lines)

    def add(self, waiting: Waiting) -> None:
        """It has its place from now on; `keep` it next. One that waits already keeps its own."""
        if all(waiting.draft.id != one.draft.id for one in self._waiting):
            self._waiting.append(waiting)

    async def keep(self, waiting: Waiting) -> None:
        """Put it on disk, too; `not_kept` says when that cannot be."""
        if self.outbox is None or waiting not in self._waiting:
            return
        try:
            await self.outbox.keep(waiting)
            self.not_kept = ""
        except NotKept as error:
            self.not_kept = str(error)
        if waiting not in self._waiting:  # the journal took it meanwhile
            await self.outbox.delivered(waiting)

    async def take_up(self) -> int:
        """Add what consoles that ended left on disk; how many that were."""
        if self.outbox is None:
            return 0
        known = {waiting.draft.id for waiting in self._waiting}
        found = [one for one in await self.outbox.left_behind() if one.draft.id not in known]
        self._waiting += found
        return len(found)

    async def deliver(self, took: Callable[[str, Sequence[Event]], None]) -> None:
        """Append everything in order; `took` hears of what was stored, by incident.

        What belongs to an incident that this journal does not have is left waiting. Raises
        JournalError when the journal does not take more.
        """
        passed = 0
        while passed < len(self._waiting):
            batch = self._next(passed)
            incident = batch[0].incident
            try:
                events = await self._journal.append(incident, *(one.draft for one in batch))
            except NoIncident:
                passed += len(batch)
                continue
            del self._waiting[passed : passed + len(batch)]
            took(incident, events)
            if self.outbox is not None:
                for one in batch:
                    await self.outbox.delivered(one)

    def _next(self, begin: int) -> list[Waiting]:
        incident = self._waiting[begin].incident
        rest = self._waiting[begin : begin + _AT_ONCE]
        return list(takewhile(lambda one: one.incident == incident, rest))
