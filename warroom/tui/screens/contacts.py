"""Whom to call, in the order of the ladder. From the config and the runbooks: works offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.domain import naming
from warroom.domain.clock import span
from warroom.engine.contacts import in_order, reaches
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, Span, spread

if TYPE_CHECKING:
    from textual import events

    from warroom.engine.room import Room


class ContactsBody(Lines):
    """A line for each way to reach somebody, so that each can be copied."""

    def __init__(self, room: Room) -> None:
        super().__init__(id="contacts")
        self.room, self.index, self.message = room, 0, ""
        self.rows = _rows(room)

    @property
    def selected(self) -> str:
        """What the line under the cursor would copy; empty when there is nothing."""
        return self.rows[self.index][0] if self.rows else ""

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        room = height - 2
        start = max(0, min(self.index - room // 2, len(self.rows) - room))
        lines: list[Line] = [
            spread([(corners[0] + h, "focus"), (" whom to call ", "title accent")],
                   [(h + corners[1], "focus")], width, h, "focus")
        ]  # fmt: skip
        for number in range(start, start + room):
            content: Line = ()
            if number < len(self.rows):
                back = "cursor" if number == self.index else ""
                line = [(text, back or style) for text, style in self.rows[number][1]]
                content = spread(line, (), width - 4, " ", back)
            elif not self.rows and number == start:
                content = [("nobody: add [[contact]] to the config", "degraded")]
            lines.append([(v + " ", "focus"), *spread(content, (), width - 4), (" " + v, "focus")])
        hint = self.message or "y copy   j k move   esc close"
        lines.append(
            spread([(corners[2] + h, "focus"), (f" {hint} ", "dim")],
                   [(h + corners[3], "focus")], width, h, "focus")
        )  # fmt: skip
        return lines

    def move(self, by: int) -> None:
        self.index = max(0, min(self.index + by, len(self.rows) - 1))
        self.message = ""
        self.changed()

    def on_click(self, event: events.Click) -> None:
        room = self.size.height - 2
        start = max(0, min(self.index - room // 2, len(self.rows) - room))
        if 0 < event.y <= room and start + event.y - 1 < len(self.rows):
            self.move(start + event.y - 1 - self.index)


class ContactsScreen(Dialog[None]):
    """Opened with `I`."""

    DEFAULT_CSS = """
    ContactsScreen { align: center middle; background: $background 60%; }
    ContactsScreen > ContactsBody { width: 90%; max-width: 110; height: 80%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,I", "dismiss", "close"),
        Binding("j,down", "move(1)", "down"),
        Binding("k,up", "move(-1)", "up"),
        Binding("g,home", "move(-10000)", "first"),
        Binding("G,end", "move(10000)", "last"),
        Binding("y,enter", "copy", "copy"),
    ]

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._body = ContactsBody(room)

    def compose(self) -> ComposeResult:
        yield self._body

    def action_move(self, by: int) -> None:
        self._body.move(by)

    def action_copy(self) -> None:
        from warroom.tui.clipboard import copy

        text = self._body.selected
        if text:
            self._body.message = f"{text} {copy(self.app, text)}"
            self._body.changed()


def _rows(room: Room) -> list[tuple[str, Line]]:
    """What is copied, and the line for it: the incident's channel, the ladder, the contacts."""
    rows: list[tuple[str, Line]] = []
    incident = room.session.incident
    if incident is not None:
        name = naming.channel_name(room.settings.incident.channel, incident)
        if name:
            rows.append((name, _line("", "the incident's channel", "", name, "")))
        scheme = room.settings.schemes.get(incident.scheme)
        level = scheme.find(incident.severity) if scheme else None
        for number, rung in enumerate(level.ladder if level else (), 1):
            after = (
                f"after {span(rung.after_s)} at {incident.severity}" if rung.after_s else "at once"
            )
            rows.append((rung.contact, _line(str(number), rung.name, "rung", rung.contact, after)))
    for contact in in_order(room.settings.contacts):
        ways = reaches(contact)
        for number, (kind, value) in enumerate(ways):
            who = f"{contact.name}, {contact.role}" if contact.role else contact.name
            level_name = str(contact.level) if contact.level and not number else ""
            when = contact.when if not number else ""
            rows.append((value, _line(level_name, "" if number else who, kind, value, when)))
    return rows


def _line(level: str, who: str, kind: str, value: str, when: str) -> Line:
    spans: list[Span] = [
        (f"{level:>2} ", "key"),
        (f"{who:<30.30} ", "bold"),
        (f"{kind:<6.6}", "dim"),
        (f"{value}  ", "accent"),
        (when, "dim"),
    ]
    return spans
