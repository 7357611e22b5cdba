"""What the scheme promises, counted down: to the response, to each update, along the escalation
ladder, to the post-mortem.

Everything follows from the events, the scheme and an instant, so a timer survives a restart; it
counts between UTC instants, so a change to or from daylight saving does not move it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from warroom.domain.incident import ESCALATION, POSTMORTEM, RESPONSE, UPDATE, Incident, Status
from warroom.domain.severity import Scheme, SeverityLevel


@dataclass(frozen=True, slots=True)
class Timer:
    """One promise. `due` is when it is to be kept, `left` how many seconds that is away, or the
    end of the snooze if that is later; negative when it is past. `met_in` says after how many
    seconds it was kept. `who` is to be told, or called."""

    id: str
    label: str
    due: datetime
    left: float
    met_in: float | None = None
    snoozed_until: datetime | None = None
    who: str = ""

    @property
    def overdue(self) -> bool:
        return self.left < 0 and self.met_in is None

    @property
    def late(self) -> bool:
        """Whether it was met, but after it was due."""
        return self.met_in is not None and self.left < 0

    @property
    def alarm_at(self) -> datetime:
        """When it becomes overdue unless somebody keeps it."""
        return self.due if self.snoozed_until is None else max(self.due, self.snoozed_until)


def timers(incident: Incident, scheme: Scheme, now: datetime) -> tuple[Timer, ...]:
    """Every timer that there is now, the most urgent first, what was met last.

    None of a severity that `scheme` does not have.
    """
    level = scheme.find(incident.severity)
    if level is None:
        return ()
    made = [
        *_response(incident, level, now),
        *_updates(incident, level, now),
        *_escalation(incident, level, now),
        *_postmortem(incident, level, now),
    ]
    return tuple(sorted(made, key=lambda timer: (timer.met_in is not None, timer.left)))


def elapsed(incident: Incident, now: datetime) -> float:
    """Seconds the incident has lasted, or did last."""
    return ((incident.resolved_at or now) - incident.opened_at).total_seconds()


def _response(incident: Incident, level: SeverityLevel, now: datetime) -> Iterator[Timer]:
    """Until somebody acknowledges: takes a working role or changes the status."""
    if level.response_s is None:
        return
    due = incident.opened_at + timedelta(seconds=level.response_s)
    met = incident.acknowledged_at
    if met is None:
        yield _running(incident, RESPONSE, "response", due, level.told, now)
    else:
        took = max(0.0, (met - incident.opened_at).total_seconds())
        yield Timer(RESPONSE, "response", due, (due - met).total_seconds(), took, who=level.told)


def _updates(incident: Incident, level: SeverityLevel, now: datetime) -> Iterator[Timer]:
    """Until the next update, to anybody and to each audience; none once it is resolved.

    Another severity promises another cadence, from when it was set.
    """
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return
    begin = max(incident.opened_at, incident.severity_since)
    if level.update_s is not None:
        due = max(begin, incident.updated_at or begin) + timedelta(seconds=level.update_s)
        yield _running(incident, UPDATE, "update", due, level.told, now)
    for audience in level.audiences:
        name = audience.name.casefold()
        told = incident.told.get(name)
        due = max(begin, told.at if told else begin) + timedelta(seconds=audience.update_s)
        yield _running(incident, f"{UPDATE}:{name}", audience.name, due, audience.name, now)


def _escalation(incident: Incident, level: SeverityLevel, now: datetime) -> Iterator[Timer]:
    """The rungs of the ladder, counted from the last progress: an acknowledgement, another status
    or severity. Over once it is mitigated. A rung that is called at once is no deadline."""
    if incident.mitigated_at is not None:
        return
    seen = incident.acknowledged_at or incident.opened_at
    begin = max(incident.opened_at, incident.severity_since, incident.status_since, seen)
    for number, rung in enumerate(level.ladder, 1):
        name = f"{ESCALATION}:{number}"
        if not rung.after_s or name in incident.met:
            continue
        who = f"{rung.name} ({rung.contact})" if rung.contact else rung.name
        due = begin + timedelta(seconds=rung.after_s)
        yield _running(incident, name, f"to level {number}", due, who, now)


def _postmortem(incident: Incident, level: SeverityLevel, now: datetime) -> Iterator[Timer]:
    """From the resolution until it is exported, or the incident closed without."""
    resolved = incident.resolved_at
    if level.postmortem_s is None or resolved is None:
        return
    due = resolved + timedelta(seconds=level.postmortem_s)
    written = incident.exported_at
    if written is not None and written >= resolved:
        took = (written - resolved).total_seconds()
        yield Timer(POSTMORTEM, "post-mortem", due, (due - written).total_seconds(), took)
    elif incident.status is not Status.CLOSED:
        yield _running(incident, POSTMORTEM, "post-mortem", due, "", now)


def _running(
    incident: Incident, name: str, label: str, due: datetime, who: str, now: datetime
) -> Timer:
    snooze = incident.snoozed.get(name)
    until = snooze.until if snooze is not None and snooze.until > due else None
    left = ((until or due) - now).total_seconds()
    return Timer(name, label, due, left, snoozed_until=until, who=who)
