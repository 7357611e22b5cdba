"""What is seen behind a dialog is what is there, and only what changed is drawn anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Label

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


class Dimmed(Dialog[None]):
    DEFAULT_CSS = "Dimmed { background: black 50%; align: center middle; } Label { width: 9; }"

    def compose(self) -> ComposeResult:
        yield Label("a dialog")


class Clear(Dialog[None]):
    """As a prompt is: nothing between what it holds and what is behind it."""

    DEFAULT_CSS = "Clear { background: transparent; align: left bottom; }"

    def compose(self) -> ComposeResult:
        yield Label("a prompt")


class Stage(App[None]):
    def get_default_screen(self) -> Base:
        return Base()


def picture(app: App[None]) -> list[list[tuple[str, str]]]:
    """Each row of the screen: pieces of text, and how they look."""
    rendered = app.screen._compositor.render_update(
        full=True, screen_stack=app._background_screens, simplify=True
    )
    lines = app.console.render_lines(rendered, pad=False)
    return [[(piece.text, str(piece.style)) for piece in line] for line in lines]


async def true(pilot: Pilot[None], text: str) -> None:
    """`text` is seen, and a picture that is drawn from nothing is the same one."""
    await pilot.pause()
    seen = picture(pilot.app)
    assert text in "\n".join("".join(piece for piece, _ in line) for line in seen)
    for screen in pilot.app.screen_stack:
        screen.refresh()
        if isinstance(screen, Dialog):
            screen._behind = None
    await pilot.pause()
    assert picture(pilot.app) == seen


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
        rows = pilot.app.query_one(Rows)
        pilot.app.push_screen(dialog())
        await true(pilot, "3 quiet")
        rows.say(3, "loud")
        await true(pilot, "3 loud")
        rows.say(3, "hushed")
        rows.say(5, "heard")
        await true(pilot, "5 heard")
        await true(pilot, "3 hushed")
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
