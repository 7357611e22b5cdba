"""A key goes where the one before it leads, however the two arrive."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label

from tests.support.waiting import comes_true
from warroom.tui import typeahead
from warroom.tui.screens.dialog import Dialog


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


class Opens(App[None]):
    """`o` opens a dialog, once it may."""

    def __init__(self) -> None:
        super().__init__()
        self._type_ahead = typeahead.TypeAhead(self, super().on_event)
        self.asked, self.obeyed = Asked(), ""
        self.may_open = asyncio.Event()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._type_ahead.take(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        self.obeyed += event.key
        if event.key == "o":
            self.run_worker(self._open(), group=typeahead.DIALOG)

    async def _open(self) -> None:
        await self.may_open.wait()
        await self.push_screen_wait(self.asked)

    def types(self, key: str) -> None:
        self.post_message(events.Key(key, key if len(key) == 1 else None))


async def turns(count: int = 50) -> None:
    """Everything that is ready to run has run."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("apart", [False, True], ids=["together", "once the first is obeyed"])
async def test_a_key_goes_where_the_one_before_it_leads(
    apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE_S", 60.0)
    app = Opens()
    async with app.run_test():
        app.types("o")
        if apart:
            assert await comes_true(lambda: app.obeyed == "o")
            await turns()
        app.types("x")
        await turns()
        assert app.obeyed == "o"
        app.may_open.set()
        assert await comes_true(lambda: app.asked.got == "x")
        assert app.obeyed == "o"


async def test_a_key_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE_S", 0.05)
    app = Opens()
    async with app.run_test():
        app.types("o")
        app.types("x")
        assert await comes_true(lambda: app.obeyed == "ox")
        app.may_open.set()


class Deep(Opens):
    """A field far down in the tree, which Enter leaves."""

    def compose(self) -> ComposeResult:
        with Vertical(), Vertical(), Vertical(), Vertical():
            yield Input()

    def on_input_submitted(self) -> None:
        self.set_focus(None)


async def test_a_key_after_enter_is_no_more_typed_into_the_field_that_enter_leaves() -> None:
    app = Deep()
    async with app.run_test():
        for key in ("a", "enter", "x"):
            app.types(key)
        assert await comes_true(lambda: app.obeyed.endswith("x"), 5.0), app.query_one(Input).value
        assert app.query_one(Input).value == "a"
