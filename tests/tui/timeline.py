"""The timeline's screen as a person sees and uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.widgets import Input

from tests.tui.page import RoomPage, opened
from warroom.domain.timeline import Entry
from warroom.tui.screens.timeline.fields import Text
from warroom.tui.screens.timeline.form import EntryForm
from warroom.tui.screens.timeline.screen import TimelineScreen

BURNS = "it burns"


@asynccontextmanager
async def burning(config: Path, size: tuple[int, int]) -> AsyncIterator[RoomPage]:
    """A console without systems, with an open incident of three entries."""
    async with opened(config, size=size) as page:
        await page.opens(BURNS)
        for text in ("pool is full", "restarting api"):
            await page.room.session.note(text)
        yield page


class TimelinePage:
    """Drives the timeline of one console."""

    def __init__(self, room: RoomPage) -> None:
        self.room = room
        self.press, self.sees, self.loses = room.press, room.sees, room.loses

    @property
    def screen(self) -> TimelineScreen:
        """The screen, under whatever lies over it."""
        return next(s for s in self.room.app.screen_stack if isinstance(s, TimelineScreen))

    @property
    def texts(self) -> list[str]:
        """What the entries that are shown say, by time."""
        return [entry.text for entry in self.screen.listing.shown]

    @property
    def selected(self) -> Entry:
        entry = self.screen.selected
        assert entry is not None, "nothing is selected"
        return entry

    @property
    def form(self) -> EntryForm:
        assert isinstance(self.room.app.screen, EntryForm), self.room.text()
        return self.room.app.screen

    async def says(self, wanted: str) -> None:
        """Wait until the key bar says something."""
        await self.room.until(
            lambda: self.screen.keys.message is not None and wanted in self.screen.keys.message[0],
            f"not said: {wanted!r}, but {self.screen.keys.message!r}",
        )

    async def select(self, text: str) -> None:
        """Put the cursor on the entry that says so."""
        await self.room.until(lambda: any(text in one for one in self.texts), f"no {text!r}")
        number = next(n for n, one in enumerate(self.texts) if text in one)
        await self.press("g", *["j"] * number)
        assert text in self.selected.text

    async def opens_form(self, key: str) -> None:
        await self.press(key)
        await self.room.until(lambda: isinstance(self.room.app.screen, EntryForm), "no form opens")

    async def edits(self, seq: int) -> None:
        """Wait until the form is open on that entry."""
        title = f"edit entry {seq}"
        await self.room.until(lambda: title in self.room.painted(), f"no form: {title}")

    async def fills(self, *, text: str | None = None, when: str | None = None) -> None:
        """Put that into the fields of the form that is open."""
        if when is not None:
            self.form.query_one(Input).value = when
        if text is not None:
            self.form.query_one(Text).text = text
        await self.room.pilot.pause()

    async def saves(self) -> None:
        """Press enter in the form, and wait until it has closed."""
        await self.press("enter")
        await self.shown()

    async def shown(self) -> None:
        """Wait until nothing lies over the timeline."""
        await self.room.until(
            lambda: isinstance(self.room.app.screen, TimelineScreen), "something stays open"
        )

    async def adds(self, text: str, when: str = "") -> None:
        """A new entry, by its key."""
        await self.opens_form("n")
        await self.fills(text=text, when=when)
        await self.saves()


async def timeline_of(room: RoomPage) -> TimelinePage:
    """Open it, by its key."""
    await room.press("t")
    await room.sees("timeline of INC-")
    return TimelinePage(room)
