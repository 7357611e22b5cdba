"""The room as a person sees and uses it: what is on the screen, and keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from textual.pilot import Pilot
from textual.widgets import Input

from warroom.cli.common import Loaded, build_room
from warroom.engine.members import load_settings
from warroom.engine.room import Room
from warroom.tui.app import WarroomApp
from warroom.tui.widgets.lines import Lines

PATIENCE_S: Final = 15.0


class RoomPage:
    """Drives one console. `sees` waits until something is there, and fails with the screen."""

    def __init__(self, app: WarroomApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def room(self) -> Room:
        assert self.app.room is not None, "the room has not opened"
        return self.app.room

    def text(self) -> str:
        """Everything on the top-most screen, and on the room below it."""
        screens = dict.fromkeys((self.app.screen, self.app.room_screen))
        return "\n".join(
            _text(widget)
            for screen in screens
            for widget in screen.query(Lines)
            if widget.region.area
        )

    def pane(self, name: str) -> str:
        """What one pane shows."""
        return next(_text(pane) for pane in self.app.room_screen.panes if pane.key == name)

    async def sees(self, *wanted: str, pane: str = "", within: float = PATIENCE_S) -> None:
        """Wait until every text is on the screen (or in that pane)."""
        end = time.monotonic() + within
        while True:
            text = self.pane(pane) if pane else self.text()
            missing = [one for one in wanted if one not in text]
            if not missing:
                return
            if time.monotonic() > end:
                raise AssertionError(f"not on the screen: {missing}\n{text}")
            await asyncio.sleep(0.02)

    async def loses(self, unwanted: str, within: float = PATIENCE_S) -> None:
        """Wait until a text is gone from the screen."""
        end = time.monotonic() + within
        while unwanted in self.text():
            if time.monotonic() > end:
                raise AssertionError(f"still on the screen: {unwanted!r}\n{self.text()}")
            await asyncio.sleep(0.02)

    async def closes(self) -> None:
        """Wait until no dialog is over the room."""
        end = time.monotonic() + PATIENCE_S
        while self.app.screen is not self.app.room_screen:
            if time.monotonic() > end:
                raise AssertionError(f"a dialog stays open\n{self.text()}")
            await asyncio.sleep(0.02)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def types(self, text: str) -> None:
        """Type into the line that is asked for, and submit it."""
        end = time.monotonic() + PATIENCE_S
        while not self.app.screen.query(Input):
            if time.monotonic() > end:
                raise AssertionError(f"nothing asks for a line\n{self.text()}")
            await asyncio.sleep(0.02)
        self.app.screen.query_one(Input).value = text
        asking = self.app.screen
        await self.pilot.press("enter")
        while self.app.screen is asking:
            await asyncio.sleep(0.02)

    async def go(self, pane: str) -> None:
        """Go to a pane by its number."""
        number = next(p.number for p in self.app.room_screen.panes if p.key == pane)
        await self.press(str(number))

    async def select(self, pane: str, row: str) -> None:
        """Put the cursor on the row of that name."""
        await self.go(pane)
        await self.sees(row, pane=pane)
        await self.press("g")
        for _ in range(200):
            table = self.app.room_screen.table
            assert table is not None
            if table.selected and row in table.selected.row.name:
                return
            await self.press("j")
        raise AssertionError(f"no row {row!r}\n{self.pane(pane)}")


@asynccontextmanager
async def opened(
    config: Path, *, size: tuple[int, int] = (160, 48), observe: bool = False, theme: str = ""
) -> AsyncIterator[RoomPage]:
    """A console on a config file, opened on real systems."""
    loaded = Loaded(*load_settings(config))

    async def opener() -> Room:
        return build_room(loaded, observe=observe)

    app = WarroomApp(loaded.settings, opener, theme=theme)
    async with app.run_test(size=size) as pilot:
        page = RoomPage(app, pilot)
        end = time.monotonic() + PATIENCE_S
        while app.room is None and time.monotonic() < end:
            await asyncio.sleep(0.02)
        yield page


def _text(widget: Lines) -> str:
    return "\n".join(
        "".join(segment.text for segment in widget.render_line(y))
        for y in range(widget.size.height)
    )
