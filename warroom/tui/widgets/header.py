"""The strip on top: severity, title, status, clock, what is due, who commands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.domain.clock import hms
from warroom.domain.incident import Incident, Status
from warroom.domain.timers import elapsed, timers
from warroom.tui import format as fmt
from warroom.tui.widgets.acting import acting
from warroom.tui.widgets.deadlines import counted, urgency
from warroom.tui.widgets.here import responders, saving
from warroom.tui.widgets.lines import Line, Lines, Span, shortened, spread, width_of

if TYPE_CHECKING:
    from warroom.engine.room import Room

_LEAST_TITLE: Final = 8


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
        assert self.room is not None
        if self.room.shared and self.room.session.away:
            why = f" journal away, trying again: {self.room.session.away}"
            return [(" warroom ", "badge"), (why, "bar degraded")]
        down, suggestion = self.room.duty.down, self.room.duty.suggestion
        suggests = f", suggests {suggestion.level}" if suggestion else ""
        return [
            (" warroom ", "badge"),
            (f" {down} down: ", "bar down") if down else (" no incident is open: ", "bar"),
            ("i", "bar key"),
            (" opens an incident", "bar"),
            (suggests, "bar degraded"),
        ]

    def _incident(self, incident: Incident, now: datetime, width: int) -> list[Span]:
        """The title gives way first, then the suggestion, the status, and the incident's id."""
        assert self.room is not None
        worst = self.room.scheme.names[:2]
        badge = "alarm" if incident.severity in worst and incident.is_open else "badge"
        lead: list[Span] = [(f" {incident.severity} ", badge), (" ", "bar")]
        if width >= 110:
            lead.append((f"{incident.id}  ", "bar"))
        over = incident.status in (Status.RESOLVED, Status.CLOSED)
        status: Line = [(f"{incident.status}  ", "bar ok" if over else "bar accent")]
        clock: Line = [(f"{hms(elapsed(incident, now))}  ", "bar bold")]
        due = [*self._watch(), *self._due(incident, now)]
        worse = self.room.duty.worse
        suggests: Line = [(f" suggests {worse.level} ", "bar degraded")] if worse else []
        least = width - width_of(lead) - width_of(self._right(now, width)) - 2 - _LEAST_TITLE
        if width_of([*status, *clock, *due, *suggests]) > least:
            suggests = []
        if width_of([*status, *clock, *due]) > least:
            status = []
        if width_of([*clock, *due]) > least:
            least += width_of(lead[2:])
            lead = lead[:2]
        rest: list[Span] = [*status, *clock, *due, *suggests]
        title = shortened(incident.title, _LEAST_TITLE + max(0, least - width_of(rest)))
        return [*lead, (f"{title}  ", "bar bold"), *rest]

    def _watch(self) -> list[Span]:
        assert self.room is not None
        left = self.room.duty.watch_left()
        return [] if left is None else [(f" watch {counted(left)} ", "bar bold")]

    def _due(self, incident: Incident, now: datetime) -> list[Span]:
        """The most urgent deadline; how many more are past."""
        assert self.room is not None
        running = [t for t in timers(incident, self.room.scheme, now) if t.met_in is None]
        if not running:
            return []
        past = sum(timer.overdue for timer in running[1:])
        more = f" +{past}" if past else ""
        return [(f" {urgency(running[0])}{more} ", "alarm" if running[0].overdue else "bar")]

    def _right(self, now: datetime, width: int) -> list[Span]:
        assert self.room is not None
        spans: list[Span] = [*saving(self.room)]
        if notice := self.room.duty.notice():
            spans.append((f" {notice} ", "alarm"))
        spans += acting(self.room, width)
        here = responders(self.room.session.present)
        if here and width >= 100:
            spans.append((f" {here} ", "bar"))
        incident = self.room.session.incident
        if incident and incident.commander and width >= 100:
            spans.append((f" IC {incident.commander} ", "bar"))
        if width >= 90:
            local = fmt.clock_time(now, self.zone)
            utc = fmt.clock_time(now, ZoneInfo("UTC"), seconds=False)
            spans.append((f" {local} ", "bar bold"))
            spans.append(("UTC " if self.zone.key == "UTC" else f"{utc} UTC ", "bar dim"))
        return spans
