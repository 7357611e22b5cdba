"""The incident at the left edge: clock, severity, deadlines, roles, checklist, actions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from warroom.domain.clock import hms
from warroom.domain.incident import Belief, Incident, Role
from warroom.domain.timers import elapsed, timers
from warroom.tui import format as fmt
from warroom.tui.widgets.advice import advised
from warroom.tui.widgets.deadlines import short
from warroom.tui.widgets.here import persons, why_away
from warroom.tui.widgets.lines import Line, Lines, Span, shortened, spread, wrapped
from warroom.tui.widgets.table import health_style

_ILL_SHOWN: Final = 4
_ILL_LINES: Final = 3
_TIMERS_SHOWN: Final = 3
_HERE_LINES: Final = 2
_SUGGESTION_LINES: Final = 4
_HYPOTHESES_SHOWN: Final = 3
_CHANGES_SHOWN: Final = 3

if TYPE_CHECKING:
    from warroom.engine.room import Room


class Sidebar(Lines):
    """Fixed in width; what does not fit at the bottom is left out, deadlines last."""

    def __init__(self) -> None:
        super().__init__(id="sidebar")
        self.room: Room | None = None

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("─", "│", "┌┐└┘")
        inner = [] if self.room is None else self._inside(width - 4, height - 2)
        title: list[Span] = [(corners[0], "frame"), ("incident", "title"), (" ", "")]
        lines: list[Line] = [spread(title, [(corners[1], "frame")], width, h, "frame")]
        for index in range(height - 2):
            content = inner[index] if index < len(inner) else ()
            lines.append([(f"{v} ", "frame"), *spread(content, (), width - 4), (f" {v}", "frame")])
        lines.append([(corners[2] + h * (width - 2) + corners[3], "frame")])
        return lines

    def _inside(self, width: int, height: int) -> list[Line]:
        assert self.room is not None
        incident, now = self.room.session.incident, self.room.clock.now()
        if incident is None:
            return [
                *(why_away(self.room, width) or [[("no incident is open", "dim")]]), [],
                [("i", "key"), (" open one", "")], *self._suggestion(width),
                *advised(self.room, width), [],
                *self._actions(width),
            ]  # fmt: skip
        lines: list[Line] = [
            [(hms(elapsed(incident, now)).center(width), "bold accent")],
            *self._severity(incident, width),
            [],
            *self._deadlines(incident, now, width),
            *self._ill(width),
            *advised(self.room, width),
            [],
            *self._roles(incident, width),
            [],
        ]
        checklist, below = self._checklist(incident, width), self._below(width)
        fits = len(lines) + len(checklist) + len(below) <= height
        lines += checklist if fits else checklist[:1]  # what can be done is never pushed out
        thoughts = self._hypotheses(incident, width)
        if len(lines) + len(thoughts) + len(below) <= height:
            lines += thoughts
        return [*lines, *below]

    def _below(self, width: int) -> list[Line]:
        """What was changed for a time, and what can be done."""
        return [[], *self._changes(width), *self._actions(width)]

    def _changes(self, width: int) -> list[Line]:
        """What is temporary, and when it ends."""
        assert self.room is not None
        now = self.room.clock.now()
        lines: list[Line] = []
        for change in self.room.ledger.temporary()[:_CHANGES_SHOWN]:
            left = change.left(now)
            note: Span = (hms(left), "degraded") if left > 0 else ("EXPIRED", "alarm")
            label = shortened(change.label, width - len(note[0]) - 1)
            lines.append(spread([(label, "")], [note], width))
        return [[("M", "key"), (" temporary", "")], *lines, []] if lines else []

    def _severity(self, incident: Incident, width: int) -> list[Line]:
        assert self.room is not None
        scheme = self.room.session.scheme
        spans: list[Span] = []
        for name in scheme.names:
            chosen = name == incident.severity
            spans.append((f"[{name}]" if chosen else f" {name} ", "bold down" if chosen else "dim"))
        used = sum(len(text) for text, _ in spans)
        if used > width:
            spans = [(f"[{incident.severity}]", "bold down"), (f" of {scheme.name}", "dim")]
            used = sum(len(text) for text, _ in spans)
        label = scheme.level(incident.severity).label if incident.severity in scheme.names else ""
        return [
            [(" " * ((width - used) // 2), ""), *spans],
            [(shortened(label, width).center(width), "dim")],
        ]

    def _deadlines(self, incident: Incident, now: datetime, width: int) -> list[Line]:
        assert self.room is not None
        scheme = self.room.scheme
        if scheme.find(incident.severity) is None:
            return [[(f"not a level of {scheme.name}", "degraded")]]
        running = timers(incident, scheme, now)
        shown = [timer for timer in running if timer.met_in is None][:_TIMERS_SHOWN]
        shown += [timer for timer in running if timer.met_in is not None]
        lines: list[Line] = []
        for timer in shown:
            right = short(timer)
            label = shortened(timer.label, width - len(right[0]) - 1)
            lines.append(spread([(label, "dim")], [right], width))
        return [
            *lines,
            *self._watch(width),
            spread([("status", "dim")], [(incident.status.value, "accent")], width),
            *self._suggestion(width),
        ]

    def _watch(self, width: int) -> list[Line]:
        """How long a resolution is still watched."""
        assert self.room is not None
        left = self.room.duty.watch_left()
        return [] if left is None else [spread([("watch", "dim")], [(hms(left), "bold")], width)]

    def _suggestion(self, width: int) -> list[Line]:
        """A severity that the live numbers speak for, if it is worse than what was decided."""
        assert self.room is not None
        worse = self.room.duty.worse
        if worse is None:
            return []
        said = wrapped(f"suggests {worse.level}: {worse.reason}", width)[:_SUGGESTION_LINES]
        return [[], *([(part, "degraded")] for part in said)]

    def _hypotheses(self, incident: Incident, width: int) -> list[Line]:
        """The open ones, the newest first."""
        still = [one for one in incident.hypotheses if one.state is Belief.OPEN]
        if not still:
            return []
        count = (str(len(still)), "bold")
        lines: list[Line] = [[], spread([("H", "key"), (" hypotheses", "")], [count], width)]
        for one in still[: -_HYPOTHESES_SHOWN - 1 : -1]:
            lines.append([("? ", "dim"), (shortened(one.text, width - 2), "dim")])
        return lines

    def _ill(self, width: int) -> list[Line]:
        """What is not well now, worst first."""
        assert self.room is not None
        latest = self.room.monitor.latest.values()
        ill = [(self.room.health(sample.source), sample) for sample in latest]
        ill = sorted((one for one in ill if one[0].rank), key=lambda one: -one[0].rank)
        symbols = fmt.SYMBOLS_ASCII if self.ascii_only else fmt.SYMBOLS
        lines: list[Line] = [[], [("not well", "title")]] if ill else []
        for health, sample in ill[:_ILL_SHOWN]:
            found = self.room.findings(sample.source)
            own = sample.health.rank > 0 or not found  # its own fault says more than a check does
            why = sample.summary if own else found[0].message
            style = health_style(health)
            lines.append(
                [(f"{symbols[health]} ", style), (shortened(sample.source, width - 2), style)]
            )
            parts = wrapped(why, width - 2)
            if len(parts) > _ILL_LINES:
                parts = [*parts[: _ILL_LINES - 1], f"{parts[_ILL_LINES - 1]} …"]
            lines += [[(f"  {part}", "dim")] for part in parts]
        return lines

    def _roles(self, incident: Incident, width: int) -> list[Line]:
        commander = incident.commander
        lines: list[Line] = [
            spread([("commander", "dim")], [(shortened(commander, width - 10), "")], width)
            if commander
            else spread([("commander", "dim")], [("none: ", "degraded"), ("c", "key")], width)
        ]
        for role, people in incident.roles.items():
            if role is not Role.COMMANDER and people:
                text = shortened(", ".join(people), width - len(role.value.split()[0]) - 1)
                lines.append(spread([(role.value.split()[0], "dim")], [(text, "")], width))
        here = persons(self.room.session.present) if self.room else []
        if len(here) > 1:
            parts = wrapped(", ".join(here), width - 5)[:_HERE_LINES]
            for word, part in zip(("here", ""), parts, strict=False):
                lines.append(spread([(word, "dim")], [(part, "")], width))
        return lines

    def _checklist(self, incident: Incident, width: int) -> list[Line]:
        assert self.room is not None
        items = self.room.checklist
        done = sum(item.id in incident.ticked for item in items)
        key: Span = ("x", "key")
        lines: list[Line] = [
            spread([key, (" checklist", "")], [(f"{done}/{len(items)}", "bold")], width)
        ]
        for item in [i for i in items if i.id not in incident.ticked][:3]:
            box = "[ ]" if self.ascii_only else "☐"
            lines.append([(f"{box} ", "dim"), (shortened(item.text, width - 2), "dim")])
        return lines

    def _actions(self, width: int) -> list[Line]:
        assert self.room is not None
        actions = [a for a in self.room.actions if a.id.startswith("config:")]
        if not actions:
            return [[("m", "key"), (" actions", "")]]
        refusal = self.room.executor.refusal()
        lines: list[Line] = [[("actions", "title")]]
        for action in actions:
            style = "dim" if refusal else ""
            running = action.id in self.room.executor.running
            text = f"{action.title}{' …running' if running else ''}"
            lines.append(
                [
                    (f" {action.key or ' '} ", "dim" if refusal else "key"),
                    (shortened(text, width - 3), style),
                ]
            )
        if refusal:
            lines.append([(shortened(refusal.partition(":")[0], width), "dim")])
        return lines
