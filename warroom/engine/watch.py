"""Reopens a resolved incident when something comes back during the watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from warroom.domain.corrections import standing, target_of
from warroom.domain.events import CORRECTIONS, Event, Kind, derived_id
from warroom.domain.incident import Status
from warroom.domain.watch import Watcher, reopening, watched_until
from warroom.engine import own
from warroom.engine.session import Session

_WATCHED: Final = frozenset({Kind.STATUS, Kind.HEALTH, Kind.FINDING, Kind.RECOVERED})


class Watch:
    """`watch_s` seconds after each resolution; 0: never. Until something is resolved, nothing is
    read: an incident may have a hundred thousand events."""

    def __init__(self, watch_s: float) -> None:
        self.watch_s = watch_s
        self._watcher, self._incident, self._read = Watcher(), "", 0
        self._resolved = False

    def left(self, session: Session, now: datetime) -> float | None:
        """Seconds until the watch ends, at least 0; None when none runs or it is over."""
        until = watched_until(session.incident, self.watch_s) if session.incident else None
        return None if until is None or until <= now else (until - now).total_seconds()

    def over(self, session: Session, now: datetime) -> bool:
        """Whether a watch ran to its end and nothing came back."""
        until = watched_until(session.incident, self.watch_s) if session.incident else None
        return until is not None and until <= now

    async def step(self, session: Session) -> str:
        """Why it was reopened since the last step, by whichever console; empty when it was not.

        Raises JournalError.
        """
        incident = session.incident
        was, self._resolved = self._resolved, False
        if incident is None or not (was or incident.status is Status.RESOLVED):
            return ""
        reopened = self._catch_up(session)
        until = watched_until(incident, self.watch_s)
        if until is None:
            return reopened
        self._resolved = True
        for event, again in self._watcher.regressions:
            key = derived_id(event.at, incident.id, "reopened", event.id)
            if event.at > until or any(kept.id == key for kept in session.events[event.seq :]):
                continue  # a person who took the reopening back knows better
            text = reopening(event, again=again)
            data = {
                "status": Status.INVESTIGATING.value,
                "was": incident.status.value,
                "because": event.seq,
            }
            at = max(event.at, incident.resolved_at or event.at)  # seen before, written after
            await own.write(session, Kind.STATUS, text, data, at=at, id=key)
            return reopened + self._catch_up(session)
        return reopened

    def _catch_up(self, session: Session) -> str:
        """Read on; the text of the last reopening among what is new."""
        events = session.events
        opening = events[0].id
        known = opening == self._incident
        fresh = events[self._read :] if known else events
        self._incident, self._read = opening, len(events)
        if known and not any(_changes_what_was_seen(event, events) for event in fresh):
            self._watcher.add(fresh)
        else:
            self._watcher = Watcher()
            self._watcher.add(standing(events))
        reopenings = [event.text for event in fresh if known and _reopens(event)]
        return reopenings[-1] if reopenings else ""


def _reopens(event: Event) -> bool:
    return event.kind is Kind.STATUS and "because" in event.data


def _changes_what_was_seen(event: Event, events: Sequence[Event]) -> bool:
    """Whether it corrects an event that counts, directly or by correcting a correction."""
    if event.kind not in CORRECTIONS:
        return False
    while event.kind in CORRECTIONS and (target := target_of(event)):
        event = events[target - 1]
    return event.kind in _WATCHED
