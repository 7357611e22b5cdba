"""What is seen behind a dialog is what is there, and only what changed is drawn anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Label

from tests.support.sheet import drawn, written
from tests.support.waiting import comes_true
from warroom.tui.screens.beneath import Beneath
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.behind import Behind
from warroom.tui.widgets.lines import Line, Lines

WIDTH, HEIGHT = 40, 12


class Rows(Lines):
    """Numbered rows, each with a text of its own."""

    DEFAULT_CSS = "Rows { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.texts = dict.fromkeys(range(HEIGHT), "quiet")

    def build(self, width: int, height: int) -> list[Line]:
        return [[(f"{y} ", ""), (self.texts[y], "accent")] for y in range(height)]

    def say(self, y: int, text: str) -> None:
        self.texts[y] = text
        self.changed()


class Base(Beneath[None]):
    def compose(self) -> ComposeResult:
        yield Rows()
        yield Label("the last row")


class Dimmed(Dialog[None]):
    DEFAULT_CSS = "Dimmed { background: black 50%; align: center middle; } Label { width: 9; }"

    def compose(self) -> ComposeResult:
        yield Label("a dialog")


class Clear(Dialog[None]):
    """As a prompt is: nothing between what it holds and what is behind it."""

    DEFAULT_CSS = "Clear { background: transparent; align: left bottom; }"

    def compose(self) -> ComposeResult:
        yield Label("a prompt")


class Full(Beneath[None]):
    """As the timeline is: nothing is seen behind it."""

    DEFAULT_CSS = "Full { background: black; }"

    def compose(self) -> ComposeResult:
        yield Rows()


class Holding(Dimmed):
    """A dialog with something in it that changes."""

    DEFAULT_CSS = "Holding Rows { height: 6; width: 20; }"

    def compose(self) -> ComposeResult:
        yield Rows()


class Stage(App[None]):
    def get_default_screen(self) -> Base:
        return Base()


class Show:
    """A stage, and what was written to its terminal."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot, self.app = pilot, pilot.app
        self.sheet = written(pilot.app)
        self.rows = pilot.app.query_one(Rows)

    async def push(self, screen: Screen[None]) -> None:
        await self.app.push_screen(screen)

    async def resize(self, width: int, height: int) -> None:
        self.sheet.resize(Size(width, height))
        await self.pilot.resize_terminal(width, height)

    async def true(self, text: str, *, anew: bool = True) -> None:
        """`text` was written, beside all that there is; `anew`, from nothing, it is the same."""
        assert await comes_true(lambda: text in self.sheet.text), self.sheet.text
        await self.pilot.pause()
        seen = drawn(self.app).picture
        assert self.sheet.picture == seen
        for screen in self.app.screen_stack if anew else ():
            screen.refresh()
            if isinstance(screen, Dialog):
                screen._behind = None
        await self.pilot.pause()
        assert drawn(self.app).picture == seen


@asynccontextmanager
async def shown(**options: Any) -> AsyncIterator[Show]:
    async with Stage(**options).run_test(size=(WIDTH, HEIGHT)) as pilot:
        yield Show(pilot)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Rows that were drawn anew behind a dialog, time after time."""
    found: list[set[int]] = []
    own = Behind._changed

    def told(self: Behind, height: int) -> set[int]:
        found.append(own(self, height))
        return found[-1]

    monkeypatch.setattr(Behind, "_changed", told)
    return found


@pytest.mark.parametrize("dialog", [Dimmed, Clear])
async def test_what_changes_behind_a_dialog_is_seen_there(dialog: Any) -> None:
    async with shown() as show:
        await show.push(dialog())
        await show.true("3 quiet")
        show.rows.say(3, "loud")
        await show.true("3 loud")
        show.rows.say(3, "hushed")
        show.rows.say(5, "heard")
        await show.true("5 heard")
        await show.true("3 hushed")
        await show.resize(WIDTH - 7, HEIGHT - 2)
        await show.true("5 heard")
        show.rows.say(4, "at last")
        await show.true("4 at last")
        show.app.pop_screen()
        await show.true("4 at last")


async def test_with_the_colours_of_the_terminal_it_is_seen_all_the_same() -> None:
    async with shown(ansi_color=True) as show:
        show.app.theme = "ansi-dark"
        await show.push(Clear())
        await show.true("3 quiet")


async def test_a_dialog_over_another_shows_both_as_they_are() -> None:
    async with shown() as show:
        first = Dimmed()
        await show.push(first)
        await show.true("a dialog")
        await show.push(Clear())
        await show.true("a prompt")
        for turn in range(4):
            show.rows.say(2, f"while two are there, {turn}")
            await show.true(f"2 while two are there, {turn}", anew=turn > 2)
            first.refresh()
        show.app.pop_screen()
        await show.true("2 while two are there, 3")
        show.rows.say(2, "and one")
        await show.true("2 and one")


@pytest.mark.parametrize(("over", "row"), [(Full, HEIGHT - 1), (Holding, 2)])
async def test_what_changes_at_the_same_moment_as_the_room_is_written_all_the_same(
    over: Any, row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown() as show:
        base, screen = show.app.screen, over()
        await show.push(screen)
        before = screen.query_one(Rows)
        await show.true(f"{row} quiet")
        for turn in range(5):
            with monkeypatch.context() as held:
                held.setattr(Timer, "resume", lambda _: None)
                show.rows.say(0, f"behind {turn}")
                before.say(row, f"before {turn}")
                while not (base._dirty_widgets and screen._dirty_widgets):
                    await asyncio.sleep(0)
            base._on_timer_update()
            screen._on_timer_update()
            await show.true(f"{row} before {turn}")
        show.app.pop_screen()
        await show.true("0 behind 4")


async def test_only_the_rows_that_changed_are_drawn_anew(anew: list[set[int]]) -> None:
    async with shown() as show:
        await show.push(Clear())
        await show.true("a prompt")
        assert set(range(HEIGHT)) in anew
        for turn in range(5):
            anew.clear()
            show.rows.say(3, f"turn {turn}")
            while not anew:
                await show.pilot.pause()
            if turn:  # the first may find the dialog's own coming still to be drawn
                assert anew == [{3}]
