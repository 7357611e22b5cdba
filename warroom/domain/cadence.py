"""What the scheme's clocks say: time to respond, time to the next update."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from warroom.domain.incident import Incident, Status
from warroom.domain.severity import Scheme


@dataclass(frozen=True, slots=True)
class Countdown:
    """Seconds left; negative when overdue, None when nothing is promised. `met_in` says after how
    many seconds a promise was kept."""

    left: float | None
    met_in: float | None = None

    @property
    def overdue(self) -> bool:
        return self.left is not None and self.left < 0 and self.met_in is None


def response(incident: Incident, scheme: Scheme, now: datetime) -> Countdown:
    """Until somebody acknowledges: takes command or changes the status."""
    promised = scheme.level(incident.severity).response_s
    if incident.acknowledged_at is not None:
        met = (incident.acknowledged_at - incident.opened_at).total_seconds()
        return Countdown(None if promised is None else promised - met, met)
    if promised is None:
        return Countdown(None)
    return Countdown(promised - (now - incident.opened_at).total_seconds())


def update(incident: Incident, scheme: Scheme, now: datetime) -> Countdown:
    """Until the next update is due; none once the incident is resolved."""
    promised = scheme.level(incident.severity).update_s
    if promised is None or incident.status in (Status.RESOLVED, Status.CLOSED):
        return Countdown(None)
    since = incident.updated_at or incident.opened_at
    return Countdown(promised - (now - since).total_seconds())


def elapsed(incident: Incident, now: datetime) -> float:
    """Seconds the incident has lasted, or did last."""
    return ((incident.resolved_at or now) - incident.opened_at).total_seconds()
