"""The timeline: what the events project to, for people to read, edit and export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from warroom.domain.events import MACHINE_KINDS, Event, Kind
from warroom.domain.incident import Incident, Status, incident_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline, after amendments; `seq` is the event it came from."""

    seq: int
    at: datetime
    author: str
    kind: Kind
    text: str
    starred: bool = False
    internal: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_machine(self) -> bool:
        return self.kind in MACHINE_KINDS


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds from the opening; None where it has not happened."""

    acknowledge: float | None
    mitigate: float | None
    resolve: float | None
    detect: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """An incident with its entries by time, and what can be computed from them."""

    incident: Incident
    entries: tuple[Entry, ...]
    durations: Durations
    time_in_severity: Mapping[str, float]
    time_in_status: Mapping[Status, float]


def project(events: Sequence[Event], now: datetime) -> Timeline:
    """The timeline of one incident's events (by sequence). `now` ends what still lasts."""
    incident = incident_of(events)
    end = incident.closed_at or now
    return Timeline(
        incident=incident,
        entries=_entries(events),
        durations=_durations(incident, events, now),
        time_in_severity=_spent(events, Kind.SEVERITY, "severity", end),
        time_in_status={
            Status(name): seconds
            for name, seconds in _spent(events, Kind.STATUS, "status", end).items()
        },
    )


def _entries(events: Iterable[Event]) -> tuple[Entry, ...]:
    entries: dict[int, Entry] = {}
    for event in events:
        target = int(event.data.get("seq", 0))
        if event.kind is Kind.AMENDED and target in entries:
            at = event.data.get("at")
            entries[target] = replace(
                entries[target],
                text=event.text,
                at=datetime.fromisoformat(at) if at else entries[target].at,
                starred=bool(event.data.get("starred", entries[target].starred)),
            )
        elif event.kind is Kind.RETRACTED:
            entries.pop(target, None)
        elif event.kind is not Kind.AMENDED:
            entries[event.seq] = Entry(
                event.seq, event.at, event.author.login, event.kind, event.text,
                event.starred, event.internal, event.data,
            )  # fmt: skip
    return tuple(sorted(entries.values(), key=lambda entry: (entry.at, entry.seq)))


def _durations(incident: Incident, events: Sequence[Event], now: datetime) -> Durations:
    started = first_sign(events) or incident.opened_at

    def since(instant: datetime | None) -> float | None:
        return None if instant is None else (instant - incident.opened_at).total_seconds()

    return Durations(
        acknowledge=since(incident.acknowledged_at),
        mitigate=since(incident.mitigated_at),
        resolve=since(incident.resolved_at),
        detect=(incident.opened_at - started).total_seconds()
        if started <= incident.opened_at
        else None,
        total=((incident.resolved_at or now) - incident.opened_at).total_seconds(),
    )


def first_sign(events: Iterable[Event]) -> datetime | None:
    """When the trouble began, as far as anybody wrote down: field `started`, else the earliest
    machine entry that names an ill source before the opening."""
    signs = [event.at for event in events if event.kind in (Kind.HEALTH, Kind.FINDING)]
    for event in events:
        if event.kind is Kind.FIELD and event.data.get("field") == "started":
            return datetime.fromisoformat(event.text)
    return min(signs, default=None)


def _spent(events: Iterable[Event], kind: Kind, key: str, end: datetime) -> dict[str, float]:
    spent: dict[str, float] = {}
    current, since = "", end
    for event in events:
        if event.kind is Kind.OPENED:
            current = str(
                event.data.get(key, Status.INVESTIGATING.value if key == "status" else "")
            )
            since = event.at
        elif event.kind is kind:
            spent[current] = spent.get(current, 0.0) + (event.at - since).total_seconds()
            current, since = str(event.data[key]), event.at
    spent[current] = spent.get(current, 0.0) + max(0.0, (end - since).total_seconds())
    return spent
