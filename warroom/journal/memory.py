"""The journal in memory: for tests, and for looking around without leaving a trace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from warroom.domain.clock import Clock, SystemClock
from warroom.domain.events import Author, Draft, Event, Kind, broken, event_id, plain, seal, utc
from warroom.domain.incident import incident_of
from warroom.domain.readings import Reading
from warroom.journal.base import (
    PRESENT_S,
    Heading,
    JournalError,
    NoIncident,
    NotSaved,
    Presence,
    importable,
    name_for,
    newest_open,
)


@dataclass
class _Kept:
    """One incident. `events` is never changed, only replaced: somebody may be reading it."""

    events: list[Event]
    origin: str = ""
    present: dict[str, Presence] = field(default_factory=dict)
    readings: dict[tuple[str, int], Reading] = field(default_factory=dict)


class MemoryJournal:
    """See `journal.base.Journal`. What it holds ends with it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.changed = asyncio.Event()
        self._clock = clock or SystemClock()
        self._incidents: dict[str, _Kept] = {}
        self._closed = False

    async def open_incident(self, draft: Draft) -> Event:
        if draft.kind is not Kind.OPENED:
            raise NotSaved("an incident begins with an event of kind 'opened'")
        self._usable()
        for kept in self._incidents.values():
            if draft.id == kept.events[0].id and not kept.origin:
                return kept.events[0]
        day = f"INC-{self._clock.now():%Y-%m-%d}-"
        numbers = (name.removeprefix(day) for name in self._incidents if name.startswith(day))
        number = max((int(number) for number in numbers if number.isdecimal()), default=0) + 1
        event = self._sealed(f"{day}{number:03d}", 1, draft, "")
        self._incidents[event.incident] = _Kept([event])
        self.changed.set()
        return event

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if any(draft.kind is Kind.OPENED for draft in drafts):
            raise NotSaved("an incident is opened once")
        kept = self._kept(incident)
        chain, known = list(kept.events), {event.id: event for event in kept.events}
        stored = []
        for draft in drafts:
            event = known.get(draft.id)
            if event is None:
                last = chain[-1]
                event = self._sealed(last.incident, last.seq + 1, draft, last.digest)
                chain.append(event)
                known[event.id] = event
            stored.append(event)
        kept.events = chain
        self.changed.set()
        return tuple(stored)

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        return self._kept(incident).events[max(0, after) :]

    async def headings(self) -> Sequence[Heading]:
        self._usable()
        return [_heading(name, kept) for name, kept in reversed(self._incidents.items())]

    async def current(self) -> str | None:
        return newest_open(await self.headings())

    async def verify(self, incident: str) -> int:
        return broken(self._kept(incident).events)

    async def adopt(self, events: Sequence[Event], origin: str) -> str:
        self._usable()
        importable(events)
        own, last = events[0].incident, events[-1]
        for name, kept in self._incidents.items():
            if [e.digest for e in kept.events[last.seq - 1 : last.seq]] == [last.digest]:
                raise NotSaved(f"{own} is here already, as {name}")
        name = name_for(own, self._incidents.__contains__)
        self._incidents[name] = _Kept(list(events), origin)
        self.changed.set()
        return name

    async def beat(
        self, incident: str, console: str, author: Author, doing: str = ""
    ) -> Sequence[Presence]:
        kept, now = self._kept(incident), self._clock.now()
        present = kept.present | {console: Presence(console, author, now, doing)}
        kept.present = {
            name: one
            for name, one in sorted(present.items())
            if abs((now - one.seen_at).total_seconds()) <= PRESENT_S
        }
        return list(kept.present.values())

    async def keep(self, incident: str, readings: Sequence[Reading]) -> None:
        kept = self._kept(incident)
        for reading in readings:
            figures = {name: float(value) for name, value in plain(reading.metrics).items()}
            place = reading.source, int(reading.at.timestamp())
            kept.readings.setdefault(place, replace(reading, at=utc(reading.at), metrics=figures))

    async def readings(self, incident: str) -> Sequence[Reading]:
        kept = self._kept(incident)
        return sorted(kept.readings.values(), key=lambda reading: (reading.at, reading.source))

    def watch(self) -> None:
        """Nobody else can write here."""
        self.changed.set()

    async def close(self) -> None:
        self._closed = True

    def _usable(self) -> None:
        if self._closed:
            raise JournalError("the journal is closed")

    def _kept(self, incident: str) -> _Kept:
        self._usable()
        if incident not in self._incidents:
            raise NoIncident(f"there is no incident {incident}")
        return self._incidents[incident]

    def _sealed(self, incident: str, seq: int, draft: Draft, previous: str) -> Event:
        now = self._clock.now()
        try:
            return seal(draft.id or event_id(now), incident, seq, now, draft, previous)
        except (TypeError, ValueError, RecursionError) as error:
            raise NotSaved(f"this cannot be stored: {error}") from error


def _heading(name: str, kept: _Kept) -> Heading:
    incident = incident_of(kept.events)
    return Heading(
        name, incident.title, incident.scheme, incident.severity, incident.status,
        incident.opened_at, len(kept.events), kept.origin,
    )  # fmt: skip
