"""The incident: what its events add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to do afterwards. `due` is an ISO date or empty."""

    text: str
    owner: str = ""
    due: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """The state after some events. Times are UTC instants."""

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


def incident_of(events: Iterable[Event]) -> Incident:
    """The incident that `events` (by sequence, the first of kind OPENED) add up to.

    Raises ValueError when there is no opening event.
    """
    incident: Incident | None = None
    for event in events:
        if event.kind is Kind.OPENED:
            incident = _opened(event)
        elif incident is not None:
            incident = advance(incident, event)
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
    """`incident` after one more event; events that do not concern its state change nothing."""
    match event.kind:
        case Kind.STATUS:
            return _with_status(incident, Status(event.data["status"]), event.at)
        case Kind.SEVERITY:
            return replace(incident, severity=str(event.data["severity"]), severity_since=event.at)
        case Kind.ROLE:
            return _with_role(incident, event)
        case Kind.CHECKLIST:
            item = str(event.data["item"])
            ticked = (
                incident.ticked | {item}
                if event.data.get("done", True)
                else incident.ticked - {item}
            )
            return replace(incident, ticked=ticked)
        case Kind.FIELD:
            return replace(
                incident, fields={**incident.fields, str(event.data["field"]): event.text}
            )
        case Kind.ACTION_ITEM:
            item_ = ActionItem(
                event.text, str(event.data.get("owner", "")), str(event.data.get("due", ""))
            )
            return replace(incident, action_items=(*incident.action_items, item_))
        case _:
            return incident


def _with_status(incident: Incident, status: Status, at: datetime) -> Incident:
    times: dict[str, datetime | None] = {"status_since": at, "updated_at": at}
    if incident.acknowledged_at is None:
        times["acknowledged_at"] = at
    if status is Status.MONITORING and incident.mitigated_at is None:
        times["mitigated_at"] = at
    if status is Status.RESOLVED:
        times["resolved_at"] = at
        times["mitigated_at"] = incident.mitigated_at or at
    elif status is Status.CLOSED:
        times["closed_at"] = at
        times["resolved_at"] = incident.resolved_at or at
    else:  # back to work: what was resolved is not
        times["resolved_at"] = times["closed_at"] = None
    return replace(incident, status=status, **times)  # type: ignore[arg-type]


def _with_role(incident: Incident, event: Event) -> Incident:
    role, person = Role(event.data["role"]), str(event.data["person"])
    holders = () if role is Role.COMMANDER else incident.roles.get(role, ())
    roles = {**incident.roles, role: (*(h for h in holders if h != person), person)}
    acknowledged = incident.acknowledged_at or event.at
    return replace(incident, roles=roles, acknowledged_at=acknowledged)
