"""What is seen behind a dialog is what is there, and only what changed is drawn anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pyte
import pytest
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Label

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


Picture = list[list[Any]]
"""Each row of a terminal: its cells, with what they look like."""


class Sheet:
    """A terminal that shows what was written to it, and no more."""

    def __init__(self, size: Size) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)

    def write(self, sequence: str) -> None:
        self._stream.feed(sequence.replace("\n", "\r\n"))

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    @property
    def picture(self) -> Picture:
        width, height = self._screen.columns, self._screen.lines
        return [[self._screen.buffer[y][x] for x in range(width)] for y in range(height)]


class Stage(App[None]):
    """An app, and the terminal that it is on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.terminal = Sheet(Size(WIDTH, HEIGHT))

    def get_default_screen(self) -> Base:
        return Base()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.terminal.write(renderable.render_segments(self.console))
        super()._display(screen, renderable)

    def drawn(self) -> Picture:
        """What its screen looks like now, all of it."""
        whole: Any = self.screen._compositor.render_update(
            full=True, screen_stack=self._background_screens
        )
        sheet = Sheet(self.size)
        sheet.write(whole.render_segments(self.console))
        return sheet.picture


async def true(pilot: Pilot[None], text: str) -> None:
    """`text` was written, beside all that there is; drawn from nothing it is the same."""
    app = pilot.app
    assert isinstance(app, Stage)
    assert await comes_true(lambda: text in app.terminal.text), app.terminal.text
    await pilot.pause()
    seen = app.drawn()
    assert app.terminal.picture == seen
    for screen in app.screen_stack:
        screen.refresh()
        if isinstance(screen, Dialog):
            screen._behind = None
    await pilot.pause()
    assert app.drawn() == seen


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[int]]]:
    """Rows that were drawn anew behind a dialog, time after time."""
    found: list[set[int]] = []
    own = Behind._changed

    def told(self: Behind, height: int) -> set[int]:
        found.append(own(self, height))
        return found[-1]

    monkeypatch.setattr(Behind, "_changed", told)
    yield found


@pytest.mark.parametrize("dialog", [Dimmed, Clear])
async def test_what_changes_behind_a_dialog_is_seen_there(dialog: Any) -> None:
    async with Stage().run_test(size=(WIDTH, HEIGHT)) as pilot:
        assert isinstance(pilot.app, Stage)
        rows = pilot.app.query_one(Rows)
        pilot.app.push_screen(dialog())
        await true(pilot, "3 quiet")
        rows.say(3, "loud")
        await true(pilot, "3 loud")
        rows.say(3, "hushed")
        rows.say(5, "heard")
        await true(pilot, "5 heard")
        await true(pilot, "3 hushed")
        pilot.app.terminal = Sheet(Size(WIDTH - 7, HEIGHT - 2))
        await pilot.resize_terminal(WIDTH - 7, HEIGHT - 2)
        await true(pilot, "5 heard")
        rows.say(4, "at last")
        await true(pilot, "4 at last")
        pilot.app.pop_screen()
        await true(pilot, "4 at last")


async def test_with_the_colours_of_the_terminal_it_is_seen_all_the_same() -> None:
    async with Stage(ansi_color=True).run_test(size=(WIDTH, HEIGHT)) as pilot:
        pilot.app.theme = "ansi-dark"
        pilot.app.push_screen(Clear())
        await true(pilot, "3 quiet")


async def test_a_dialog_over_another_shows_both_as_they_are() -> None:
    async with Stage().run_test(size=(WIDTH, HEIGHT)) as pilot:
        rows = pilot.app.query_one(Rows)
        pilot.app.push_screen(Dimmed())
        await true(pilot, "a dialog")
        pilot.app.push_screen(Clear())
        await true(pilot, "a prompt")
        rows.say(2, "while two are there")
        await true(pilot, "2 while two are there")
        pilot.app.pop_screen()
        await true(pilot, "2 while two are there")
        rows.say(2, "and one")
        await true(pilot, "2 and one")


@pytest.mark.parametrize(("over", "row"), [(Full, HEIGHT - 1), (Holding, 2)])
async def test_what_changes_at_the_same_moment_as_the_room_is_written_all_the_same(
    over: Any, row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Stage().run_test(size=(WIDTH, HEIGHT)) as pilot:
        base, screen = pilot.app.screen, over()
        behind = base.query_one(Rows)
        await pilot.app.push_screen(screen)
        before = screen.query_one(Rows)
        await true(pilot, f"{row} quiet")
        for turn in range(5):
            with monkeypatch.context() as held:
                held.setattr(Timer, "resume", lambda _: None)
                behind.say(0, f"behind {turn}")
                before.say(row, f"before {turn}")
                while not (base._dirty_widgets and screen._dirty_widgets):
                    await asyncio.sleep(0)
            base._on_timer_update()
            screen._on_timer_update()
            await true(pilot, f"{row} before {turn}")
        pilot.app.pop_screen()
        await true(pilot, "0 behind 4")


async def test_only_the_rows_that_changed_are_drawn_anew(drawn: list[set[int]]) -> None:
    async with Stage().run_test(size=(WIDTH, HEIGHT)) as pilot:
        rows = pilot.app.query_one(Rows)
        pilot.app.push_screen(Clear())
        await true(pilot, "a prompt")
        assert set(range(HEIGHT)) in drawn
        for turn in range(5):
            drawn.clear()
            rows.say(3, f"turn {turn}")
            while not drawn:
                await pilot.pause()
            if turn:  # the first may find the dialog's own coming still to be drawn
                assert drawn == [{3}]
