"""The strip on top: severity, title, status, clock, what is due, who commands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from warroom.domain.clock import hms
from warroom.domain.incident import Incident, Status
from warroom.domain.timers import elapsed, timers
from warroom.tui import format as fmt
from warroom.tui.widgets.deadlines import urgency
from warroom.tui.widgets.lines import Line, Lines, Span, shortened, spread, width_of

if TYPE_CHECKING:
    from warroom.engine.room import Room


class HeaderStrip(Lines):
    """One line; all of a too small screen."""

    def __init__(self, zone: str) -> None:
        super().__init__(id="header")
        self.room: Room | None = None
        self.zone = ZoneInfo(zone)
        self.too_small = False
        self.failed = ""

    def build(self, width: int, height: int) -> list[Line]:
        if self.too_small:
            text = f"too small: {width}x{height}, needs 60x16"
            return [[(text, "alarm")], [("no action key is live", "dim")]]
        if self.room is None:
            text = self.failed or "opening the room…"
            return [spread([(" warroom ", "badge"), (f" {text}", "bar")], [], width, style="bar")]
        incident = self.room.session.incident
        now = self.room.clock.now()
        left = self._incident(incident, now, width) if incident else self._idle()
        right = self._right(now, width)
        return [spread([*left], [*right], width, style="bar")]

    def _idle(self) -> list[Span]:
        return [
            (" warroom ", "badge"),
            (" no incident is open ", "bar"),
            ("i", "bar key"),
            (" opens one", "bar"),
        ]

    def _incident(self, incident: Incident, now: datetime, width: int) -> list[Span]:
        assert self.room is not None
        worst = self.room.session.scheme.names[:2]
        badge = "alarm" if incident.severity in worst and incident.is_open else "badge"
        spans: list[Span] = []
        style = "bar ok" if incident.status in (Status.RESOLVED, Status.CLOSED) else "bar accent"
        spans.append((f"{incident.status}  ", style))
        spans.append((f"{hms(elapsed(incident, now))}  ", "bar bold"))
        spans += self._due(incident, now, width)
        lead: list[Span] = [(f" {incident.severity} ", badge), (" ", "bar")]
        if width >= 110:
            lead.append((f"{incident.id}  ", "bar"))
        room = width - width_of(lead) - width_of(spans) - width_of(self._right(now, width)) - 2
        title = shortened(incident.title, max(8, room))
        return [*lead, (f"{title}  ", "bar bold"), *spans]

    def _due(self, incident: Incident, now: datetime, width: int) -> list[Span]:
        """The most urgent deadline; how many more are past."""
        assert self.room is not None
        running = [t for t in timers(incident, self.room.scheme, now) if t.met_in is None]
        if not running:
            return []
        text = urgency(running[0])
        past = sum(timer.overdue for timer in running[1:])
        more = f" +{past}" if past else ""
        return [(f" {text}{more} ", "alarm" if running[0].overdue else "bar")]

    def _right(self, now: datetime, width: int) -> list[Span]:
        assert self.room is not None
        spans: list[Span] = []
        if self.room.session.unsaved:
            spans.append((f" NOT SAVED {len(self.room.session.unsaved)} ", "alarm"))
        if self.room.executor.observe:
            spans.append((" OBSERVER ", "badge"))
        incident = self.room.session.incident
        if incident and incident.commander and width >= 100:
            spans.append((f" IC {incident.commander} ", "bar"))
        if width >= 90:
            local = fmt.clock_time(now, self.zone)
            utc = fmt.clock_time(now, ZoneInfo("UTC"), seconds=False)
            spans.append((f" {local} ", "bar bold"))
            spans.append(("UTC " if self.zone.key == "UTC" else f"{utc} UTC ", "bar dim"))
        return spans
