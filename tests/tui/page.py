"""The room as a person sees and uses it: what is on the screen, and keys."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console
from textual import events
from textual._styles_cache import StylesCache
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from warroom.cli.common import Loaded, build_room
from warroom.engine.adopt import adopted
from warroom.engine.members import load_settings
from warroom.engine.room import Room
from warroom.engine.shelf import read_shelf
from warroom.tui.app import WarroomApp
from warroom.tui.widgets.lines import Lines

PATIENCE_S: Final = 60.0


class RoomPage:
    """Drives one console. `sees` waits until something is there, and fails with the screen."""

    def __init__(self, app: WarroomApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def room(self) -> Room:
        assert self.app.room is not None, "the room has not opened"
        return self.app.room

    def text(self) -> str:
        """Everything on the top-most screen, on those below it, and on the room."""
        screens = dict.fromkeys((*reversed(self.app.screen_stack), self.app.room_screen))
        return "\n".join(
            _text(widget)
            for screen in screens
            for widget in screen.query(Lines)
            if widget.region.area
        )

    def painted(self) -> str:
        """What the terminal gets, after the last gate: every screen, cell by cell."""
        width, height = self.app.size
        file = io.StringIO()
        console = Console(width=width, height=height, file=file, color_system=None)
        stack = self.app._background_screens
        render = self.app.screen._compositor.render_update(full=True, screen_stack=stack)
        console.print(render)
        return file.getvalue()

    @property
    def keys(self) -> str:
        """The key bar, or the message in its place."""
        return _text(self.app.room_screen.keys)

    @property
    def here(self) -> str:
        """The pane that keys go to."""
        return self.app.room_screen.active

    @property
    def shown(self) -> list[str]:
        """The panes that are on the screen now."""
        return [pane.key for pane in self.app.room_screen.panes if pane.region.area]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the open incident's events, as the journal has them."""
        return [event.kind.value for event in self.room.session.events]

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

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until `holds`; `what` is said, with the screen, when it never does."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what}\n{self.text()}")
            await asyncio.sleep(0.02)

    async def says(self, wanted: str) -> None:
        """Wait until the key bar says something."""
        await self.until(lambda: wanted in self.keys, f"not said: {wanted!r}, but {self.keys!r}")

    async def loses(self, unwanted: str, within: float = PATIENCE_S, *, pane: str = "") -> None:
        """Wait until a text is gone from the screen (or from that pane)."""
        end = time.monotonic() + within
        while unwanted in (text := self.pane(pane) if pane else self.text()):
            if time.monotonic() > end:
                raise AssertionError(f"still on the screen: {unwanted!r}\n{text}")
            await asyncio.sleep(0.02)

    async def closes(self) -> None:
        """Wait until no dialog is over the room."""
        await self.until(lambda: self.app.screen is self.app.room_screen, "a dialog stays open")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def strikes(self, *keys: str) -> None:
        """Press keys as fingers do: without waiting after each until the console has come to rest,
        which takes a busy one a second. What they lead to is waited for instead."""
        for key in keys:
            event = events.Key(_key_name(key), key if len(key) == 1 else None)
            event.set_sender(self.app)
            assert self.app._driver is not None
            self.app._driver.send_message(event)
        await asyncio.sleep(0)

    async def asked(self) -> Input:
        """Wait until a line is asked for; where it is typed."""
        await self.until(lambda: bool(self.app.screen.query(Input)), "nothing asks for a line")
        return self.app.screen.query_one(Input)

    async def opens(self, title: str, severity: str = "1") -> None:
        """Open an incident, by its keys."""
        await self.press("i")
        await self.types(title)
        await self.sees("severity (")
        await self.press(severity)
        await self.closes()
        await self.sees(title)

    async def resize(self, width: int, height: int) -> None:
        """The terminal window is another size from now on."""
        await self.pilot.resize_terminal(width, height)

    async def types(self, text: str) -> None:
        """Type into the line that is asked for, and submit it."""
        (await self.asked()).value = text
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
    config: Path,
    *,
    size: tuple[int, int] = (160, 48),
    observe: bool = False,
    theme: str = "",
    sharing: bool = False,
    missing: Mapping[str, str] = MappingProxyType({}),
    wait: bool = True,
    adopting: bool = False,
) -> AsyncIterator[RoomPage]:
    """A console on a config file, opened on real systems; `wait` until its room is there. With
    `adopting`, its runbooks give the severities and the checklist, as they do for everybody."""
    settings, probes, mitigations = load_settings(config)
    shelf = read_shelf(settings)
    settings = adopted(settings, shelf) if adopting else settings
    loaded = Loaded(settings, probes, mitigations, shelf)

    async def opener() -> Room:
        return build_room(loaded, observe=observe)

    app = WarroomApp(loaded.settings, opener, theme=theme, sharing=sharing, missing=missing)
    try:
        async with app.run_test(size=size) as pilot:
            page = RoomPage(app, pilot)
            if wait:
                await page.until(lambda: app.room is not None, "the room does not open")
            yield page
    finally:
        # Textual keeps what the last thousand widgets drew, also of consoles that are gone: each
        # look for garbage would go through it, and hold up threads that save.
        StylesCache.get_inner_outer.cache_clear()


def _key_name(key: str) -> str:
    return _character_to_key(key) if len(key) == 1 and not key.isalnum() else key


def _text(widget: Lines) -> str:
    return "\n".join(
        "".join(segment.text for segment in widget.render_line(y))
        for y in range(widget.size.height)
    )
