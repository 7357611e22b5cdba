"""The timeline: what the events project to, for people to read, edit and export."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from warroom.domain.corrections import Corrections, Version, instant_of
from warroom.domain.events import CORRECTIONS, MACHINE_KINDS, NOISE, Event, Kind
from warroom.domain.evidence import Exhibit, evidence_of
from warroom.domain.incident import Incident, Status, advance, incident_of, status_of

TAGS: Final = ("detection", "hypothesis", "action", "decision", "impact", "communication")
"""What an entry can be tagged as; its tags stand in `data["tags"]`."""


class Entry(NamedTuple):
    """One line of the timeline, after amendments; `seq` is the event it came from. `rivals` are
    versions that whoever amended it last had not seen."""

    seq: int
    at: datetime
    author: str
    kind: Kind
    text: str
    starred: bool = False
    internal: bool = False
    data: Mapping[str, Any] = MappingProxyType({})
    amended: bool = False
    rivals: tuple[Version, ...] = ()

    @property
    def by_machine(self) -> bool:
        return self.kind in MACHINE_KINDS

    @property
    def noise(self) -> bool:
        """Whether it may be hidden: by warroom, whose ticks say why, and starred by nobody."""
        ticked = self.kind is Kind.CHECKLIST and "why" in self.data
        return (self.kind in NOISE or ticked) and not self.starred

    @property
    def tags(self) -> tuple[str, ...]:
        """In the order of TAGS, then a team's own."""
        named = self.data.get("tags")
        known = [tag for tag in named if isinstance(tag, str)] if isinstance(named, list) else []
        return tuple(
            sorted(dict.fromkeys(known), key=lambda t: TAGS.index(t) if t in TAGS else len(TAGS))
        )

    @property
    def for_outside(self) -> bool:
        """Whether it stands in the report for people outside: chosen or starred, not internal."""
        return not self.internal and (self.starred or self.data.get("audience") == "external")


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
    `started_at` is the first sign of the trouble, if it was before the opening. `exhibits` are
    in the order in which they were kept.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    durations: Durations
    time_in_severity: Mapping[str, float]
    time_in_status: Mapping[Status, float]
    started_at: datetime | None = None
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True, slots=True)
class MitigationRun:
    """One mitigation from its request to its effect. `outcome` is None while it is under way,
    or when nobody lived to write it; `effect` when it was not looked at."""

    request: Entry
    outcome: Entry | None = None
    effect: Entry | None = None


class Projection:
    """The timeline of one incident, brought up to date event by event.

    A hundred thousand entries are projected once; after that an event costs what it changes.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.last = 0
        self._corrections = Corrections()
        self._incident: Incident | None = None
        self._entries: list[Entry] = []
        self._by_seq: dict[int, Entry] = {}
        self._state: list[int] = []
        self._carriers: list[tuple[int, Event]] = []
        self._evidence = 0
        self._merging: set[int] = set()
        self.add(events)

    @property
    def incident(self) -> Incident:
        """How it stands. Raises ValueError when there is no opening event."""
        if self._incident is None:
            raise ValueError("an incident starts with an event of kind 'opened'")
        return self._incident

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events, by sequence."""
        events = tuple(events)
        self.last = events[-1].seq if events else self.last
        corrected = self._corrections.add(events)
        for event in events:
            if event.kind in _STATE:
                self._advance(event)
            if "evidence" in event.data and event.kind not in CORRECTIONS:
                self._carriers.append((self._evidence, event))
                self._evidence += len(evidence_of(event.data))
        fresh = [_entry(e) for e in events if e.kind not in _PERHAPS or _is_entry(e)]
        self._by_seq.update({entry.seq: entry for entry in fresh})
        self._insert(fresh)
        for seq in corrected:
            self._correct(seq)
        if not self._state_holds(corrected):
            self._incident = incident_of(self._of_state())

    @property
    def pinned(self) -> bool:
        """Whether anything was kept as evidence."""
        return self._evidence > 0

    def versions(self, seq: int) -> tuple[Version, ...]:
        """Every text and time that an entry had."""
        return self._corrections.versions(seq)

    def base(self, seq: int) -> int:
        """What an amendment made now names as its base."""
        return self._corrections.base(seq)

    def holds(self, seq: int) -> bool:
        """Whether event `seq` was not taken back."""
        return self._corrections.holds(seq)

    def entry(self, seq: int) -> Entry | None:
        """The entry of that sequence; None when it was retracted or is none."""
        return self._by_seq.get(seq)

    def timeline(self, now: datetime) -> Timeline:
        """As of the last event taken; `now` ends what still lasts."""
        incident, state = self.incident, self._of_state()
        started = self._first_sign(state)
        resolved, closed = incident.resolved_at or now, incident.closed_at or now
        return Timeline(
            incident=incident,
            entries=tuple(self._entries),
            durations=_durations(incident, started, now),
            time_in_severity=_spent(state, Kind.SEVERITY, _severity, resolved),
            time_in_status={
                Status(name): seconds
                for name, seconds in _spent(state, Kind.STATUS, _status, closed).items()
            },
            started_at=started,
            exhibits=self._exhibits(),
        )

    def _advance(self, event: Event) -> None:
        self._state.append(event.seq)
        if self._incident is not None:
            self._incident = advance(self._incident, event)
        elif event.kind is Kind.OPENED:
            self._incident = incident_of([event])

    def _insert(self, entries: list[Entry]) -> None:
        if len(entries) > _FEW:
            self._entries = sorted([*self._entries, *entries], key=_when)
            return
        for entry in entries:
            self._entries.insert(bisect_left(self._entries, _when(entry), key=_when), entry)

    def _correct(self, seq: int) -> None:
        before = self._by_seq.pop(seq, None)
        if before is not None:
            del self._entries[bisect_left(self._entries, _when(before), key=_when)]
            self._merging.discard(seq)
        event = self._corrections.corrected(seq)
        if event is None or not _is_entry(event):
            return
        amended = len(self._corrections.versions(seq)) > 1
        entry = _entry(event, amended=amended, rivals=self._corrections.rivals(seq))
        self._by_seq[seq] = entry
        if isinstance(entry.data.get("merged"), list):
            self._merging.add(seq)
        self._insert([entry])

    def _state_holds(self, corrected: Iterable[int]) -> bool:
        """Whether no correction was about what the incident's state follows from."""
        known = set(self._state)
        return not any(seq in known for seq in corrected)

    def _of_state(self) -> list[Event]:
        corrected = (self._corrections.corrected(seq) for seq in self._state)
        return [event for event in corrected if event is not None]

    def _first_sign(self, state: Iterable[Event]) -> datetime | None:
        """When the trouble began, as far as anybody wrote down.

        The last field `started` that names an instant; else the earliest entry that happened
        before the opening, other than a recovery. None when that is not before the opening.
        """
        opened = self.incident.opened_at
        said = [
            instant_of(event.text)
            for event in state
            if event.kind is Kind.FIELD and event.data.get("field") == "started"
        ]
        known = [instant for instant in said if instant is not None]
        if known:
            return known[-1] if known[-1] < opened else None
        for entry in self._entries:
            if entry.at >= opened:
                return None
            if _is_sign(entry):
                return entry.at
        return None

    def _exhibits(self) -> tuple[Exhibit, ...]:
        found: list[Exhibit] = []
        merged_into = self._merged_into()
        for number, event in self._carriers:
            own = _belongs(event) or event.seq
            owner = merged_into.get(own, own)
            merged = own == event.seq and owner != own  # retracted because another took it in
            if owner not in self._by_seq or not (merged or self._corrections.holds(event.seq)):
                continue
            for index, evidence in enumerate(evidence_of(event.data), start=number + 1):
                found.append(Exhibit(f"E{index}", owner, event.author.login, event.at, evidence))
        return tuple(found)

    def _merged_into(self) -> dict[int, int]:
        """The entry that took another one in, by the other one's sequence."""
        return {
            seq: into
            for into in sorted(self._merging, reverse=True)
            for seq in self._by_seq[into].data["merged"]
            if isinstance(seq, int)
        }


def project(events: Iterable[Event], now: datetime) -> Timeline:
    """The timeline of one incident's events (by sequence). `now` ends what still lasts.

    Raises ValueError when there is no opening event; takes any other sequence of events.
    """
    return Projection(events).timeline(now)


def mitigation_runs(entries: Iterable[Entry]) -> tuple[MitigationRun, ...]:
    """Requests with their outcomes and effects, in their order; what only looked is none.

    An outcome or effect names its request by sequence in `data["request"]`.
    """
    told = (entry for entry in entries if entry.kind in _OF_RUNS)
    ordered = sorted(told, key=lambda entry: entry.seq)
    later: dict[tuple[Kind, int], Entry] = {}
    for entry in ordered:
        request = entry.data.get("request")
        if entry.kind in _AFTER_REQUEST and isinstance(request, int):
            place = _AFTER_REQUEST[entry.kind], request
            if not (entry.data.get("witness") and place in later):  # its own console knows better
                later[place] = entry
    return tuple(
        MitigationRun(
            entry, later.get((Kind.OUTCOME, entry.seq)), later.get((Kind.EFFECT, entry.seq))
        )
        for entry in ordered
        if entry.kind is Kind.REQUESTED and entry.data.get("risk") != "read"
    )


_AFTER_REQUEST: Final = {
    Kind.OUTCOME: Kind.OUTCOME,
    Kind.REFUSED: Kind.OUTCOME,
    Kind.EFFECT: Kind.EFFECT,
}
_OF_RUNS: Final = frozenset({Kind.REQUESTED, *_AFTER_REQUEST})


_STATE: Final = frozenset(
    {
        Kind.OPENED, Kind.STATUS, Kind.SEVERITY, Kind.ROLE, Kind.CHECKLIST, Kind.FIELD,
        Kind.ACTION_ITEM, Kind.HYPOTHESIS, Kind.UPDATE, Kind.SNOOZED, Kind.EXPORTED,
        Kind.LOCK,
    }
)  # fmt: skip
"""What an incident's state follows from."""
_SIGNS: Final = frozenset({"detection", "impact"})
_FEW: Final = 32
"""Up to so many entries are put in their places one by one; more are sorted in."""


def _is_sign(entry: Entry) -> bool:
    if entry.kind is Kind.HEALTH:
        return entry.data.get("after") != "ok"
    if entry.kind is Kind.NOTE:  # it may be about anything: whoever wrote it says so with a tag
        return not _SIGNS.isdisjoint(entry.tags)
    return entry.kind in (Kind.FINDING, Kind.EVIDENCE)


_when: Final = attrgetter("at", "seq")


def _belongs(event: Event) -> int:
    """The entry that an event of kind EVIDENCE adds to; 0: it is an entry of its own."""
    to = event.data.get("to")
    return to if isinstance(to, int) and 0 < to < event.seq else 0


_PERHAPS: Final = CORRECTIONS | {Kind.EVIDENCE}
"""Kinds of events that are not always an entry."""


def _is_entry(event: Event) -> bool:
    kind = event.kind
    return kind not in CORRECTIONS and (kind is not Kind.EVIDENCE or not _belongs(event))


def _entry(event: Event, *, amended: bool = False, rivals: tuple[Version, ...] = ()) -> Entry:
    return Entry(
        event.seq, event.at, event.author.login, event.kind, event.text,
        event.starred, event.internal, event.data, amended, rivals,
    )  # fmt: skip


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
