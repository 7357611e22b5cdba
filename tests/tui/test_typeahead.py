"""A key waits for what the one before it opens, however busy the machine is."""

from __future__ import annotations

import asyncio
import time

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Label

from warroom.tui.screens.dialog import Dialog
from warroom.tui.typeahead import DIALOG, PATIENCE, TURN_S, TypeAhead

STEP_S = 0.05


class Asked(Dialog[None]):
    """Keeps the keys that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.got = ""

    def compose(self) -> ComposeResult:
        yield Label("what?")

    def on_key(self, event: events.Key) -> None:
        self.got += event.key
        event.stop()


class Slow(App[None]):
    """`o` opens a dialog after some steps, of which each holds the loop, or only waits."""

    def __init__(self, steps: int, *, holding: bool) -> None:
        super().__init__()
        self._steps, self._holding = steps, holding
        self._type_ahead = TypeAhead(self, super().on_event)
        self.asked, self.astray = Asked(), ""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._type_ahead.take(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        if event.key == "o":
            self.run_worker(self._open(), group=DIALOG)
        else:
            self.astray += event.key

    async def _open(self) -> None:
        for _ in range(self._steps):
            if self._holding:
                time.sleep(STEP_S)  # noqa: ASYNC251 - as a machine does that has no time for it
            await asyncio.sleep(0 if self._holding else STEP_S)
        await self.push_screen_wait(self.asked)


async def typed(app: Slow) -> None:
    async with app.run_test() as pilot:
        app.post_message(events.Key("o", "o"))
        app.post_message(events.Key("x", "x"))
        while not (app.asked.got or app.astray):
            await pilot.pause(0.02)


async def test_a_dialog_that_a_busy_machine_opens_late_gets_the_key_all_the_same() -> None:
    app = Slow(int(1.5 * PATIENCE * TURN_S / STEP_S), holding=True)
    await typed(app)
    assert (app.asked.got, app.astray) == ("x", "")


async def test_a_key_does_not_wait_for_ever_for_what_something_else_keeps_waiting() -> None:
    app = Slow(int(5 * PATIENCE * TURN_S / STEP_S), holding=False)
    await typed(app)
    assert (app.asked.got, app.astray) == ("", "x")
