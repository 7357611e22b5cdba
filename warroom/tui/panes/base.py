"""A pane: a framed tile that shows one kind of source, with its state and the age of its data.

A pane reads what the room knows; it never talks to a system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.geometry import Region
from textual.message import Message

from warroom.domain.sample import Column, Health, Sample
from warroom.tui import format as fmt
from warroom.tui.widgets import table
from warroom.tui.widgets.lines import (
    Line,
    Lines,
    Span,
    fitted,
    spread,
    whole_parts,
    width_of,
    wrapped,
)
from warroom.tui.widgets.table import Choice, Item

if TYPE_CHECKING:
    from warroom.engine.room import Room

STALE_FACTOR: Final = 2.5
"""Data older than this many intervals is said to be old."""


class Pane(Lines, can_focus=True):
    """The frame: number and title left, state right; age of the data in the lower edge."""

    title: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]] = frozenset()
    """Probe kinds whose samples this pane shows."""
    offers: ClassVar[tuple[str, ...]] = ()  # ids of commands that the key bar shows here

    class Opened(Message):
        """Somebody asked for all about the row under the cursor."""

        def __init__(self, item: Item) -> None:
            self.item = item
            super().__init__()

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(id=f"pane-{name}")
        self.key = name
        self.number = 0
        self.sources = list(sources)
        self.room: Room | None = None
        self.missing = ""
        """Why there is no source, and what would help."""

    # What subclasses say ------------------------------------------------------------------

    def state(self) -> Line:
        """The few words in the upper right corner."""
        samples = self.samples
        if not samples:
            return [("absent" if self.missing else "waiting", "dim")]
        health = Health.worst(self.health(s.source) for s in samples)
        return [(samples[0].summary, "" if health is Health.OK else table.health_style(health))]

    def body(self, width: int, height: int) -> list[Line]:
        """What is inside the frame."""
        raise NotImplementedError

    def opened(self) -> None:
        """The room is there."""

    def restless(self) -> bool:
        """Whether there is something new to draw that no sample announces."""
        return False

    # What keys do; a pane without rows leaves them be --------------------------------------

    def move(self, by: int) -> None:
        """Move the cursor by rows."""

    def page(self, by: int) -> None:
        """Move by pages."""

    def ends(self, *, last: bool) -> None:
        """Go to the first or the last row."""

    def mark(self) -> None:
        """Mark the row; logs: pause."""

    def filter(self, text: str) -> None:
        """Show only what contains `text`."""

    def unfilter(self) -> bool:
        """Take filter and marks away; whether there were any."""
        return False

    @property
    def filter_text(self) -> str:
        return ""

    def detail(self) -> tuple[str, str, str, list[Line]] | None:
        """(title, source, row key, lines) for the sheet; without lines the system is asked."""
        return None

    def picked(self) -> tuple[str, str]:
        """(where it is from, the text) of what is under the cursor or marked; both may be empty."""
        return "", ""

    # What the room knows ------------------------------------------------------------------

    @property
    def samples(self) -> list[Sample]:
        """The latest samples of this pane's sources, in the order of the config."""
        if self.room is None:
            return []
        latest = self.room.monitor.latest
        return [latest[name] for name in self.sources if name in latest]

    def health(self, source: str) -> Health:
        return self.room.health(source) if self.room else Health.UNKNOWN

    @property
    def heading(self) -> str:
        """The title in the frame."""
        return self.title

    def age(self) -> tuple[str, bool]:
        """Age of the oldest data shown, and whether that is too old."""
        if self.room is None or not self.samples:
            return "", False
        now = self.room.clock.now()
        oldest = max(((now - s.at).total_seconds(), s.source) for s in self.samples)
        return fmt.age(oldest[0]), oldest[0] > STALE_FACTOR * max(
            2.0, self.room.monitor.every(oldest[1])
        )

    def symbol(self, health: Health) -> Span:
        symbols = fmt.SYMBOLS_ASCII if self.ascii_only else fmt.SYMBOLS
        return symbols[health], table.health_style(health)

    def faults(self) -> list[Line]:
        """Errors and findings of this pane's sources, a line each."""
        lines: list[Line] = []
        for sample in self.samples:
            name = f"{sample.source}: " if len(self.sources) > 1 else ""
            if sample.error:
                lines.append([self.symbol(sample.health), (f" {name}{sample.error}", "")])
            for finding in self.room.findings(sample.source) if self.room else ():
                style = table.health_style(finding.level.health)
                lines.append(
                    [self.symbol(finding.level.health), (f" {name}{finding.message}", style)]
                )
        return lines

    # The frame ----------------------------------------------------------------------------

    def build(self, width: int, height: int) -> list[Line]:
        if width < 4 or height < 2:
            return []
        style = "focus" if self.has_focus else "frame"
        tl, tr, bl, br, h, v = (
            "++++-|" if self.ascii_only else "┏┓┗┛━┃" if self.has_focus else "┌┐└┘─│"
        )
        inner = self._absent(width - 4) if self.missing else self.body(width - 2, height - 2)
        lines: list[Line] = [self._top(width, style, tl, tr, h)]
        for index in range(height - 2):
            content = inner[index] if index < len(inner) else ()
            lines.append([(v, style), *spread(content, (), width - 2), (v, style)])
        lines.append(self._bottom(width, style, bl, br, h))
        return lines

    def _absent(self, width: int) -> list[Line]:
        parts = wrapped(self.missing, width)
        return [[(" not on this machine", "degraded")], *([(f" {part}", "")] for part in parts)]

    def _top(self, width: int, style: str, tl: str, tr: str, h: str) -> Line:
        number = f"{self.number}" if self.number else ""
        title = "title accent" if self.has_focus else "title"
        left: list[Span] = [
            (tl, style),
            (number, "key"),
            (" " if number else "", ""),
            (self.heading, title),
            (" ", ""),
        ]
        state = list(self.state())
        room = width - width_of(left) - 5
        if state and width_of(state) > room:
            head = whole_parts(state[0][0], room), state[0][1]
            state = [head] if len(state) == 1 else state
        if state and width_of(state) > room:
            state = fitted(state, max(0, room))
        right = [(" ", ""), *state, (f" {h}{tr}", style)] if state else [(h + tr, style)]
        return spread(left, right, width, h, style)

    def _bottom(self, width: int, style: str, bl: str, br: str, h: str) -> Line:
        age, old = self.age()
        notes = self.notes()
        left: list[Span] = [(bl + h, style)]
        for note in notes:
            left += [(" ", ""), note, (" ", "")]
        right: list[Span] = [(h + br, style)]
        if age:
            word = f" {age} old " if old else f" {age} "
            right = [(word, "degraded" if old else "dim"), *right]
        return spread(left, right, width, h, style)

    def notes(self) -> list[Span]:
        """Modes that are on, said in the lower left edge."""
        return []

    def tick(self) -> None:
        """A second has gone by: only the age has changed."""
        if self._built and self.size.height >= 2:
            width, height = self.size
            style = "focus" if self.has_focus else "frame"
            bl, br, h = "++-" if self.ascii_only else "┗┛━" if self.has_focus else "└┘─"
            self._built[height - 1 : height] = [self._bottom(width, style, bl, br, h)]
            self.refresh(Region(0, height - 1, width, 1))

    def on_focus(self) -> None:
        self.changed()

    def on_blur(self) -> None:
        self.changed()


class TablePane(Pane):
    """A pane whose rows can be moved over, sorted, filtered, marked and opened."""

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(name, sources)
        self.choice = Choice()
        self._shown: list[Item] = []
        self._rows_at = 0
        self._height = 0

    def head(self, width: int, height: int) -> list[Line]:
        """Lines above the table."""
        return []

    @property
    def columns(self) -> Sequence[Column]:
        return next((s.columns for s in self.samples if s.columns), ())

    def items(self) -> list[Item]:
        return [Item(sample.source, row) for sample in self.samples for row in sample.rows]

    def body(self, width: int, height: int) -> list[Line]:
        if self.room is None or not self.samples:
            return [[(" looking…", "dim")]]
        lines = [
            [(" ", ""), *line]
            for line in [*self.faults()[: max(1, height // 3)], *self.head(width - 2, height)]
        ]
        lines = lines[: max(0, height - 3)] if self.items() else lines
        self._shown = table.arrange(self.items(), self.columns, self.choice)
        self._rows_at = len(lines) + 2
        self._height = height - len(lines) - 1
        self.choice = table.settle(self.choice, self._shown, self._height)
        return [*lines, *self._table(width)] if self.columns and self._height > 0 else list(lines)

    def _table(self, width: int) -> list[Line]:
        ascii_only = self.ascii_only
        window = self._shown[self.choice.offset : self.choice.offset + self._height]
        fits = table.fit(self.columns, window or self._shown, width - 4, ascii_only=ascii_only)
        lines: list[Line] = [[(" ", ""), *table.header(fits, self.choice, ascii_only=ascii_only)]]
        for item in window:
            cells = table.line(
                item, fits, self.choice, focused=self.has_focus, ascii_only=ascii_only
            )
            lines.append([(" ", ""), *cells])
        if not window:
            lines.append([("   " + self.empty(), "dim")])
        return lines

    def empty(self) -> str:
        """What an empty table says."""
        return (
            f'nothing matches "{self.choice.filter}"' if self.choice.filter else "nothing to show"
        )

    def notes(self) -> list[Span]:
        notes: list[Span] = []
        if self.choice.filter:
            notes.append((f"/{self.choice.filter}", "accent"))
        if self.choice.marks:
            notes.append((f"{len(self.choice.marks)} marked", "mark"))
        if len(self._shown) > self._height > 0:
            notes.append((f"{self.choice.index + 1}/{len(self._shown)}", "dim"))
        if any(sample.stale for sample in self.samples):
            notes.append(("last known rows", "degraded"))
        return notes

    # What keys do -------------------------------------------------------------------------

    @property
    def selected(self) -> Item | None:
        """The row under the cursor."""
        return next((item for item in self._shown if item.id == self.choice.cursor), None)

    def move(self, by: int) -> None:
        self.choice = table.move(self.choice, self._shown, by)
        self.changed()

    def page(self, by: int) -> None:
        self.move(by * max(1, self._height - 1))

    def ends(self, *, last: bool) -> None:
        self.move(len(self._shown) if last else -len(self._shown))

    def sort_next(self) -> None:
        """Sort by the next column; after the last, as the source gives them."""
        keys = ["", *(column.key for column in self.columns if column.kind != "spark")]
        now = keys.index(self.choice.sort) if self.choice.sort in keys else 0
        key = keys[(now + 1) % len(keys)]
        numeric = any(c.key == key and c.kind in fmt.RIGHT for c in self.columns)
        self.choice = replace(self.choice, sort=key, reverse=numeric)
        self.changed()

    def sort_reverse(self) -> None:
        self.choice = replace(self.choice, reverse=not self.choice.reverse)
        self.changed()

    def filter(self, text: str) -> None:
        self.choice = replace(self.choice, filter=text)
        self.changed()

    def unfilter(self) -> bool:
        had = bool(self.choice.filter or self.choice.marks)
        self.choice = replace(self.choice, filter="", marks=frozenset())
        return had

    @property
    def filter_text(self) -> str:
        return self.choice.filter

    def detail(self) -> tuple[str, str, str, list[Line]] | None:
        item = self.selected
        if item is None:
            return (self.heading, self.sources[0], "", []) if self.sources else None
        return f"{item.source}: {item.row.name}", item.source, item.row.key, []

    def picked(self) -> tuple[str, str]:
        chosen = [i for i in self._shown if i.id in self.choice.marks]
        chosen = chosen or ([self.selected] if self.selected else [])
        return self.heading, "\n".join(table.plain(item, self.columns) for item in chosen)

    def mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        if self.choice.cursor:
            self.choice = replace(self.choice, marks=self.choice.marks ^ {self.choice.cursor})
            self.move(1)

    def on_click(self, event: events.Click) -> None:
        index = event.y - self._rows_at + self.choice.offset
        if event.y == self._rows_at - 1:
            self.sort_next()
        elif event.y >= self._rows_at and index < len(self._shown):
            self.choice = replace(self.choice, cursor=self._shown[index].id, index=index)
            self.changed()
            if event.chain == 2 and self.selected:
                self.post_message(self.Opened(self.selected))

    def on_mouse_scroll_down(self) -> None:
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        self.move(-3)


def gauge(share: float, width: int, style: str, *, ascii_only: bool = False) -> list[Span]:
    """A bar for 0..1 of `width` cells: the filled part in `style`."""
    filled = min(width, max(0, round(share * width)))
    full, rest = ("#", ".") if ascii_only else ("█", "░")
    return [(full * filled, style), (rest * (width - filled), "frame")]


def facts_lines(facts: Sequence[tuple[str, str, str]], width: int) -> list[Line]:
    """(name, value, style) pairs, as many on a line as fit, in the order given."""
    lines: list[Line] = []
    spans: list[Span] = []
    used = 0
    for name, value, style in facts:
        need = cell_len(name) + cell_len(value) + 1
        if spans and used + 3 + need > width:
            lines.append(spans)
            spans, used = [], 0
        gap = "   " if spans else ""
        spans += [(f"{gap}{name} ", "dim"), (value, style)]
        used += len(gap) + need
    return [*lines, spans] if spans else lines
