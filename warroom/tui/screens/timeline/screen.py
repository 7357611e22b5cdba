"""The timeline's screen: a list, all about the entry under the cursor, and its Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.geometry import Size
from textual.layout import Layout

from warroom.domain.corrections import target_of
from warroom.domain.events import CORRECTIONS, Event
from warroom.domain.evidence import Exhibit
from warroom.domain.timeline import Entry
from warroom.engine.drafts import Drafts
from warroom.tui.geometry import Plan, readable
from warroom.tui.layout import RoomLayout
from warroom.tui.messages import IncidentChanged
from warroom.tui.screens.dialogs import show_sheet
from warroom.tui.screens.timeline.areas import areas
from warroom.tui.screens.timeline.detail import Subject
from warroom.tui.screens.timeline.draw import Look
from warroom.tui.screens.timeline.filters import Filter
from warroom.tui.screens.timeline.keys import KEYS, bindings, help_lines
from warroom.tui.screens.timeline.listing import START, Listing, place_of
from warroom.tui.screens.timeline.parts import (
    Chips,
    Detail,
    Entries,
    Head,
    Preview,
    Scrolled,
)
from warroom.tui.screens.timeline.verifying import Verifying
from warroom.tui.widgets.strips import KeyBar

if TYPE_CHECKING:
    from textual.timer import Timer

    from warroom.engine.room import Room
    from warroom.tui.screens.timeline.form import EntryForm

MESSAGE_S: Final = 6.0
"""How long a passing message stands."""
_WARM: Final = 4_000
_WARM_S: Final = 0.02


class TimelineScreen(Verifying):
    """Opened with `t`. Nothing here is lost: what is changed or retracted stays in the journal."""

    DEFAULT_CSS = """
    TimelineScreen { background: $background; overflow: hidden hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, room: Room, zone: str) -> None:
        super().__init__()
        self.room, self.drafts = room, Drafts()
        self.look = Look(ZoneInfo(zone))
        self._layout = RoomLayout(self.plan)
        self.listing = Listing()
        self.awaited, self.line = {}, None
        self._incident, self._known = "", 0
        self._exhibits: dict[int, list[Exhibit]] = {}
        self._with_detail = False
        self._forgetting: Timer | None = None
        self._form: EntryForm | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._stale = False

    def compose(self) -> ComposeResult:
        self.look = Look(self.look.zone, bool(getattr(self.app, "ascii_only", False)))
        self.head, self.chips = Head(self.room, self.look), Chips(self.listing)
        self.entries = Entries(self.listing, self.look)
        self.detail, self.preview = Detail(self.look), Preview(self.look)
        self.keys = KeyBar()
        self.keys.commands = KEYS
        yield from (self.head, self.chips, self.entries, self.detail, self.preview, self.keys)

    def on_mount(self) -> None:
        self._unsubscribe = self.room.session.subscribe(self._moved)
        self._reload()
        self.entries.go(len(self.listing.shown) - 1)
        self.set_interval(1.0, self.head.changed)
        self.set_timer(_WARM_S, self._warm)

    def on_unmount(self) -> None:
        self._unsubscribe()

    @property
    def layout(self) -> Layout:
        """Places the parts by `areas`."""
        return self._layout

    def plan(self, size: Size) -> Plan:
        """Where everything stands now."""
        made = areas(size.width, size.height, detail=self._with_detail)
        self.head.too_small = made.too_small
        if self.line is not None and not made.too_small:
            made.regions[str(self.line.id)] = made.regions.pop(self.keys.id or "")
        return made

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On a screen too small to read there is nothing to do but leave."""
        return action in ("leave", "back") or readable(*self.app.size)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Leave once, however often it is asked for."""
        return super().dismiss(result) if self.is_current else AwaitComplete()

    # What is shown --------------------------------------------------------------------------

    def _moved(self) -> None:
        """Something was written, here or on another console: taken in at the next turn, so that
        a burst of events is drawn once."""
        if not self._stale:
            self._stale = True
            self.post_message(IncidentChanged())

    @on(IncidentChanged)
    def _incident_changed(self, message: IncidentChanged) -> None:
        message.stop()
        self._stale = False
        incident = self.room.session.incident
        if incident is None:
            return
        if incident.id != self._incident:
            self._reload()
        else:
            self._take()
        self._look_after_unsaved()
        self.changed()

    def _reload(self) -> None:
        session = self.room.session
        timeline = self.room.timeline()
        self._incident, self._known = timeline.incident.id, len(session.events)
        self._group(timeline.exhibits)
        self.listing.load(timeline.entries, self._exhibits)
        self.entries.cursor, self.entries.marks = START, frozenset()

    def _take(self) -> None:
        """The new events only; whoever is at the end stays there, anybody else where he is."""
        session, was_at_end = self.room.session, self.entries.at_end
        fresh = session.events[self._known :]
        self._known += len(fresh)
        self._group(self.room.timeline().exhibits)
        subjects = {self._subject_of(event) for event in fresh} - {0}
        here = self.selected
        changed = {seq: session.projection.entry(seq) for seq in subjects}
        self.listing.take(changed, frozenset(self._exhibits))
        self.entries.marks -= {seq for seq, entry in changed.items() if entry is None}
        if was_at_end and self.listing.shown:
            self.entries.cursor = place_of(self.listing.shown[-1])
        elif here is not None and (moved := changed.get(here.seq)) is not None:
            self.entries.cursor = place_of(moved)

    def _subject_of(self, event: Event) -> int:
        """The entry that an event is or is about."""
        events = self.room.session.events
        while event.kind in CORRECTIONS:
            target = target_of(event)
            if not target:
                return 0
            event = events[target - 1]
        return event.seq

    def _group(self, exhibits: tuple[Exhibit, ...]) -> None:
        self._exhibits = {}
        for exhibit in exhibits:
            self._exhibits.setdefault(exhibit.entry, []).append(exhibit)
        self.entries.labels = {
            seq: [one.label for one in found] for seq, found in self._exhibits.items()
        }

    def _look_after_unsaved(self) -> None:
        waiting = {draft.id for draft in self.room.session.unsaved}
        for draft in [draft for draft in self.awaited if draft not in waiting]:
            self.forget(self.awaited.pop(draft))
            self.say("saved", "ok")

    def _warm(self) -> None:
        """Prepare the filter while nobody asks for it yet, a little at a time."""
        if self.listing.warm(_WARM):
            self.set_timer(_WARM_S, self._warm)

    def changed(self) -> None:
        """Everything is drawn anew where it differs."""
        self._on_cursor()
        for part in (self.head, self.chips, self.entries):
            part.changed()

    @on(Entries.Chosen)
    def _on_cursor(self) -> None:
        """The detail and the preview show the entry under the cursor."""
        entry = self.selected
        before = self.detail.shown
        self.detail.shown = self._all_about(entry) if entry is not None else None
        self.preview.entry = entry
        self.preview.labels = self.entries.labels.get(entry.seq, ()) if entry else ()
        if before is None or entry is None or before.entry.seq != entry.seq:
            self.detail.top()
            self.preview.top()
        if self.detail.region.area:
            self.detail.changed()
            self.preview.changed()

    def _all_about(self, entry: Entry) -> Subject:
        session = self.room.session
        versions = session.projection.versions(entry.seq)
        exhibits = tuple(self._exhibits.get(entry.seq, ()))
        return Subject(entry, session.events[entry.seq - 1], versions, exhibits)

    def cover(self, form: EntryForm | None) -> None:
        """While a form has the keys, no part of what is below looks as if it had them, and its
        key bar says what is said here."""
        self._form = form
        if form is not None:
            form.keys.message = self.keys.message
        for part in (self.entries, self.detail, self.preview):
            part.covered = form is not None
            part.changed()

    def imagine(self, entry: Entry | None) -> None:
        self.preview.typed = entry
        self.preview.changed()

    def show_entry(self, seq: int) -> None:
        if self._stale:
            self._stale = False
            self._take()
        entry = self.listing.entry(seq)
        if entry is not None:
            self.entries.cursor = place_of(entry)
            self.changed()

    def say(self, text: str, style: str = "") -> None:
        for bar in self._bars():
            bar.say(text, style)
        if self._forgetting is not None:
            self._forgetting.stop()
        self._forgetting = self.set_timer(MESSAGE_S, self._forget, name="message")

    def _forget(self) -> None:
        for bar in self._bars():
            bar.clear()

    def _bars(self) -> tuple[KeyBar, ...]:
        return (self.keys, self._form.keys) if self._form is not None else (self.keys,)

    # Moving ---------------------------------------------------------------------------------

    @property
    def part(self) -> Scrolled | None:
        """What j and k scroll, when it is not the list."""
        return next((one for one in (self.detail, self.preview) if one.has_keys), None)

    def action_move(self, by: int) -> None:
        if self.part is not None:
            self.part.scroll_lines(by)
        else:
            self.entries.move(by)

    def action_page(self, by: int) -> None:
        if self.part is not None:
            self.part.scroll_lines(by * (self.part.size.height - 3))
        else:
            self.entries.move(by * (self.entries.size.height - 3))

    def action_first(self) -> None:
        self.action_move(-10_000_000)

    def action_last(self) -> None:
        self.action_move(10_000_000)

    def action_day(self, by: int) -> None:
        """The first entry of the next day, or of the day before."""
        shown = self.listing.shown
        if not shown:
            return
        index = self.listing.index(self.entries.cursor)

        def day(at: int) -> object:
            return shown[at].at.astimezone(self.look.zone).date()

        here, at = day(index), index
        while 0 <= at + by < len(shown) and day(at) == here:
            at += by
        if day(at) == here:
            self.say("there is no further day " + ("below" if by > 0 else "above"), "degraded")
            return
        while by < 0 < at and day(at - 1) == day(at):
            at -= 1
        self.entries.go(at)

    def action_part(self) -> None:
        """On a narrow screen: the detail, or the list again."""
        if areas(*self.app.size).tabs:
            self._with_detail = not self._with_detail
            self._keys_to(self.detail if self._with_detail else None)
            self.keys.refresh(layout=True)
            self.call_after_refresh(self.changed)
            return
        order: list[Scrolled | None] = [None, self.detail, self.preview]
        self._keys_to(order[(order.index(self.part) + 1) % len(order)])

    @on(Scrolled.Pointed)
    def _pointed(self, message: Scrolled.Pointed) -> None:
        self._keys_to(message.part)

    @on(Entries.Pointed)
    def _pointed_at_list(self) -> None:
        if self.part is not None:
            self._keys_to(None)

    def _keys_to(self, part: Scrolled | None) -> None:
        self.entries.has_keys = part is None
        for one in (self.detail, self.preview):
            one.has_keys = one is part
        for widget in (self.entries, self.detail, self.preview):
            widget.changed()

    def on_resize(self) -> None:
        """Where all fits beside each other the keys go to the list again."""
        if self._with_detail and not areas(*self.app.size).tabs:
            self._with_detail = False
            self._keys_to(None)

    # Leaving --------------------------------------------------------------------------------

    @on(Entries.Opened)
    def _opened(self) -> None:
        self.action_edit()

    def action_open(self) -> None:
        """Edit; on a narrow screen show the detail first."""
        if areas(*self.app.size).tabs and not self._with_detail:
            self.action_part()
        else:
            self.action_edit()

    async def action_help(self) -> None:
        await show_sheet(self, "the timeline's keys", help_lines(self.look.ascii_only))

    def action_back(self) -> None:
        if self.listing.filter != Filter():
            self.filter(Filter())
        elif self._with_detail:
            self.action_part()
        elif self.part is not None:
            self._keys_to(None)
        elif self.entries.marks:
            self.entries.marks = frozenset()
            self.entries.changed()
        else:
            self.dismiss()

    def action_leave(self) -> None:
        self.dismiss()
