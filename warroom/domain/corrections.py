"""What still holds of what was written down: amendments made, retracted entries taken out.

The journal keeps everything; whoever wants to know how things stand reads the events through
`standing` first. A retraction of a correction takes the correction back. The opening can be
amended (its text is the incident's title) but not retracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from warroom.domain.events import CORRECTIONS, Event, Kind


def standing(events: Sequence[Event]) -> list[Event]:
    """`events` (by sequence) as corrected: each with its own sequence and digest, in the order in
    which they were written, without corrections and without what was retracted."""
    if not any(event.kind in CORRECTIONS for event in events):
        return list(events)
    retracted = _retracted(events)
    kept: dict[int, Event] = {}
    for event in events:
        if event.seq in retracted or event.kind is Kind.RETRACTED:
            continue
        if event.kind is Kind.AMENDED:
            target = target_of(event)
            if target in kept:
                kept[target] = _amended(kept[target], event)
        else:
            kept[event.seq] = event
    return list(kept.values())


def target_of(event: Event) -> int:
    """The sequence that a correction is about; 0 when it names none."""
    target = event.data.get("seq")
    return target if isinstance(target, int) and 0 < target < event.seq else 0


def instant_of(value: object) -> datetime | None:
    """The UTC instant that an ISO 8601 text names; one without a zone is taken as UTC.

    >>> instant_of("2026-11-21T15:00+01:00")
    datetime.datetime(2026, 11, 21, 14, 0, tzinfo=datetime.timezone.utc)
    >>> instant_of("about three") is None
    True
    """
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: year 1 or 9999 with an offset
        return None


def _retracted(events: Sequence[Event]) -> set[int]:
    """Read from the end, so that a retraction which was itself retracted does not count."""
    opening = next((event.seq for event in events if event.kind is Kind.OPENED), 0)
    retracted: set[int] = set()
    for event in reversed(events):
        if event.kind is Kind.RETRACTED and event.seq not in retracted:
            retracted.add(target_of(event))
    return retracted - {0, opening}


def _amended(event: Event, amendment: Event) -> Event:
    said = amendment.data
    more = said.get("data")
    data: Mapping[str, Any] = {**event.data, **more} if isinstance(more, Mapping) else event.data
    return replace(
        event,
        text=amendment.text or event.text,
        at=instant_of(said.get("at")) or event.at,
        starred=bool(said.get("starred", event.starred)),
        internal=bool(said.get("internal", event.internal)),
        data=data,
    )
