"""The watch after a resolution: what was well then and is not any more, reopens the incident."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from warroom.domain.events import Event, Kind
from warroom.domain.incident import Incident, Status, status_of

Thing = tuple[object, object, object]
"""A source, one of its rows, a check on it."""

_WAS: Final = re.compile(r" \(was [a-z]+\)$")


def watched_until(incident: Incident, watch_s: float) -> datetime | None:
    """When the watch ends, or ended; None when nothing is resolved, or nothing is watched."""
    resolved = incident.resolved_at
    if not watch_s or resolved is None or incident.status is not Status.RESOLVED:
        return None
    return resolved + timedelta(seconds=watch_s)


class Watcher:
    """Takes an incident's standing events in order; knows what became ill since the resolution.

    Ill is what is down or beyond a critical threshold. The recorder writes that only after several
    looks, so one bad look is none. What was ill when somebody resolved the incident was known.
    """

    def __init__(self) -> None:
        self._ill: dict[Thing, Event] = {}
        self._ever: set[Thing] = set()
        self._accepted: frozenset[Thing] | None = None
        self.regressions: list[tuple[Event, bool]] = []
        """Since the last resolution: the event, and whether the thing had been ill before."""

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events."""
        for event in events:
            if event.kind is Kind.STATUS:
                resolved = status_of(event) is Status.RESOLVED
                self._accepted = frozenset(self._ill) if resolved else None
                self.regressions = []
            elif event.kind in (Kind.HEALTH, Kind.FINDING, Kind.RECOVERED):
                self._saw(event)

    def _saw(self, event: Event) -> None:
        thing = _thing(event.data)
        if not _is_ill(event):
            self._ill.pop(thing, None)
            return
        fresh = thing not in self._ill
        self._ill[thing] = event
        if fresh and self._accepted is not None and thing not in self._accepted:
            self.regressions.append((event, thing in self._ever))
        self._ever.add(thing)


def reopening(event: Event, *, again: bool) -> str:
    """Why the incident is open again, in one line."""
    once_more = " again" if again else ""
    if event.kind is Kind.FINDING:
        return f"reopened: critical{once_more}: {event.text}"
    source, row = event.data.get("source"), event.data.get("row")
    name = f"{source}: {row}" if row else str(source)
    why = _WAS.sub("", event.text).removeprefix(f"{name} down").removeprefix(": ")
    return f"reopened: {name} is down{once_more}" + (f": {why}" if why else "")


def _is_ill(event: Event) -> bool:
    if event.kind is Kind.HEALTH:
        return event.data.get("after") == "down"
    return event.kind is Kind.FINDING and event.data.get("level") == "critical"


def _thing(data: Mapping[str, Any]) -> Thing:
    return (str(data.get("source")), str(data.get("row") or ""), str(data.get("check") or ""))
