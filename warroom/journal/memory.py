"""The journal in memory: for tests, and for looking around without leaving a trace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from warroom.domain.clock import Clock, SystemClock
from warroom.domain.events import Draft, Event, Kind, broken, event_id, seal
from warroom.domain.incident import Status, incident_of
from warroom.journal.base import Heading, JournalError, NoIncident, NotSaved


class MemoryJournal:
    """See `journal.base.Journal`. What it holds ends with it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.changed = asyncio.Event()
        self._clock = clock or SystemClock()
        self._incidents: dict[str, list[Event]] = {}
        self._closed = False

    async def open_incident(self, draft: Draft) -> Event:
        if draft.kind is not Kind.OPENED:
            raise NotSaved("an incident begins with an event of kind 'opened'")
        self._usable()
        now = self._clock.now()
        day = f"INC-{now:%Y-%m-%d}-"
        name = f"{day}{sum(known.startswith(day) for known in self._incidents) + 1:03d}"
        event = self._sealed(name, 1, draft, "")
        self._incidents[name] = [event]
        self.changed.set()
        return event

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if any(draft.kind is Kind.OPENED for draft in drafts):
            raise NotSaved("an incident is opened once")
        chain = list(self._chain(incident))
        begin = len(chain)
        for draft in drafts:
            chain.append(self._sealed(incident, len(chain) + 1, draft, chain[-1].digest))
        self._incidents[incident] = chain
        self.changed.set()
        return tuple(chain[begin:])

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        return self._chain(incident)[max(0, after) :]

    async def headings(self) -> Sequence[Heading]:
        self._usable()
        return [_heading(events) for events in reversed(self._incidents.values())]

    async def current(self) -> str | None:
        open_ones = (h.id for h in await self.headings() if h.status is not Status.CLOSED)
        return next(open_ones, None)

    async def verify(self, incident: str) -> int:
        return broken(self._chain(incident))

    def watch(self) -> None:
        """Nobody else can write here."""
        self.changed.set()

    async def close(self) -> None:
        self._closed = True

    def _usable(self) -> None:
        if self._closed:
            raise JournalError("the journal is closed")

    def _chain(self, incident: str) -> list[Event]:
        self._usable()
        if incident not in self._incidents:
            raise NoIncident(f"there is no incident {incident}")
        return self._incidents[incident]

    def _sealed(self, incident: str, seq: int, draft: Draft, previous: str) -> Event:
        now = self._clock.now()
        try:
            return seal(event_id(now), incident, seq, now, draft, previous)
        except (TypeError, ValueError, RecursionError) as error:
            raise NotSaved(f"this cannot be stored: {error}") from error


def _heading(events: list[Event]) -> Heading:
    incident = incident_of(events)
    return Heading(
        incident.id, incident.title, incident.scheme, incident.severity, incident.status,
        incident.opened_at, len(events),
    )  # fmt: skip
