"""The one protocol of the stores, and what can go wrong with them.

JournalError
├── NotSaved        the event is not on disk; the caller keeps the text and says so
├── NoIncident      no incident of that id, or none open
└── NewerSchema     written by a newer warroom: read-only here
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from warroom.domain.events import Author, Draft, Event, Kind, broken
from warroom.domain.incident import Status
from warroom.domain.readings import Reading

PRESENT_S = 15.0
"""How long after its last sign of life a console counts as present."""


class JournalError(Exception):
    """The journal could not do what it was asked; the message is one plain line. `damaged` is the
    file of which `salvage` reads what is left."""

    damaged: Path | None = None


class NotSaved(JournalError):
    """What was to be appended is not durable."""


class NoIncident(JournalError):
    """There is no such incident."""


class NewerSchema(JournalError):
    """The store was written by a newer version."""


@dataclass(frozen=True, slots=True)
class Heading:
    """An incident in a list."""

    id: str
    title: str
    scheme: str
    severity: str
    status: Status
    opened_at: datetime
    events: int
    origin: str = ""
    """Where it was imported from; empty for an incident of this journal's own."""
    fault: str = ""
    """Why it cannot be read; then the rest says no more than its id. One such incident must not
    hide all others."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A console that looks at an incident. `console` is its own id, `seen_at` its last sign,
    `doing` what it is about to do (see `engine.doing`)."""

    console: str
    author: Author
    seen_at: datetime
    doing: str = ""


class Journal(Protocol):
    """Append-only. Every method may raise JournalError only.

    `changed` is set whenever events arrived, our own or another console's; whoever waits clears
    it and reads `events(after=...)` again.
    """

    changed: asyncio.Event

    async def open_incident(self, draft: Draft) -> Event:
        """Begin an incident (id `INC-YYYY-MM-DD-NNN`) with its event of kind OPENED.

        A draft whose `id` already began one gives the stored event. Raises NotSaved.
        """
        ...

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        """Store drafts in order, all or none; returns when they are durable.

        Of a draft whose `id` the incident already has, the stored event is returned and nothing
        is added. Raises NotSaved, NoIncident.
        """
        ...

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        """Events with a sequence above `after`, by sequence. Raises NoIncident."""
        ...

    async def headings(self) -> Sequence[Heading]:
        """Every incident, newest first."""
        ...

    async def current(self) -> str | None:
        """The id of the newest incident that is not closed: see `newest_open`."""
        ...

    async def verify(self, incident: str) -> int:
        """The first sequence whose digest does not fit, 0 when the whole chain holds."""
        ...

    async def adopt(self, events: Sequence[Event], origin: str) -> str:
        """Take an exported incident in, every event as it was sealed; returns its id here.

        The id is another than the events' own when that is taken by another incident (see
        `name_for`). The events keep theirs, which their digests cover, and so does what is
        appended later: what `events` gives is the same whatever the incident is called here, and
        only `headings` and this method know. Raises NotSaved for what `importable` refuses, and
        when every one of the events is here already.
        """
        ...

    async def beat(
        self, incident: str, console: str, author: Author, doing: str = ""
    ) -> Sequence[Presence]:
        """Say that this console is here; who is, within PRESENT_S, itself among them."""
        ...

    async def keep(self, incident: str, readings: Sequence[Reading]) -> None:
        """Keep figures; of two for the same source and second the first stays."""
        ...

    async def readings(self, incident: str) -> Sequence[Reading]:
        """The figures that were kept, by time, then source."""
        ...

    def watch(self) -> None:
        """Set `changed` for what other consoles write too, from now until `close`. In the loop."""
        ...

    async def close(self) -> None: ...


_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def newest_open(headings: Sequence[Heading]) -> str | None:
    """The id of the first that is not closed, of `headings` newest first.

    An imported incident is history until somebody takes it up by name: otherwise a note meant for
    today's incident would go into the one that was brought in an hour ago.
    """
    ours = (h for h in headings if h.status is not Status.CLOSED and not h.origin)
    return next((h.id for h in ours if not h.fault), None)


def importable(events: Sequence[Event]) -> None:
    """Raises NotSaved unless `events` are one incident from its opening on, as it was sealed."""
    if not events or events[0].kind is not Kind.OPENED:
        raise NotSaved("an incident begins with an event of kind 'opened'")
    if any(event.kind is Kind.OPENED for event in events[1:]):
        raise NotSaved("an incident is opened once")
    name = events[0].incident
    if not _NAME.fullmatch(name):
        raise NotSaved("its id is none that an incident can have")
    if any(event.incident != name for event in events):
        raise NotSaved(f"not every entry is one of {name}")
    if len({event.id for event in events}) < len(events):
        raise NotSaved(f"two entries of {name} have the same id")
    fault = broken(events)
    if fault:
        raise NotSaved(f"entry {fault} of {name} is not as it was written")


def name_for(own: str, taken: Callable[[str], bool]) -> str:
    """The id under which an imported incident is kept: its own, or that with the first number
    from 2 on that makes it another.

    >>> name_for("INC-2026-11-21-001", {"INC-2026-11-21-001"}.__contains__)
    'INC-2026-11-21-001-2'
    """
    name, number = own, 1
    while taken(name):
        number += 1
        name = f"{own}-{number}"
    return name
