"""Whom to call, in the order of the ladder. From the config and the runbooks: works offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.domain import naming
from warroom.domain.clock import span
from warroom.engine.contacts import in_order, reaches
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events

    from warroom.config.settings import ContactSettings
    from warroom.engine.room import Room


Row = tuple[str, Line]
"""What a line copies, and the line."""


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


def _rows(room: Room) -> list[Row]:
    """The incident's channel; each rung of the ladder with its people; everybody else."""
    incident = room.session.incident
    contacts = list(in_order(room.settings.contacts))
    rows: list[Row] = []
    name = naming.channel_name(room.settings.incident.channel, incident) if incident else ""
    if name:
        rows.append(_row("", "channel", name, "", "of this incident"))
    scheme = room.settings.schemes.get(incident.scheme) if incident else None
    level = scheme.find(incident.severity) if scheme and incident else None
    for number, rung in enumerate(level.ladder if level else (), 1):
        after = f"after {span(rung.after_s)}" if rung.after_s else "at once"
        rows.append(_row(str(number), rung.name, rung.contact, "", after))
        here = [contact for contact in contacts if contact.level == number]
        rows += [row for contact in here for row in _ways(contact, "")]
        contacts = [contact for contact in contacts if contact not in here]
    return rows + [row for contact in contacts for row in _ways(contact, str(contact.level or ""))]


def _ways(contact: ContactSettings, level: str) -> Iterator[Row]:
    who = f"{contact.name}, {contact.role}" if contact.role else contact.name
    for number, (kind, value) in enumerate(reaches(contact)):
        first = not number
        yield _row(level if first else "", who if first else "", value, kind,
                   contact.when if first else "")  # fmt: skip


def _row(level: str, who: str, value: str, kind: str, when: str) -> Row:
    """What is copied, and the line for it."""
    return value, [
        (f"{level:>2} ", "key"),
        (f"{who:<22.22} ", "bold"),
        (f"{kind:<6.6}" if kind else "", "dim"),
        (f"{value}  " if value else "", "accent"),
        (when, "dim"),
    ]
