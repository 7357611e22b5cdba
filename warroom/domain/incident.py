"""The incident: what its events add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from warroom.domain.corrections import standing
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
    "impact": "impact",
    "root_cause": "root cause",
    "contributing_factors": "contributing factors",
    "resolution": "resolution",
    "went_well": "what went well",
    "went_wrong": "what went wrong",
    "lessons": "lessons",
}
"""What people write about an incident as a whole (events of kind FIELD, `data["field"]` names
one), with the words for it. `started` is an ISO 8601 instant, the others are free text."""


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to do afterwards. `due` is an ISO date or empty."""

    text: str
    owner: str = ""
    due: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """The state after some events. Times are UTC instants.

    `mitigated_at`, `resolved_at` and `closed_at` are those of the last time: whoever goes back
    to work takes them back.
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
    action_items: tuple[ActionItem, ...] = ()

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
    match event.kind:
        case Kind.STATUS:
            status = status_of(event)
            return _with_status(incident, status, event.at) if status else incident
        case Kind.SEVERITY:
            return _with_severity(incident, event)
        case Kind.ROLE:
            return _with_role(incident, event)
        case Kind.CHECKLIST:
            return _with_tick(incident, event)
        case Kind.FIELD:
            name = str(event.data.get("field", ""))
            return replace(incident, fields={**incident.fields, name: event.text})
        case Kind.ACTION_ITEM:
            return replace(incident, action_items=(*incident.action_items, _action_item(event)))
        case _:
            return incident


def status_of(event: Event) -> Status | None:
    """The status that an event of kind STATUS names; None when there is no such status."""
    try:
        return Status(str(event.data.get("status")))
    except ValueError:
        return None


def _with_status(incident: Incident, status: Status, at: datetime) -> Incident:
    incident = replace(
        incident,
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
    return replace(incident, severity=severity, severity_since=event.at)


def _with_role(incident: Incident, event: Event) -> Incident:
    """There is one commander: who takes it over has it from the one before. Any other role may
    have several holders. Somebody who takes a working role has acknowledged the incident."""
    person = str(event.data.get("person", ""))
    try:
        role = Role(str(event.data.get("role")))
    except ValueError:
        return incident
    if not person:
        return incident
    holders = () if role is Role.COMMANDER else incident.roles.get(role, ())
    roles = {**incident.roles, role: (*(h for h in holders if h != person), person)}
    if role is Role.OBSERVER:
        return replace(incident, roles=roles)
    return replace(incident, roles=roles, acknowledged_at=incident.acknowledged_at or event.at)


def _with_tick(incident: Incident, event: Event) -> Incident:
    item = str(event.data.get("item", ""))
    if not item:
        return incident
    done = bool(event.data.get("done", True))
    ticked = incident.ticked | {item} if done else incident.ticked - {item}
    return replace(incident, ticked=ticked)


def _action_item(event: Event) -> ActionItem:
    said = event.data
    owner, due = str(said.get("owner", "")), str(said.get("due", ""))
    return ActionItem(event.text, owner, due, bool(said.get("done", False)))
