"""The parts of the timeline's screen; each draws what it was told and posts what was done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from textual import events
from textual.message import Message

from warroom.domain.text import harmless
from warroom.domain.timeline import Entry
from warroom.tui import format as fmt
from warroom.tui.screens.timeline.areas import TWO_COLUMNS
from warroom.tui.screens.timeline.detail import Subject, detail_lines, title_of
from warroom.tui.screens.timeline.draw import (
    Look,
    day_of,
    days_of,
    folded,
    framed,
    row,
    separator,
    window,
)
from warroom.tui.screens.timeline.listing import START, Listing, place_of
from warroom.tui.screens.timeline.preview import preview_lines, source_of
from warroom.tui.widgets.lines import Line, Lines, Span, shortened, spread, width_of

if TYPE_CHECKING:
    from warroom.engine.room import Room

WHEEL: Final = 3
TWO_ZONES: Final = 90
LEAST_TITLE: Final = 8
"""Columns of the title for which the incident's id gives way."""
_HINT: Final = "every entry; / filters by words, f by kind, author and tag, m hides noise"
_SHORT_HINT: Final = "/ filters by words, f by kind, m hides noise"


class Head(Lines):
    """Which incident, how it stands, the time; all of a screen that is too small."""

    def __init__(self, room: Room, look: Look) -> None:
        super().__init__(id="head")
        self.room, self.look, self.too_small = room, look, False

    def build(self, width: int, height: int) -> list[Line]:
        if self.too_small:
            return [[(f"too small: {width}x{height}, needs 60x16", "alarm")]]
        incident, now = self.room.session.incident, self.room.clock.now()
        right: list[Span] = []
        if unsaved := len(self.room.session.unsaved):
            right.append((f" NOT SAVED {unsaved} ", "alarm"))
        right.append((f" {fmt.clock_time(now, self.look.zone)} ", "bar bold"))
        if self.look.zone.key == "UTC":
            right.append(("UTC ", "bar dim"))
        elif width >= TWO_ZONES:
            right.append((f"{now:%H:%M} UTC ", "bar dim"))
        if incident is None:
            return [spread([(" timeline ", "badge")], right, width, style="bar")]
        worst = incident.severity in self.room.session.scheme.names[:2] and incident.is_open
        badge: Span = (f" {incident.severity} ", "alarm" if worst else "badge")
        left: list[Span] = [badge, (f" timeline of {incident.id}  ", "bar")]
        room = width - width_of(left) - width_of(right) - len(incident.status) - 4
        if room < LEAST_TITLE:
            room += width_of(left[1:]) - len(" timeline  ")
            left[1] = (" timeline  ", "bar")
        title = shortened(harmless(incident.title), max(LEAST_TITLE, room))
        left += [(title + "  ", "bar bold"), (str(incident.status), "bar accent")]
        return [spread(left, right, width, style="bar")]


class Chips(Lines):
    """The conditions of the filter, each taken away by a click."""

    class Removed(Message):
        """A condition was clicked."""

        def __init__(self, chip: str) -> None:
            self.chip = chip
            super().__init__()

    def __init__(self, listing: Listing) -> None:
        super().__init__(id="chips")
        self.listing = listing
        self._edges: list[tuple[int, int, str]] = []

    def build(self, width: int, height: int) -> list[Line]:
        shown, total = len(self.listing.shown), len(self.listing.entries)
        count = f"{shown:,} of {total:,}" if shown != total else f"{total:,}"
        word = "entry" if total == 1 else "entries"
        right: list[Span] = [(f" {count} {word} ", "dim" if shown == total else "accent bold")]
        spans: list[Span] = [(" ", "")]
        self._edges = []
        chips = self.listing.filter.chips()
        if not chips:
            hint = _HINT if width >= TWO_COLUMNS else _SHORT_HINT
            return [spread([(f" {hint}", "dim")], right, width)]
        cross = "x" if self.ascii_only else "×"
        for number, chip in enumerate(chips):
            label = f" {shortened(harmless(chip.label), 28)} {cross} "
            at = width_of(spans)
            if at + width_of([(label, "")]) > width - width_of(right) - 4:
                spans.append((f"+{len(chips) - number}", "dim"))
                break
            self._edges.append((at, at + width_of([(label, "")]), chip.id))
            spans += [(label, "badge"), (" ", "")]
        return [spread(spans, right, width)]

    def on_click(self, event: events.Click) -> None:
        for begin, end, chip in self._edges:
            if begin <= event.x < end:
                self.post_message(self.Removed(chip))


class Entries(Lines):
    """The entries that are shown, the cursor on one of them. Only visible rows are made."""

    class Chosen(Message):
        """The cursor is on another entry."""

    class Opened(Message):
        """An entry was clicked twice."""

    class Pointed(Message):
        """It was clicked: keys are for it from now on."""

    def __init__(self, listing: Listing, look: Look) -> None:
        super().__init__(id="entries")
        self.listing, self.look = listing, look
        self.cursor, self.top = START, 0
        self.marks: frozenset[int] = frozenset()
        self.labels: Mapping[int, Sequence[str]] = {}
        self.has_keys, self.covered = True, False
        self.rows: tuple[int | None, ...] = ()

    @property
    def selected(self) -> Entry | None:
        """The entry under the cursor."""
        shown = self.listing.shown
        return shown[self.listing.index(self.cursor)] if shown else None

    @property
    def at_end(self) -> bool:
        """Whether the cursor is on the last entry, or there is none."""
        shown = self.listing.shown
        return not shown or self.listing.index(self.cursor) == len(shown) - 1

    def go(self, index: int) -> None:
        """Put the cursor on the entry of that index, or the nearest there is."""
        shown = self.listing.shown
        if shown:
            self.cursor = place_of(shown[max(0, min(index, len(shown) - 1))])
            self.changed()
            self.post_message(self.Chosen())

    def move(self, by: int) -> None:
        self.go(self.listing.index(self.cursor) + by)

    def build(self, width: int, height: int) -> list[Line]:
        shown = self.listing.shown
        inner, room = width - 4, height - 2
        index = self.listing.index(self.cursor)
        view = window(days_of(shown, self.look), len(shown), index, self.top, room)
        self.top, self.rows = view.top, view.rows
        content: list[Line] = []
        for number, at in enumerate(view.rows):
            if at is None:
                following = view.rows[number + 1] if number + 1 < len(view.rows) else None
                day = "" if following is None else day_of(shown[following].at, self.look)
                content.append(separator(day, inner, self.look) if day else ())
                continue
            entry = shown[at]
            labels = self.labels.get(entry.seq, ())
            content.append(
                row(entry, inner, self.look, here=at == index, marked=entry.seq in self.marks,
                    labels=labels)
            )  # fmt: skip
        if not shown:
            content = [[], [("no entry is like that: esc shows all again", "dim")]]
        title: list[Span] = [("timeline", "title")]
        if shown:
            title += [("  ", ""), (day_of(shown[self.top].at, self.look), "title")]
        right: Line = [(f"{len(self.marks)} marked, M merges", "mark")] if self.marks else []
        place = f"{index + 1:,}/{len(shown):,}" if len(shown) > room else ""
        focused = self.has_keys and not self.covered
        return framed(title, right, content, (width, height), self.look,
                      focused=focused, foot=[(place, "dim")])  # fmt: skip

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Pointed())
        number = event.y - 1
        if 0 <= number < len(self.rows) and (at := self.rows[number]) is not None:
            self.go(at)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_mouse_scroll_down(self) -> None:
        self.move(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        self.move(-WHEEL)


class Scrolled(Lines):
    """Framed lines of any number, scrolled on their own."""

    class Pointed(Message):
        """It was clicked: keys are for it from now on."""

        def __init__(self, part: Scrolled) -> None:
            self.part = part
            super().__init__()

    def __init__(self, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self.look, self.has_keys, self.covered, self.offset_y = look, False, False, 0
        self._made: tuple[object, list[Line]] | None = None

    def subject(self) -> object:
        """What is shown; lines are made anew only when it is another."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Line]:
        """All of them, in that width."""
        raise NotImplementedError

    def title(self) -> Line:
        raise NotImplementedError

    def build(self, width: int, height: int) -> list[Line]:
        key = (self.subject(), width)
        if self._made is None or self._made[0] != key:
            self._made = key, self.lines(width - 4)
        made, room = self._made[1], height - 2
        self.offset_y = max(0, min(self.offset_y, len(made) - room))
        shown = made[self.offset_y : self.offset_y + room]
        below = len(made) - self.offset_y - len(shown)
        foot: Line = [(f"{below} lines more", "dim")] if below else []
        return framed(self.title(), [], shown, (width, height), self.look,
                      focused=self.has_keys and not self.covered, foot=foot)  # fmt: skip

    def scroll_lines(self, by: int) -> None:
        self.offset_y += by
        self.changed()

    def top(self) -> None:
        """Begin at the first line again."""
        self.offset_y = 0

    def on_click(self) -> None:
        self.post_message(self.Pointed(self))

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-WHEEL)


class Detail(Scrolled):
    """All about the selected entry."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, id="detail")
        self.shown: Subject | None = None

    def subject(self) -> object:
        return self.shown

    def title(self) -> Line:
        return title_of(self.shown.entry) if self.shown else [("entry", "title")]

    def lines(self, width: int) -> list[Line]:
        if self.shown is None:
            return [[("no entry is selected", "dim")]]
        return detail_lines(self.shown, width, self.look)


class Preview(Scrolled):
    """The selected entry, or what is being typed, as the post-mortem will show it."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, id="preview")
        self.entry: Entry | None = None
        self.typed: Entry | None = None
        self.labels: Sequence[str] = ()

    def subject(self) -> object:
        return self.typed or self.entry, tuple(self.labels)

    def title(self) -> Line:
        title: list[Span] = [("in the post-mortem", "title")]
        return [*title, (" as you type", "accent")] if self.typed else title

    def lines(self, width: int) -> list[Line]:
        entry = self.typed or self.entry
        if entry is None:
            return []
        source = source_of(entry, self.look, self.labels)
        if not source:
            said = "not in the timeline there: it has a section of its own"
            return folded([(said, "dim")], width)
        return preview_lines(source, width, self.look)
