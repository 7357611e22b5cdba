"""Chains of events for tests, as a journal would have sealed them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from warroom.domain.events import Author, Draft, Event, Kind, seal

ONCALL = Author("oncall", 1000, "192.0.2.7")
BEGIN = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)


def draft(kind: Kind, text: str = "", at: datetime = BEGIN, **data: Any) -> Draft:
    return Draft(kind, at, ONCALL, text, data)


def opening(title: str = "Checkout 5xx", at: datetime = BEGIN) -> Draft:
    return draft(Kind.OPENED, title, at, scheme="P0-P3", severity="P2")


class Chain:
    """Builds an incident's events one by one; `at` is minutes after its beginning."""

    def __init__(self, begin: datetime = BEGIN, incident: str = "INC-2026-11-21-001") -> None:
        self.begin, self.incident = begin, incident
        self.events: list[Event] = []

    def add(
        self,
        kind: Kind,
        text: str = "",
        *,
        at: float = 0,
        by: str = "oncall",
        starred: bool = False,
        internal: bool = False,
        **data: Any,
    ) -> Event:
        when = self.begin + timedelta(minutes=at)
        made = Draft(kind, when, Author(by, 1000), text, data, starred, internal)
        seq = len(self.events) + 1
        previous = self.events[-1].digest if self.events else ""
        event = seal(f"id-{seq}", self.incident, seq, when, made, previous)
        self.events.append(event)
        return event

    def open(self, title: str = "Checkout 5xx", severity: str = "P2", at: float = 0) -> Event:
        return self.add(Kind.OPENED, title, at=at, scheme="P0-P3", severity=severity)

    def status(self, status: str, at: float) -> Event:
        return self.add(Kind.STATUS, f"status → {status}", at=at, status=status)

    def minute(self, at: float) -> datetime:
        return self.begin + timedelta(minutes=at)
