"""Stored events for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from warroom.domain.events import Author, Draft, Event, Kind, event_id, seal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALICE = Author("alice", 1000, "192.0.2.10")


def stored(
    kind: Kind,
    text: str,
    data: Mapping[str, Any] | None = None,
    *,
    seq: int = 1,
    at: datetime = NOON,
) -> Event:
    """An event as a journal would give it."""
    draft = Draft(kind, at, ALICE, text, data or {})
    return seal(event_id(at), "INC-2026-01-01-001", seq, at, draft, "")
