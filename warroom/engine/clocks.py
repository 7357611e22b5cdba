"""Says what is overdue, and that somebody set this machine's clock."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Final

from warroom.domain.clock import span
from warroom.domain.events import Kind, derived_id
from warroom.domain.incident import ESCALATION, UPDATE
from warroom.domain.severity import Scheme
from warroom.domain.timers import Timer, timers
from warroom.engine import own
from warroom.engine.session import Session

BEHIND_S: Final = 30.0
"""Seconds by which this machine's clock may be behind the record's before that is said."""


class Deadlines:
    """Writes each deadline that passed once, and tells this console of each once."""

    def __init__(self) -> None:
        self._written: set[str] = set()
        self._rung: set[tuple[str, str, datetime]] = set()

    async def step(self, session: Session, scheme: Scheme, now: datetime) -> list[str]:
        """What became overdue since the last step, for the bell. Raises JournalError."""
        incident = session.incident
        if incident is None:
            return []
        past = [timer for timer in timers(incident, scheme, now) if timer.overdue]
        fresh = [t for t in past if (incident.id, t.id, t.alarm_at) not in self._rung]
        self._rung.update((incident.id, timer.id, timer.alarm_at) for timer in fresh)
        for timer in past:
            key = derived_id(timer.due, incident.id, "overdue", timer.id)
            if key not in self._written:
                data = {"timer": timer.id, "due": timer.due.isoformat()}
                await own.write(session, Kind.OVERDUE, said(timer), data, at=timer.due, id=key)
                self._written.add(key)
        return [said(timer) for timer in fresh]


def said(timer: Timer) -> str:
    """What is overdue, in one line."""
    if timer.id.startswith(ESCALATION):
        return f"overdue: escalation {timer.label}: {timer.who}"
    if timer.id.startswith(f"{UPDATE}:"):
        return f"overdue: status update to {timer.who}"
    return f"overdue: {timer.label}" + (f" ({timer.who})" if timer.who else "")


def step_said(step: float) -> str:
    """That the wall clock was set by `step` seconds."""
    way = "ahead" if step > 0 else "back"
    return f"this machine's clock was set {way} by {span(abs(step))}; deadlines did not move"


async def write_step(session: Session, step: float, now: datetime) -> None:
    """Write that down once for this machine: each of its consoles notices. Raises JournalError."""
    incident = session.incident
    if incident is None or not incident.is_open:
        return
    about = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    node = os.uname().nodename
    key = derived_id(about, incident.id, "clock", node, f"{step:.0f}")
    text = f"{step_said(step)} ({node})"
    await own.write(session, Kind.NOTE, text, {"clock_step_s": step, "host": node}, at=now, id=key)


def behind(session: Session, now: datetime) -> float:
    """By how many seconds this machine's clock is behind the last entry; 0 when it is not."""
    last = session.events[-1].recorded_at if session.events else now
    return max(0.0, (last - now).total_seconds())
