"""What the timeline's keys do to its filter: words as they are typed, conditions by choice."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

from warroom.tui.screens.dialogs import Option, choose
from warroom.tui.screens.timeline.edits import Edits
from warroom.tui.screens.timeline.filters import FLAGS, Filter
from warroom.tui.screens.timeline.listing import START, place_of
from warroom.tui.screens.timeline.parts import Chips


class FilterLine(Horizontal):
    """In the key bar's place. Not a dialog: with one over it the whole screen is drawn anew at
    each key, which takes longer than to look through a hundred thousand entries."""

    DEFAULT_CSS = """
    FilterLine { height: 1; width: 100%; background: $bar; }
    FilterLine Label { width: auto; color: $accent; text-style: bold; background: $bar; }
    FilterLine Input { border: none; height: 1; padding: 0; background: $bar;
        color: $bar-foreground; width: 1fr; }
    FilterLine Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "screen.filter_left", show=False)]

    def __init__(self, before: str) -> None:
        super().__init__(id="filter")
        self.before = before
        self.input = Input(before, placeholder="words, all of them", select_on_focus=False)

    def compose(self) -> ComposeResult:
        yield Label(" / ", markup=False)
        yield self.input


class Filtering(Edits):
    """A part of the timeline's screen."""

    line: FilterLine | None
    """Where a filter is typed, while it is."""

    def changed(self) -> None:
        """Everything is drawn anew where it differs."""
        raise NotImplementedError

    def filter(self, wanted: Filter) -> None:
        """Show only that; the cursor stays on its entry, or goes to the next one there is."""
        self.listing.apply(wanted)
        if self.entries.cursor == START and self.listing.shown:
            self.entries.cursor = place_of(self.listing.shown[-1])
        self.changed()

    def _words(self, text: str) -> None:
        self.filter(replace(self.listing.filter, text=text.strip()))

    async def action_filter(self) -> None:
        """Type here; other keys than letters go on to do what they do."""
        if self.line is None:
            self.line = FilterLine(self.listing.filter.text)
            await self.mount(self.line)
        self.set_focus(self.line.input)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        if self.line is not None:
            self._words(message.value)

    @on(Input.Submitted)
    async def _accepted(self) -> None:
        await self._without_line()

    async def action_filter_left(self) -> None:
        """As it was before."""
        if self.line is not None:
            self._words(self.line.before)
            await self._without_line()

    async def _without_line(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            self.set_focus(None)
            await line.remove()

    @on(Chips.Removed)
    def _removed(self, message: Chips.Removed) -> None:
        self.filter(self.listing.filter.toggled(message.chip))

    def action_quiet(self) -> None:
        self.filter(self.listing.filter.toggled("quiet"))

    @work(group="dialog")
    async def action_conditions(self) -> None:
        """One after the other, seen at once, until it is left."""
        at = ""
        while True:
            options = self._conditions()
            hint = "enter ticks   esc is done"
            chosen = await choose(self, "only these", options, at=at, hint=hint)
            if chosen is None:
                return
            at = chosen
            self.filter(Filter() if chosen == "none" else self.listing.filter.toggled(chosen))

    def _conditions(self) -> list[Option]:
        listing = self.listing
        held = {chip.id for chip in listing.filter.chips()}
        found = [(flag.id, flag.label, "") for flag in FLAGS]
        found += [(f"tags:{name}", f"#{name}", str(n)) for name, n in listing.tags().items()]
        found += [
            (f"authors:{name}", f"by {name}", str(n)) for name, n in listing.authors().items()
        ]
        found += [(f"kinds:{name}", name, str(n)) for name, n in listing.kinds().items()]
        return [
            Option("none", "every entry, without conditions", str(len(listing.entries))),
            *(Option(i, label, n, mark="[x]" if i in held else "[ ]") for i, label, n in found),
        ]
