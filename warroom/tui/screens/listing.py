"""A list that stays open while it is worked on: deadlines, checklist, hypotheses, action items."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.journal.base import JournalError
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, spread

if TYPE_CHECKING:
    from warroom.engine.room import Room


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; a heading when it has no `id`."""

    id: str
    left: Line
    right: Line = ()


class ListingBody(Lines):
    """The framed rows, the cursor on one of them."""

    def __init__(self, listing: Listing) -> None:
        super().__init__(id="listing")
        self.listing = listing
        self.rows: list[Row] = []
        self.at = ""
        self.message = ""
        self._start = 0

    def read(self) -> None:
        """The rows as they are now; the cursor stays on its row, or goes to the nearest."""
        before = [row.id for row in self.rows if row.id]
        self.rows = self.listing.rows()
        now = [row.id for row in self.rows if row.id]
        if self.at not in now:
            index = before.index(self.at) if self.at in before else 0
            self.at = now[min(index, len(now) - 1)] if now else ""

    def move(self, by: int) -> None:
        """Put the cursor that many rows further, headings not counted."""
        names = [row.id for row in self.rows if row.id]
        if names:
            self.at = names[min(max(names.index(self.at) + by, 0), len(names) - 1)]
            self.message = ""
            self.changed()

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        room = height - 2
        here = next((i for i, row in enumerate(self.rows) if row.id and row.id == self.at), 0)
        self._start = max(0, min(here - room // 2, len(self.rows) - room))
        title, note = self.listing.heading()
        lines: list[Line] = [
            spread([(corners[0] + h, "focus"), (f" {title} ", "title accent")],
                   [(f" {note} ", "dim"), (h + corners[1], "focus")], width, h, "focus")
        ]  # fmt: skip
        for number in range(self._start, self._start + room):
            content = self._row(self.rows[number], width - 4) if number < len(self.rows) else ()
            lines.append([(v + " ", "focus"), *spread(content, (), width - 4), (" " + v, "focus")])
        text, style = (self.message, "") if self.message else (self.listing.hint, "dim")
        hint = [(corners[2] + h, "focus"), (f" {text} ", style)]
        lines.append(spread(hint, [(h + corners[3], "focus")], width, h, "focus"))
        return lines

    def _row(self, row: Row, width: int) -> Line:
        if not row.id or row.id != self.at:
            return spread(row.left, row.right, width)
        left = [(text, "cursor") for text, _ in row.left]
        right = [(text, "cursor") for text, _ in row.right]
        return spread(left, right, width, " ", "cursor")

    def on_click(self, event: events.Click) -> None:
        number = self._start + event.y - 1
        if not 0 < event.y < self.size.height - 1 or number >= len(self.rows):
            return
        row = self.rows[number]
        if row.id and row.id == self.at:
            self.listing.action_take()
        elif row.id:
            self.at = row.id
            self.changed()


class Listing(Dialog[None]):
    """Subclasses give `rows`, `heading` and keys; `self.at` is the row that keys are for."""

    DEFAULT_CSS = """
    Listing { align: center middle; background: $background 60%; }
    Listing > ListingBody { width: 94%; max-width: 110; height: 3; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back"),
        Binding("j,down,tab", "move(1)", "down"),
        Binding("k,up,shift+tab", "move(-1)", "up"),
        Binding("pagedown", "move(10)", "page down"),
        Binding("pageup", "move(-10)", "page up"),
        Binding("g,home", "move(-10000)", "first"),
        Binding("G,end", "move(10000)", "last"),
        Binding("enter,space", "take", "do it"),
    ]
    hint = "enter choose   esc back"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room = room
        self.body = ListingBody(self)

    def rows(self) -> list[Row]:
        """What is listed now."""
        raise NotImplementedError

    def heading(self) -> tuple[str, str]:
        """The title, and a word at its right."""
        raise NotImplementedError

    def action_take(self) -> None:
        """What Enter, Space and a click on the selected row do."""
        raise NotImplementedError

    @property
    def at(self) -> str:
        """The id of the selected row; empty when there is none."""
        return self.body.at

    def compose(self) -> ComposeResult:
        self.read()
        yield self.body

    def on_mount(self) -> None:
        self.set_interval(1.0, self.read)

    def on_resize(self) -> None:
        self.read()

    def read(self) -> None:
        """Show how things are now."""
        self.body.read()
        self.body.styles.height = min(max(len(self.body.rows), 1) + 2, self.app.size.height - 4)
        self.body.changed()

    def tell(self, text: str) -> None:
        """Say something in place of the keys, until the cursor moves."""
        self.body.message = text
        self.body.changed()

    def action_move(self, by: int) -> None:
        self.body.move(by)

    async def saved(self, doing: Awaitable[object], done: str) -> None:
        """Await something that writes to the journal, and say what came of it."""
        try:
            await asyncio.shield(doing)
        except JournalError as error:
            self.tell(f"NOT SAVED: {error}")
        else:
            self.tell(done)
        self.read()
