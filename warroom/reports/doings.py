"""What can be computed from a timeline about people, promises and mitigations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from warroom.domain.checklist import Item
from warroom.domain.events import Kind
from warroom.domain.incident import REACHED, Incident, Role
from warroom.domain.severity import Scheme
from warroom.domain.timeline import Entry, MitigationRun, Timeline

UNSHOWN: Final = frozenset({Kind.FIELD, Kind.ACTION_ITEM, Kind.EXPORTED, Kind.SNOOZED})
"""What has a section of its own, or is about the report and its timers."""
_WARROOM: Final = "warroom"
"""The login by which ticks, a regression and a set clock are written: nobody did that."""
_LEVELS: Final = frozenset({Kind.OPENED, Kind.SEVERITY})
_TELLS: Final = frozenset({Kind.STATUS, Kind.UPDATE})
_TURNS: Final = frozenset({Kind.OPENED, Kind.STATUS, Kind.SEVERITY, Kind.OUTCOME, Kind.EFFECT})


@dataclass(frozen=True, slots=True)
class Person:
    """What one person did: roles held in the order of taking them, and how many entries they
    wrote, mitigations they asked for and updates of theirs reached somebody."""

    name: str
    roles: tuple[str, ...]
    entries: int
    mitigations: int
    updates: int


@dataclass(frozen=True, slots=True)
class Promise:
    """The updates that one audience was promised (empty: whoever is told), from the opening to
    the resolution. `late` says by how many seconds each late one was, `silent` for how many
    seconds the last one has been overdue (0: it is not)."""

    audience: str
    sent: int
    on_time: int
    late: tuple[float, ...]
    silent: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One figure of a mitigation's effect."""

    metric: str
    before: float
    after: float


def shown(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that stand in the timeline of a report."""
    return [entry for entry in entries if entry.kind not in UNSHOWN]


def key_moments(entries: Iterable[Entry]) -> list[Entry]:
    """What tells the course in a few lines: what was starred, tagged, and what turned it."""
    return [
        entry
        for entry in shown(entries)
        if entry.starred
        or (entry.kind in _TURNS and not _is_look(entry))
        or ("tags" in entry.data and entry.tags and not entry.by_machine)
    ]


def _is_look(entry: Entry) -> bool:
    """Whether it is about an action that only read: a step of a runbook, for instance."""
    return entry.data.get("risk") == "read"


def commanders(timeline: Timeline) -> list[str]:
    """Who commanded, in the order of handover."""
    names: list[str] = []
    for entry in _told_in_order(timeline, Kind.ROLE):
        person = str(entry.data.get("person", ""))
        if entry.data.get("role") == Role.COMMANDER.value and person and names[-1:] != [person]:
            names.append(person)
    return names


def people(timeline: Timeline) -> list[Person]:
    """Everybody who wrote something or had a role, by the first thing they did."""
    roles: dict[str, dict[str, None]] = {}
    counts: dict[str, list[int]] = {}
    for entry in shown(timeline.entries):
        if entry.author == _WARROOM or entry.by_machine:
            continue
        count = counts.setdefault(entry.author, [0, 0, 0])
        count[0] += 1
        count[1] += entry.kind is Kind.REQUESTED and not _is_look(entry)
        count[2] += _reached(entry)
    for entry in _told_in_order(timeline, Kind.ROLE):
        person, role = str(entry.data.get("person", "")), str(entry.data.get("role", ""))
        if person and role:
            roles.setdefault(person, {})[role] = None
    return [
        Person(name, tuple(roles.get(name, ())), *counts.get(name, (0, 0, 0)))
        for name in dict.fromkeys([*counts, *roles])
    ]


def promises(timeline: Timeline, scheme: Scheme, now: datetime) -> list[Promise]:
    """The updates promised and sent, for each audience of the levels the incident was at.

    To whoever is told, a change of status is an update, too, as the console's clock has it. An
    update is due `update_s` after the one before it (the first: after the opening), by the level
    that holds then: whoever raises the severity may bring it forward. Promises end with the
    resolution. A level of another scheme promises nothing.
    """
    incident = timeline.incident
    end = incident.resolved_at or now
    levels = _levels(timeline, end)
    named = {
        audience.name: None
        for _, _, name in levels
        if (level := scheme.find(name)) is not None
        for audience in level.audiences
    }
    if scheme.name != incident.scheme:
        return []
    told = [entry for entry in timeline.entries if entry.kind in _TELLS]
    return [
        found
        for audience in ("", *named)
        if (found := _promise(told, incident.opened_at, scheme, audience, levels, end)) is not None
    ]


def _promise(
    told: Iterable[Entry],
    opened: datetime,
    scheme: Scheme,
    audience: str,
    levels: Sequence[tuple[datetime, datetime, str]],
    end: datetime,
) -> Promise | None:
    spans = [(begin, until, _every(scheme, name, audience)) for begin, until, name in levels]
    if all(every is None for _, _, every in spans):
        return None
    sent = sorted(
        entry.at for entry in told if _tells(entry, audience) and opened <= entry.at <= end
    )
    overdue = [_overdue(*pair, spans) for pair in pairwise([opened, *sent, end])]
    late = tuple(seconds for seconds in overdue[:-1] if seconds > 0)
    return Promise(audience, len(sent), len(sent) - len(late), late, overdue[-1])


def _overdue(
    last: datetime,
    sent: datetime,
    spans: Iterable[tuple[datetime, datetime, float | None]],
) -> float:
    """For how many seconds an update that came at `sent` had been due, after one at `last`."""
    for begin, until, every in spans:
        if every is None:
            continue
        due = max(begin, last + timedelta(seconds=every))
        if due < min(until, sent):
            return (sent - due).total_seconds()
    return 0.0


def _levels(timeline: Timeline, end: datetime) -> list[tuple[datetime, datetime, str]]:
    """From when to when the incident was at which level, by time."""
    course: list[tuple[datetime, str]] = []
    for entry in timeline.entries:
        if entry.kind in _LEVELS and entry.data.get("severity"):
            course.append((entry.at, str(entry.data["severity"])))
    ends = [*(at for at, _ in course[1:]), end] if course else []
    return [(at, until, name) for (at, name), until in zip(course, ends, strict=True)]


def _every(scheme: Scheme, name: str, audience: str) -> float | None:
    level = scheme.find(name)
    if level is None:
        return None
    if not audience:
        return level.update_s
    return next((one.update_s for one in level.audiences if one.name == audience), None)


def _tells(entry: Entry, audience: str) -> bool:
    if not audience:
        return entry.kind is Kind.STATUS or _reached(entry)
    return _reached(entry) and str(entry.data.get("audience")).casefold() == audience.casefold()


def _reached(entry: Entry) -> bool:
    return entry.kind is Kind.UPDATE and entry.data.get("state") in REACHED


def figures(run: MitigationRun) -> list[Figures]:
    """What the effect's look compared, the metrics that moved first."""
    if run.effect is None:
        return []
    before, after = run.effect.data.get("before"), run.effect.data.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return []
    both = [
        Figures(str(name), float(value), float(after[name]))
        for name, value in before.items()
        if _is_number(value) and _is_number(after.get(name))
    ]
    return sorted(both, key=lambda figure: figure.before == figure.after)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def undone(incident: Incident, checklist: Iterable[Item]) -> list[Item]:
    """The items that nobody ticked."""
    return [item for item in checklist if item.id not in incident.ticked]


def _told_in_order(timeline: Timeline, kind: Kind) -> list[Entry]:
    """Entries of a kind by sequence: the order of the journal does not depend on clocks."""
    return sorted((e for e in timeline.entries if e.kind is kind), key=lambda entry: entry.seq)
