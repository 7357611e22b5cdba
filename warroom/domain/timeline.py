"""The timeline: what the events project to, for people to read, edit and export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from warroom.domain.corrections import instant_of, standing, target_of
from warroom.domain.events import MACHINE_KINDS, Event, Kind
from warroom.domain.incident import Incident, Status, incident_of, status_of


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
    amended: bool = False

    @property
    def by_machine(self) -> bool:
        return self.kind in MACHINE_KINDS


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds; None where it has not happened or nobody knows.

    `detect` runs from the first sign to the opening, the others from the opening; `total` ends
    with the resolution, or now. Clocks of several machines differ: none is ever negative.
    """

    acknowledge: float | None
    mitigate: float | None
    resolve: float | None
    detect: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """An incident with its entries by time, and what can be computed from them.

    Seconds in each severity count until the resolution, those in each status until the closing.
    `started_at` is the first sign of the trouble, if it was before the opening.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    durations: Durations
    time_in_severity: Mapping[str, float]
    time_in_status: Mapping[Status, float]
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MitigationRun:
    """One mitigation from its request to its effect. `outcome` is None while it is under way,
    or when nobody lived to write it; `effect` when it was not looked at."""

    request: Entry
    outcome: Entry | None = None
    effect: Entry | None = None


def project(events: Sequence[Event], now: datetime) -> Timeline:
    """The timeline of one incident's events (by sequence). `now` ends what still lasts.

    Raises ValueError when there is no opening event; takes any other sequence of events.
    """
    incident = incident_of(events)
    valid = standing(events)
    started = first_sign(valid)
    resolved, closed = incident.resolved_at or now, incident.closed_at or now
    return Timeline(
        incident=incident,
        entries=_entries(events, valid),
        durations=_durations(incident, started, now),
        time_in_severity=_spent(valid, Kind.SEVERITY, _severity, resolved),
        time_in_status={
            Status(name): seconds
            for name, seconds in _spent(valid, Kind.STATUS, _status, closed).items()
        },
        started_at=started,
    )


def mitigation_runs(entries: Iterable[Entry]) -> tuple[MitigationRun, ...]:
    """Requests with their outcomes and effects, in the order of the requests.

    An outcome or effect names its request by sequence in `data["request"]`.
    """
    ordered = sorted(entries, key=lambda entry: entry.seq)
    later: dict[tuple[Kind, int], Entry] = {}
    for entry in ordered:
        request = entry.data.get("request")
        if entry.kind in _AFTER_REQUEST and isinstance(request, int):
            later[_AFTER_REQUEST[entry.kind], request] = entry
    return tuple(
        MitigationRun(
            entry, later.get((Kind.OUTCOME, entry.seq)), later.get((Kind.EFFECT, entry.seq))
        )
        for entry in ordered
        if entry.kind is Kind.REQUESTED
    )


_AFTER_REQUEST: Final = {
    Kind.OUTCOME: Kind.OUTCOME,
    Kind.REFUSED: Kind.OUTCOME,
    Kind.EFFECT: Kind.EFFECT,
}


def first_sign(events: Sequence[Event]) -> datetime | None:
    """When the trouble began, as far as anybody wrote down (corrections made before).

    The last field `started` that names an instant; else the earliest entry that happened before
    the opening, other than a recovery. None when that is not before the opening.
    """
    opening = next((event for event in events if event.kind is Kind.OPENED), None)
    if opening is None:
        return None
    said = [
        instant_of(event.text)
        for event in events
        if event.kind is Kind.FIELD and event.data.get("field") == "started"
    ]
    known = [instant for instant in said if instant is not None]
    signs = known[-1:] or [event.at for event in events if _is_sign(event)]
    earliest = min(signs, default=opening.at)
    return earliest if earliest < opening.at else None


def _is_sign(event: Event) -> bool:
    if event.kind is Kind.HEALTH:
        return event.data.get("after") != "ok"
    return event.kind in (Kind.FINDING, Kind.NOTE, Kind.EVIDENCE)


def _entries(events: Iterable[Event], valid: Iterable[Event]) -> tuple[Entry, ...]:
    amended = {target_of(event) for event in events if event.kind is Kind.AMENDED}
    entries = [
        Entry(
            event.seq, event.at, event.author.login, event.kind, event.text,
            event.starred, event.internal, event.data, event.seq in amended,
        )
        for event in valid
    ]  # fmt: skip
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.seq)))


def _durations(incident: Incident, started: datetime | None, now: datetime) -> Durations:
    opened = incident.opened_at

    def since_opening(instant: datetime | None) -> float | None:
        return None if instant is None else max(0.0, (instant - opened).total_seconds())

    return Durations(
        acknowledge=since_opening(incident.acknowledged_at),
        mitigate=since_opening(incident.mitigated_at),
        resolve=since_opening(incident.resolved_at),
        detect=None if started is None else (opened - started).total_seconds(),
        total=since_opening(incident.resolved_at or now) or 0.0,
    )


def _severity(event: Event) -> str:
    return str(event.data.get("severity", ""))


def _status(event: Event) -> str:
    status = Status.INVESTIGATING if event.kind is Kind.OPENED else status_of(event)
    return status.value if status else ""


def _spent(
    events: Iterable[Event], kind: Kind, value: Callable[[Event], str], end: datetime
) -> dict[str, float]:
    """Seconds by value, in the order in which the values were first held.

    What is said last holds from the time it names: it overtakes what was said earlier about a
    later time. So a change that is written down late moves the course and never makes it negative.
    """
    course: list[tuple[datetime, str]] = []
    for event in events:
        named = value(event)
        if not course and event.kind is Kind.OPENED:
            course = [(event.at, named)]
        elif course and event.kind is kind and named:
            at = max(event.at, course[0][0])
            course = [*(held for held in course if held[0] < at), (at, named)]
    spent: dict[str, float] = {}
    ends = [at for at, _ in course[1:]] + [end]
    for (at, name), until in zip(course, ends, strict=True):
        spent[name] = spent.get(name, 0.0) + max(0.0, (until - at).total_seconds())
    return spent
