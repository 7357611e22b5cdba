"""A responder's key goes before data that keeps coming, and data is never starved by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from warroom.hosts import turns


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(turns, "_WAY", turns._Way())
    yield clock


class Flood:
    """Data that takes every turn it gets."""

    def __init__(self) -> None:
        self.pieces = 0
        self._task = asyncio.create_task(self._come())

    async def _come(self) -> None:
        while True:
            self.pieces += 1
            await turns.turn()

    async def goes_on(self) -> bool:
        """Whether another piece is taken while others take many turns."""
        before = self.pieces
        for _ in range(50):
            await asyncio.sleep(0.0001)
        return self.pieces > before + 1

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def test_a_flood_waits_for_a_key_until_the_screen_is_written_to(clock: Clock) -> None:
    flood = Flood()
    assert await flood.goes_on()
    turns.key_came()
    assert not await flood.goes_on()
    turns.was_written()
    assert not await flood.goes_on(), "that was something else"
    turns.was_drawn()
    assert not await flood.goes_on(), "the thread that writes needs the interpreter"
    turns.was_written()
    assert await flood.goes_on()
    await flood.end()


async def test_what_was_under_way_before_the_key_is_not_its_answer(clock: Clock) -> None:
    flood = Flood()
    turns.to_be_drawn()
    turns.key_came()
    for drawn in range(2):
        turns.was_drawn()
        turns.was_written()
        assert await flood.goes_on() == bool(drawn)
    await flood.end()


async def test_a_key_for_which_nothing_is_drawn_holds_a_flood_up_for_moments(clock: Clock) -> None:
    flood = Flood()
    turns.key_came()
    assert not await flood.goes_on()
    clock.now += turns.PATIENCE_S
    assert await flood.goes_on()
    turns.key_came()
    assert await flood.goes_on(), "somebody leans on such a key: half of the time is the flood's"
    clock.now += turns.PATIENCE_S
    turns.key_came()
    assert not await flood.goes_on()
    await flood.end()


async def test_every_key_that_is_answered_goes_first(clock: Clock) -> None:
    flood = Flood()
    for _ in range(3):
        turns.key_came()
        assert not await flood.goes_on()
        turns.was_drawn()
        turns.was_written()
        assert await flood.goes_on()
    await flood.end()
