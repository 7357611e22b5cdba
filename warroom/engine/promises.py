"""What a person does about a deadline: puts it off, or says that it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from warroom.domain.events import Event, Kind
from warroom.domain.incident import ESCALATION, POSTMORTEM, RESPONSE, Role
from warroom.domain.text import harmless
from warroom.domain.timers import Timer
from warroom.engine.session import Session

SNOOZES: Final = (5, 10, 15, 30)
"""Minutes by which a deadline can be put off."""
BY_HAND: Final = "by hand"
"""The channel of a status update that went another way than through warroom."""


class CannotBeKept(Exception):
    """It is not kept by saying so; one plain line says how it is."""


async def snooze(session: Session, timer: Timer, minutes: int, now: datetime) -> Event:
    """Put the alarm off by that many minutes, from now or from when it is due if that is later.

    Raises NoIncident, NotSaved.
    """
    until = (max(now, timer.due) + timedelta(minutes=minutes)).replace(microsecond=0)
    data = {"timer": timer.id, "until": until.isoformat(), "due": timer.due.isoformat()}
    text = f"snoozed for {minutes} min: {timer.label}, until {until:%H:%M:%S} UTC"
    return await session.record(Kind.SNOOZED, text, data)


async def wake(session: Session, timer: Timer) -> Event | None:
    """Take a snooze back; None when there is none. Raises NoIncident, NotSaved."""
    incident = session.incident
    kept = incident.snoozed.get(timer.id) if incident else None
    return None if kept is None else await session.retract(kept.seq, "snooze taken back")


async def keep(session: Session, timer: Timer, said: str = "") -> Event:
    """Write down that it was kept by other means; `said` is what was told to whom it is due.

    Raises CannotBeKept, NoIncident, NotSaved.
    """
    if timer.id == POSTMORTEM:
        raise CannotBeKept("write the post-mortem: e exports it")
    if timer.id == RESPONSE:
        return await session.assign(Role.RESPONDER, session.author.login)
    if timer.id.startswith(ESCALATION):
        data = {"timer": timer.id, "met": True}
        return await session.record(Kind.SNOOZED, f"escalated {timer.label}: {timer.who}", data)
    who = timer.who or "everyone"
    words = f": {harmless(said.strip())}" if said.strip() else ""
    data = {"audience": who, "stage": "update", "state": "sent", "channel": BY_HAND}
    return await session.record(Kind.UPDATE, f"told {who} {BY_HAND}{words}", data)
