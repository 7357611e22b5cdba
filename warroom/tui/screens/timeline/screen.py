"""The whole timeline: every entry, with times in the zone and in UTC, filtered as you like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.domain.timeline import Entry
from warroom.journal.base import JournalError
from warroom.tui import format as fmt
from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.dialogs import ask_line
from warroom.tui.screens.sheet import Sheet
from warroom.tui.widgets.lines import Line, Lines, Span, spread
from warroom.tui.widgets.strips import entry_style

if TYPE_CHECKING:
    from warroom.engine.room import Room


class TimelineBody(Lines):
    """Entries by time; the cursor on one of them."""

    def __init__(self, room: Room, zone: str) -> None:
        super().__init__(id="entries")
        self.room, self.zone = room, ZoneInfo(zone)
        self.index, self.follow = 0, True
        self.wanted, self.machine = "", True
        self.message = ""

    def entries(self) -> list[Entry]:
        """What is shown now."""
        wanted = self.wanted.casefold()
        return [
            entry
            for entry in self.room.timeline().entries
            if (self.machine or not entry.by_machine)
            and (not wanted or wanted in f"{entry.author} {entry.kind} {entry.text}".casefold())
        ]

    @property
    def selected(self) -> Entry | None:
        entries = self.entries()
        return entries[min(self.index, len(entries) - 1)] if entries else None

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        entries, room = self.entries(), height - 2
        self.index = len(entries) - 1 if self.follow else min(self.index, len(entries) - 1)
        self.index = max(0, self.index)
        start = max(0, min(self.index - room // 2, len(entries) - room))
        total = len(self.room.timeline().entries)
        incident = self.room.timeline().incident
        title = f" timeline of {incident.id}: {incident.title} "
        count = f" {len(entries)} of {total} " if len(entries) != total else f" {total} entries "
        lines: list[Line] = [
            spread(
                [(corners[0] + h, "focus"), (title, "title accent")],
                [(count, "dim"), (h + corners[1], "focus")],
                width,
                h,
                "focus",
            )
        ]
        for number in range(start, start + room):
            content = self._entry(entries, number, width - 4) if number < len(entries) else ()
            lines.append([(v + " ", "focus"), *spread(content, (), width - 4), (" " + v, "focus")])
        hint = self.message or "n add  / filter  m machine on/off  d retract  enter whole  esc back"
        lines.append(
            spread(
                [(corners[2] + h, "focus"), (f" {hint} ", "dim")],
                [(h + corners[3], "focus")],
                width,
                h,
                "focus",
            )
        )
        return lines

    def _entry(self, entries: list[Entry], number: int, width: int) -> Line:
        entry = entries[number]
        here = number == self.index
        back = "cursor" if here else ""
        local = entry.at.astimezone(self.zone)
        before = entries[number - 1].at.astimezone(self.zone).date() if number else None
        day = f"{local:%d %b} " if before != local.date() else "       "
        utc = "" if self.zone.key == "UTC" else f"{entry.at:%H:%M:%S}Z "
        spans: list[Span] = [
            (day, back or "dim"),
            (fmt.clock_time(entry.at, self.zone) + " ", back or "bold"),
            (utc, back or "dim"),
            (f"{'machine' if entry.by_machine else entry.author:<10.10} ", back or "dim"),
            (entry.text.replace("\n", " ⏎ "), back or entry_style(entry)),
        ]
        return spread(spans, (), width, " ", back)


class TimelineScreen(Dialog[None]):
    """Opened with `t`. Nothing here is lost: what is retracted stays in the journal."""

    DEFAULT_CSS = """
    TimelineScreen { background: $background 60%; align: center middle; }
    TimelineScreen > TimelineBody { width: 96%; height: 94%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,t,q", "dismiss", "back"),
        Binding("j,down", "move(1)", "down"),
        Binding("k,up", "move(-1)", "up"),
        Binding("pagedown,space", "move(10)", "page down"),
        Binding("pageup", "move(-10)", "page up"),
        Binding("g,home", "move(-1000000)", "first"),
        Binding("G,end", "move(1000000)", "last"),
        Binding("m", "machine", "machine entries on or off"),
        Binding("slash", "filter", "filter"),
        Binding("n", "add", "add an entry"),
        Binding("d", "retract", "retract with a reason"),
        Binding("enter", "whole", "the whole entry"),
    ]

    def __init__(self, room: Room, zone: str) -> None:
        super().__init__()
        self._room = room
        self._body = TimelineBody(room, zone)

    def compose(self) -> ComposeResult:
        yield self._body

    def on_mount(self) -> None:
        self.set_interval(1.0, self._body.changed)

    def action_move(self, by: int) -> None:
        last = len(self._body.entries()) - 1
        self._body.index = min(max(self._body.index + by, 0), max(0, last))
        self._body.follow = self._body.index == last
        self._body.changed()

    def action_machine(self) -> None:
        self._body.machine = not self._body.machine
        self._body.changed()

    def _filter(self, text: str) -> None:
        self._body.wanted = text
        self._body.changed()

    @work(group="dialog")
    async def action_filter(self) -> None:
        before = self._body.wanted
        text = await ask_line(self, "/", before, live=self._filter)
        self._filter(before if text is None else text)

    @work(group="dialog")
    async def action_add(self) -> None:
        text = await ask_line(self, "note", placeholder="what happened")
        if text and text.strip():
            try:
                await self._room.session.note(text.strip())
            except JournalError as error:
                self._body.message = f"NOT SAVED: {error}"
            self._body.changed()

    @work(group="dialog")
    async def action_retract(self) -> None:
        entry = self._body.selected
        if entry is None:
            return
        reason = await ask_line(self, "retract, because", placeholder=entry.text[:60])
        if reason and reason.strip():
            try:
                await self._room.session.retract(entry.seq, reason.strip())
            except JournalError as error:
                self._body.message = f"NOT SAVED: {error}"
            self._body.changed()

    def action_whole(self) -> None:
        entry = self._body.selected
        if entry is not None:
            lines: list[Line] = [
                [(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.author}  {entry.kind}", "dim")],
                [],
            ]
            lines += [[(part, "")] for part in entry.text.split("\n")]
            lines += [
                [],
                *[[(f"{name}: ", "dim"), (str(value), "")] for name, value in entry.data.items()],
            ]
            self.app.push_screen(Sheet(f"entry {entry.seq}", lines))
