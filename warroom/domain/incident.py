"""The incident: what its events add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from warroom.domain.corrections import instant_of, standing
from warroom.domain.events import Event, Kind


class Status(StrEnum):
    """Where an incident stands, in the order it usually goes."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Role(StrEnum):
    """What a person does in an incident."""

    COMMANDER = "incident commander"
    COMMUNICATIONS = "communications lead"
    SCRIBE = "scribe"
    RESPONDER = "responder"
    OBSERVER = "observer"


FIELDS: Final[Mapping[str, str]] = {
    "started": "when it started",
    "summary": "summary",
    "detection": "how it was noticed",
    "impact": "impact",
    "users_affected": "users affected",
    "services_affected": "services affected",
    "features_affected": "features affected",
    "revenue_impact": "revenue impact",
    "data_loss": "data loss",
    "root_cause": "root cause",
    "contributing_factors": "contributing factors",
    "resolution": "resolution",
    "went_well": "what went well",
    "went_wrong": "what went wrong",
    "lessons": "lessons",
}
"""What people write about an incident as a whole (events of kind FIELD, `data["field"]` names
one), with the words for it. `started` is an ISO 8601 instant, the others are free text."""


RESPONSE: Final = "response"
UPDATE: Final = "update"
ESCALATION: Final = "escalation"
POSTMORTEM: Final = "post-mortem"
"""Timers, as events name them (`data["timer"]`); `update:chat` is that of one audience,
`escalation:2` that of one rung."""

REACHED: Final = frozenset({"sent", "copied"})
"""States of a status update in which it reached somebody."""

HYPOTHESIS: Final = "hypothesis: "
"""How the event that says one for the first time begins."""


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to do afterwards. `due` is an ISO date or empty. `id` names it in its events
    (`data["item"]`); of an event that names none, the event's own."""

    text: str
    owner: str = ""
    due: str = ""
    done: bool = False
    id: str = ""


class Belief(StrEnum):
    """What became of a hypothesis."""

    OPEN = "open"
    RULED_OUT = "ruled out"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may be the cause, and why it was ruled out or confirmed. `id` names it in its events
    (`data["hypothesis"]`): the first of them has its text, the later ones what became of it."""

    text: str
    state: Belief = Belief.OPEN
    reason: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The last status update to one audience."""

    at: datetime
    stage: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """A timer that was put off until an instant, by the event of that sequence."""

    until: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Incident:
    """The state after some events. Times are UTC instants.

    `mitigated_at`, `resolved_at` and `closed_at` are those of the last time: whoever goes back
    to work takes them back. `told` is by audience, `snoozed` and `met` by timer: what restarts a
    timer takes both away. `handled` are the checklist's items that anybody ever ticked or unticked.
    """

    id: str
    title: str
    scheme: str
    severity: str
    status: Status
    opened_at: datetime
    status_since: datetime
    severity_since: datetime
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    ticked: frozenset[str] = frozenset()
    handled: frozenset[str] = frozenset()
    action_items: tuple[ActionItem, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    told: Mapping[str, Told] = field(default_factory=dict)
    snoozed: Mapping[str, Snooze] = field(default_factory=dict)
    met: frozenset[str] = frozenset()
    exported_at: datetime | None = None
    security: bool = False
    locked: str = ""
    """Why nothing that destroys may run; empty when it may."""

    @property
    def is_open(self) -> bool:
        return self.status is not Status.CLOSED

    @property
    def commander(self) -> str:
        return ", ".join(self.roles.get(Role.COMMANDER, ()))


def incident_of(events: Sequence[Event]) -> Incident:
    """The incident that `events` (by sequence) add up to, corrections made.

    What was said last holds, whenever it happened: two consoles' clocks may differ, the order of
    the journal does not. A retracted status, severity, role or tick counts as never said.
    Raises ValueError when there is no opening event.
    """
    incident: Incident | None = None
    for event in standing(events):
        if incident is not None:
            incident = advance(incident, event)
        elif event.kind is Kind.OPENED:
            incident = _opened(event)
    if incident is None:
        raise ValueError("an incident starts with an event of kind 'opened'")
    return incident


def _opened(event: Event) -> Incident:
    return Incident(
        id=event.incident,
        title=event.text,
        scheme=str(event.data.get("scheme", "")),
        severity=str(event.data.get("severity", "")),
        status=Status.INVESTIGATING,
        opened_at=event.at,
        status_since=event.at,
        severity_since=event.at,
    )


def advance(incident: Incident, event: Event) -> Incident:
    """`incident` after one more event.

    Total: an event that does not concern its state, or names a status, role or severity that
    there is none of, changes nothing. A correction (CORRECTIONS) is about an earlier event, which
    is not here: then `incident_of` all events.
    """
    change = _CHANGES.get(event.kind)
    return change(incident, event) if change else incident


def status_of(event: Event) -> Status | None:
    """The status that an event of kind STATUS names; None when there is no such status."""
    try:
        return Status(str(event.data.get("status")))
    except ValueError:
        return None


def _with_status(incident: Incident, event: Event) -> Incident:
    status, at = status_of(event), event.at
    if status is None:
        return incident
    incident = replace(
        _restarted(incident, UPDATE, f"{ESCALATION}:"),
        status=status,
        status_since=at,
        updated_at=at,
        acknowledged_at=incident.acknowledged_at or at,
    )
    mitigated, resolved = incident.mitigated_at or at, incident.resolved_at or at
    closed = incident.closed_at or at
    match status:
        case Status.CLOSED:
            return replace(incident, mitigated_at=mitigated, resolved_at=resolved, closed_at=closed)
        case Status.RESOLVED:
            return replace(incident, mitigated_at=mitigated, resolved_at=resolved, closed_at=None)
        case Status.MONITORING:
            return replace(incident, mitigated_at=mitigated, resolved_at=None, closed_at=None)
        case _:  # back to work: what was mitigated or resolved is not
            return replace(incident, mitigated_at=None, resolved_at=None, closed_at=None)


def _with_severity(incident: Incident, event: Event) -> Incident:
    severity = str(event.data.get("severity", ""))
    if not severity:
        return incident
    incident = _restarted(incident, RESPONSE, UPDATE, f"{UPDATE}:", f"{ESCALATION}:")
    return replace(incident, severity=severity, severity_since=event.at)


def _with_role(incident: Incident, event: Event) -> Incident:
    """There is one commander: who takes it over has it from the one before. Any other role may
    have several holders; `was` names whom somebody takes it over from, `released` that nobody
    does. Somebody who takes a working role has acknowledged the incident."""
    person, was = str(event.data.get("person", "")), event.data.get("was")
    try:
        role = Role(str(event.data.get("role")))
    except ValueError:
        return incident
    if not person:
        return incident
    holders = tuple(h for h in incident.roles.get(role, ()) if h not in (person, was))
    if event.data.get("released"):
        left = {**incident.roles, role: holders}
        return replace(incident, roles={r: people for r, people in left.items() if people})
    holders = () if role is Role.COMMANDER else holders
    roles = {**incident.roles, role: (*holders, person)}
    if role is Role.OBSERVER:
        return replace(incident, roles=roles)
    if incident.acknowledged_at is None:
        incident = _restarted(incident, f"{ESCALATION}:")
    return replace(incident, roles=roles, acknowledged_at=incident.acknowledged_at or event.at)


def _with_tick(incident: Incident, event: Event) -> Incident:
    item = str(event.data.get("item", ""))
    if not item:
        return incident
    done = bool(event.data.get("done", True))
    ticked = incident.ticked | {item} if done else incident.ticked - {item}
    return replace(incident, ticked=ticked, handled=incident.handled | {item})


def _with_field(incident: Incident, event: Event) -> Incident:
    name = str(event.data.get("field", ""))
    return replace(incident, fields={**incident.fields, name: event.text})


def _with_action_item(incident: Incident, event: Event) -> Incident:
    """A later event with the same id replaces the item, or takes it away (`removed`)."""
    said = event.data
    item = ActionItem(
        text=event.text,
        owner=str(said.get("owner", "")),
        due=str(said.get("due", "")),
        done=bool(said.get("done", False)),
        id=str(said.get("item") or event.id),
    )
    items = {one.id: one for one in incident.action_items} | {item.id: item}
    if said.get("removed"):
        del items[item.id]
    return replace(incident, action_items=tuple(items.values()))


def _with_hypothesis(incident: Incident, event: Event) -> Incident:
    name = str(event.data.get("hypothesis") or event.id)
    try:
        state = Belief(str(event.data.get("state", Belief.OPEN.value)))
    except ValueError:
        return incident
    known = {one.id: one for one in incident.hypotheses}
    if name in known:
        reason = str(event.data.get("reason", "")) or event.text
        known[name] = replace(known[name], state=state, reason=reason)
    else:
        known[name] = Hypothesis(event.text.removeprefix(HYPOTHESIS), state, id=name)
    return replace(incident, hypotheses=tuple(known.values()))


def _with_update(incident: Incident, event: Event) -> Incident:
    """Only what reached somebody counts: sent, or copied to be pasted elsewhere."""
    if str(event.data.get("state")) not in REACHED:
        return incident
    audience = str(event.data.get("audience", ""))
    told = Told(event.at, str(event.data.get("stage", "")))
    return replace(
        _restarted(incident, UPDATE, f"{UPDATE}:{audience.casefold()}"),
        told={**incident.told, audience.casefold(): told},
        updated_at=event.at,
    )


def _with_snooze(incident: Incident, event: Event) -> Incident:
    """A timer put off until an instant (`until`), or done with (`met`)."""
    timer, until = str(event.data.get("timer", "")), instant_of(event.data.get("until"))
    if event.data.get("met"):
        return replace(incident, met=incident.met | {timer})
    if until is None:
        return incident
    return replace(incident, snoozed={**incident.snoozed, timer: Snooze(until, event.seq)})


def _with_lock(incident: Incident, event: Event) -> Incident:
    """A security incident locks what destroys, until somebody unlocks it with a reason."""
    if event.data.get("locked"):
        return replace(incident, security=True, locked=event.text)
    return replace(incident, locked="")


def _with_export(incident: Incident, event: Event) -> Incident:
    return replace(incident, exported_at=event.at)


def _restarted(incident: Incident, *timers: str) -> Incident:
    """Timers begin anew: what was said about their last round is over. A name that ends with a
    colon means all that begin with it."""
    if not incident.snoozed and not incident.met:
        return incident

    def over(timer: str) -> bool:
        return timer in timers or (f"{timer.partition(':')[0]}:" in timers and ":" in timer)

    return replace(
        incident,
        snoozed={name: kept for name, kept in incident.snoozed.items() if not over(name)},
        met=frozenset(name for name in incident.met if not over(name)),
    )


_CHANGES: Final[Mapping[Kind, Callable[[Incident, Event], Incident]]] = {
    Kind.STATUS: _with_status,
    Kind.SEVERITY: _with_severity,
    Kind.ROLE: _with_role,
    Kind.CHECKLIST: _with_tick,
    Kind.FIELD: _with_field,
    Kind.ACTION_ITEM: _with_action_item,
    Kind.HYPOTHESIS: _with_hypothesis,
    Kind.UPDATE: _with_update,
    Kind.SNOOZED: _with_snooze,
    Kind.EXPORTED: _with_export,
    Kind.LOCK: _with_lock,
}
