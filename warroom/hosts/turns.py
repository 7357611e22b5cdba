"""Whose turn it is: a responder's key goes before the data that keeps coming.

What goes on for long is done in steps of a few milliseconds, with `await turn()` between them. A
key takes a dozen turns of the loop from the terminal to the screen: a step of a flood in each of
them would make it late, so while a key is on its way the steps wait, and have their turn then.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

PATIENCE_S: Final = 0.03
"""How long data waits at most for one key: not every key has something drawn."""
_LOOK_S: Final = 0.001


class _Way:
    """The way of keys through this process. They are read and answers written by threads: each
    value is replaced as a whole."""

    def __init__(self) -> None:
        self.free_at = 0.0  # of the monotonic clock
        self._next_at = 0.0
        self._owed = 0  # paintings until the key's own
        self._under_way = self._answered = False

    def key_came(self) -> None:
        now = time.monotonic()
        if now >= self._next_at:
            self._owed, self._answered = 1 + self._under_way, False
            self.free_at = now + PATIENCE_S
            self._next_at = now + 2 * PATIENCE_S  # keys for which nothing is drawn starve nobody

    def to_be_drawn(self) -> None:
        self._under_way = True

    def was_drawn(self) -> None:
        self._under_way = False
        self._owed -= 1
        self._answered = self._owed <= 0

    def was_written(self) -> None:
        if self._answered:
            self.free_at = self._next_at = 0.0


_WAY: Final = _Way()


def key_came() -> None:
    """A key was read from the terminal."""
    _WAY.key_came()


def to_be_drawn() -> None:
    """Data will be drawn, whatever key comes."""
    _WAY.to_be_drawn()


def was_drawn() -> None:
    """The screen was drawn: what is written from now on answers a key that came before."""
    _WAY.was_drawn()


def was_written() -> None:
    """The terminal was written to."""
    _WAY.was_written()


async def turn() -> None:
    """Let others have their turn, and a key on its way come to the screen."""
    await asyncio.sleep(0)
    while time.monotonic() < _WAY.free_at:  # noqa: ASYNC110 - time ends it, too
        await asyncio.sleep(_LOOK_S)
