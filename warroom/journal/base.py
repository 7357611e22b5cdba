"""The one protocol of the stores, and what can go wrong with them.

JournalError
├── NotSaved        the event is not on disk; the caller keeps the text and says so
├── NoIncident      no incident of that id, or none open
└── NewerSchema     written by a newer warroom: read-only here
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from warroom.domain.events import Draft, Event
from warroom.domain.incident import Status


class JournalError(Exception):
    """The journal could not do what it was asked; the message is one plain line."""


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


class Journal(Protocol):
    """Append-only. Every method may raise JournalError only.

    `changed` is set whenever events arrived, our own or another console's; whoever waits clears
    it and reads `events(after=...)` again.
    """

    changed: asyncio.Event

    async def open_incident(self, draft: Draft) -> Event:
        """Begin an incident (id `INC-YYYY-MM-DD-NNN`) with its event of kind OPENED."""
        ...

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        """Store drafts in order, all or none; returns when they are durable. Raises NotSaved."""
        ...

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        """Events with a sequence above `after`, by sequence. Raises NoIncident."""
        ...

    async def headings(self) -> Sequence[Heading]:
        """Every incident, newest first."""
        ...

    async def current(self) -> str | None:
        """The id of the newest incident that is not closed."""
        ...

    async def verify(self, incident: str) -> int:
        """The first sequence whose digest does not fit, 0 when the whole chain holds."""
        ...

    def watch(self) -> None:
        """Set `changed` for what other consoles write too, from now until `close`. In the loop."""
        ...

    async def close(self) -> None: ...
