"""Writes to the timeline what the systems do by themselves.

Health transitions have hysteresis: a source must look ill twice before it is written down as ill
and well three times before it is well again; a row that its system pushes (a container) counts
at once. A thing that changes more than five times in ten minutes is written as flapping, once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from warroom.domain.events import MACHINE_KINDS, Draft, Event, Kind, derived_id
from warroom.domain.incident import Incident
from warroom.domain.sample import Finding, Health, Row, Sample

LOOKS_TO_WORSEN: Final = 2
LOOKS_TO_RECOVER: Final = 3
FLAPS: Final = 5
FLAP_WINDOW: Final = timedelta(minutes=10)

Thing = tuple[str, str]
"""(source, row name); the source itself has an empty row name."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to write down."""

    kind: Kind
    text: str
    data: Mapping[str, object]


@dataclass(slots=True)
class _Track:
    health: Health | None = None
    candidate: Health | None = None
    looks: int = 0
    changes: deque[datetime] = field(default_factory=lambda: deque(maxlen=FLAPS))
    flapping: bool = False


class Transitions:
    """Turns samples and findings into changes worth a line. Knows no journal and no clock."""

    def __init__(self) -> None:
        self._tracks: dict[Thing, _Track] = {}
        self._findings: dict[tuple[str, str, str], Finding] = {}

    def health(self, sample: Sample) -> list[Change]:
        """Changes of the source's own health and of its rows'."""
        own = sample.health
        if not sample.error and any(row.health is not None for row in sample.rows):
            own = Health.OK  # its rows speak for themselves
        changes = self._moved((sample.source, ""), own, sample.summary, sample.at, quick=False)
        if sample.stale or sample.error:
            return changes
        for row in sample.rows:
            if row.health is not None:
                changes += self._moved(
                    (sample.source, row.name), row.health, _why(row), sample.at, quick=True
                )
        return changes + self._gone(sample)

    def findings(self, source: str, now: Iterable[Finding]) -> list[Change]:
        """Findings that began, got worse or better, or ended on one source."""
        current = {(f.source, f.check, f.row): f for f in now}
        changes = []
        for key, finding in current.items():
            was = self._findings.get(key)
            if was is None or was.level is not finding.level:
                changes.append(
                    Change(Kind.FINDING, f"{source}: {finding.message}", _finding_data(finding))
                )
        for key in [k for k in self._findings if k[0] == source and k not in current]:
            ended = self._findings.pop(key)
            text = f"{source}: no longer so: {ended.message}"
            changes.append(Change(Kind.RECOVERED, text, _finding_data(ended)))
        self._findings.update(current)
        return changes

    def _moved(
        self, thing: Thing, health: Health, why: str, at: datetime, *, quick: bool
    ) -> list[Change]:
        track = self._tracks.setdefault(thing, _Track())
        if track.health is None:
            return self._first_seen(track, thing, health, why)
        if health is track.health:
            track.candidate, track.looks = None, 0
            return []
        track.looks = track.looks + 1 if health is track.candidate else 1
        track.candidate = health
        worse = health.rank > track.health.rank
        if track.looks < (
            1 if quick and worse else LOOKS_TO_WORSEN if worse or quick else LOOKS_TO_RECOVER
        ):
            return []
        was, track.health, track.candidate, track.looks = track.health, health, None, 0
        track.changes.append(at)
        return self._written(track, thing, was, why)

    def _first_seen(self, track: _Track, thing: Thing, health: Health, why: str) -> list[Change]:
        """What is ill when the room opens is worth a line; what is well is not."""
        track.health = health
        return [] if health is Health.OK else [_transition(thing, None, health, why)]

    def _written(self, track: _Track, thing: Thing, was: Health, why: str) -> list[Change]:
        assert track.health is not None
        if len(track.changes) == FLAPS and track.changes[-1] - track.changes[0] < FLAP_WINDOW:
            if track.flapping:
                return []
            track.flapping = True
            change = _transition(thing, was, track.health, why)
            note = f"{_label(thing)} is flapping: {FLAPS} changes in 10 minutes; now {track.health}"
            return [replace(change, text=note)]
        track.flapping = False
        return [_transition(thing, was, track.health, why)]

    def _gone(self, sample: Sample) -> list[Change]:
        """Rows that were watched and are no more (a container removed) are written once."""
        present = {row.name for row in sample.rows}
        gone = [t for t in self._tracks if t[0] == sample.source and t[1] and t[1] not in present]
        changes = []
        for thing in gone:
            track = self._tracks.pop(thing)
            was = track.health.value if track.health else ""
            data = {"source": thing[0], "row": thing[1], "before": was, "after": "gone"}
            changes.append(Change(Kind.HEALTH, f"{_label(thing)} is gone (was {was})", data))
        return changes


class Standing:
    """The changes that hold now, each with when it was seen: with them begins the timeline of an
    incident that is opened while systems are ill."""

    def __init__(self) -> None:
        self._held: dict[tuple[object, ...], tuple[Change, datetime]] = {}

    def take(self, change: Change, at: datetime) -> None:
        """`change` holds from now on, or it is over."""
        if change.kind is Kind.RECOVERED or change.data.get("after") in (Health.OK.value, "gone"):
            self._held.pop(_thing(change.data), None)
        else:
            self._held[_thing(change.data)] = change, at

    def __iter__(self) -> Iterator[tuple[Change, datetime]]:
        return iter(tuple(self._held.values()))


def _why(row: Row) -> str:
    state = str(row.cells[1]) if len(row.cells) > 1 else ""
    return row.note or state


def _label(thing: Thing) -> str:
    return f"{thing[0]}: {thing[1]}" if thing[1] else thing[0]


def _transition(thing: Thing, was: Health | None, health: Health, why: str) -> Change:
    before = f" (was {was})" if was else ""
    reason = f": {why}" if why else ""
    data = {
        "source": thing[0],
        "row": thing[1],
        "before": was.value if was else "",
        "after": health.value,
    }
    return Change(Kind.HEALTH, f"{_label(thing)} {health}{reason}{before}", data)


def _finding_data(finding: Finding) -> Mapping[str, object]:
    return {
        "source": finding.source,
        "check": finding.check,
        "row": finding.row,
        "level": finding.level.value,
        "value": finding.value,
    }


def entry_id(
    change: Change, incident: Incident, events: Sequence[Event], unsaved: Iterable[Draft] = ()
) -> str:
    """The id to write `change` under; empty when it says nothing that `events` do not say already.

    A console that is opened again, or a second one beside it, sees the same ill source: the last
    entry about that thing decides, whoever wrote it. Consoles that see the same at the same moment,
    before either has read what the other wrote, come to the same id, and it is stored once.
    `unsaved` waits for the journal.
    """
    thing, state = _thing(change.data), _state(change.kind, change.data)
    known = (e for e in reversed(events) if e.kind in MACHINE_KINDS and _thing(e.data) == thing)
    last = next(known, None)
    if last is None and change.kind is Kind.RECOVERED:
        return ""
    if last is not None and _state(last.kind, last.data) == state:
        return ""
    waiting = sum(d.kind in MACHINE_KINDS and _thing(d.data) == thing for d in unsaved)
    at, seq = (last.at, last.seq) if last is not None else (incident.opened_at, 0)
    return derived_id(at, incident.id, "seen", *map(str, (*thing, *state, seq, waiting)))


def _state(kind: Kind, data: Mapping[str, object]) -> tuple[object, ...]:
    return data.get("after", kind.value), data.get("level")


def _thing(data: Mapping[str, object]) -> tuple[object, ...]:
    """What a change is about: a source, one of its rows, a check on it."""
    return data.get("source"), data.get("row"), data.get("check")
