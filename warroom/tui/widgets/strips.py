"""The strips below and above the panes: last timeline entries, tabs, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from textual import events
from textual.message import Message

from warroom.domain.events import Kind
from warroom.domain.incident import FIELDS
from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.tui import format as fmt
from warroom.tui.command import in_words
from warroom.tui.commands import COMMANDS, Command
from warroom.tui.widgets.lines import Line, Lines, Span, spread

if TYPE_CHECKING:
    from warroom.domain.timeline import Entry
    from warroom.engine.room import Room
    from warroom.tui.panes.base import Pane

_ILL = {"down": "down", "degraded": "degraded", "unknown": "unknown", "ok": "ok"}


def entry_style(entry: Entry) -> str:
    """The style of a timeline entry's text."""
    match entry.kind:
        case Kind.HEALTH:
            return _ILL.get(str(entry.data.get("after")), "")
        case Kind.FINDING:
            return "down" if entry.data.get("level") == "critical" else "degraded"
        case Kind.RECOVERED:
            return "ok"
        case Kind.REQUESTED | Kind.OUTCOME | Kind.EFFECT | Kind.REFUSED:
            return "accent"
        case Kind.NOTE | Kind.EVIDENCE:
            return "bold"
        case _:
            return "info"


def entry_about(entry: Entry) -> str:
    """What stands before the text of an entry that does not say itself what it is about."""
    match entry.kind:
        case Kind.ACTION_ITEM:
            data = entry.data
            become = " removed" if data.get("removed") else " done" if data.get("done") else ""
            return f"action item{become}: "
        case Kind.FIELD:
            field = str(entry.data.get("field", ""))
            return f"{FIELDS.get(field) or harmless(field)}: "
        case _:
            return ""


class TimelineStrip(Lines):
    """The newest entries, newest last."""

    def __init__(self, zone: str) -> None:
        super().__init__(id="timeline")
        self.room: Room | None = None
        self.zone = ZoneInfo(zone)

    def build(self, width: int, height: int) -> list[Line]:
        entries = self._entries()
        if height < 3:
            return [self._entry(entry) for entry in entries[-height:]] or [
                [(" timeline: empty", "dim")]
            ]
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("─", "│", "┌┐└┘")
        word = "entry" if len(entries) == 1 else "entries"
        count = f"{len(entries)} {word}" if entries else "empty"
        top = spread(
            [(corners[0], "frame"), ("timeline", "title"), (" ", "")],
            [(f" {count} ", "dim"), (h + corners[1], "frame")], width, h, "frame",
        )  # fmt: skip
        lines: list[Line] = [top]
        shown = [self._entry(entry) for entry in entries[-(height - 2) :]]
        for index in range(height - 2):
            content = shown[index] if index < len(shown) else ()
            lines.append([(v, "frame"), *spread(content, (), width - 2), (v, "frame")])
        lines.append([(corners[2] + h * (width - 2) + corners[3], "frame")])
        return lines

    async def on_click(self) -> None:
        """To where the entries can be read and edited."""
        await self.screen.run_action("timeline")

    def _entries(self) -> Sequence[Entry]:
        if self.room is None or self.room.session.incident is None:
            return ()
        return self.room.timeline().entries

    def _entry(self, entry: Entry) -> Line:
        who = "" if entry.by_machine else f"{entry.author}: "
        text = entry_about(entry) + entry.text.replace("\n", " ⏎ ")
        star = ("*" if self.ascii_only else "★") if entry.starred else " "
        return [
            (f" {fmt.clock_time(entry.at, self.zone)} ", "dim"), (star, "mark"),
            (who, "dim"), (text, entry_style(entry)),
        ]  # fmt: skip


class Tabs(Lines):
    """The names of the panes where only one fits, each with its health."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self.panes: Sequence[Pane] = ()
        self.active = ""
        self._edges: list[tuple[int, int]] = []

    def build(self, width: int, height: int) -> list[Line]:
        spans: list[Span] = []
        self._edges, x = [], 0
        short = sum(len(pane.key) + 5 for pane in self.panes) > width
        for pane in self.panes:
            active = pane.key == self.active
            name = pane.key if active or not short else pane.key[:3]
            ill = Health.worst(pane.health(s.source) for s in pane.samples)
            symbol, style = pane.symbol(ill) if pane.samples else (" ", "")
            back = "cursor" if active else "bar"
            text = f" {pane.number} {name}"
            spans += [(text, back), (f"{symbol} ", f"{back} {style}" if style else back)]
            self._edges.append((x, pane.number))
            x += len(text) + 2
        return [spread(spans, (), width, style="bar")]

    def on_click(self, event: events.Click) -> None:
        numbers = [number for x, number in self._edges if x <= event.x]
        if numbers:
            self.post_message(self.Chosen(numbers[-1]))


class KeyBar(Lines):
    """The keys that matter most, as many as fit, each pressed by a click; a passing message in
    their place."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self.message: Span | None = None
        self.commands: Sequence[Command] = COMMANDS
        self.extra: Sequence[tuple[str, str, str]] = ()
        """Further keys: as they are written, what they do, as Textual names them."""
        self._edges: list[tuple[int, int, str]] = []

    def say(self, text: str, style: str = "") -> None:
        """Show a message until the next one, or `clear`."""
        self.message = (f" {text}", style)
        self.changed()

    def clear(self) -> None:
        self.message = None
        self.changed()

    def build(self, width: int, height: int) -> list[Line]:
        self._edges = []
        if self.message is not None:
            text, style = self.message
            return [spread([(text, f"bar {style}".strip())], (), width, style="bar")]
        shown = sorted((c for c in self.commands if c.bar), key=lambda c: c.bar)
        keys = [(c.key_text, c.title, c.key) for c in shown]
        keys[2:2] = self.extra
        spans: list[Span] = []
        used = 0
        for written, title, name in keys:
            key = in_words(written) if self.ascii_only else written
            need = len(key) + len(title) + 3
            if used + need > width:
                break
            spans += [(f" {key}", "bar key"), (f" {title} ", "bar")]
            self._edges.append((used, used + need, name))
            used += need
        return [spread(spans, (), width, style="bar")]

    def on_click(self, event: events.Click) -> None:
        """A click is the key itself, so that nothing can be done here that a key does not do."""
        for begin, end, name in self._edges:
            if begin <= event.x < end:
                self.app.simulate_key(name)
