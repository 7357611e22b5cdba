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
LEFT_S: Final = 0.01
"""How long it waits yet after something was drawn: that may have been under way before the key."""
_LOOK_S: Final = 0.001


class _Way:
    """The way of keys through this process. Set by the threads of the terminal, too: each value is
    replaced as a whole."""

    def __init__(self) -> None:
        self.free_at = 0.0  # of the monotonic clock
        self.next_at = 0.0

    def key_came(self) -> None:
        now = time.monotonic()
        if now >= self.next_at:
            self.free_at = now + PATIENCE_S
            self.next_at = now + 2 * PATIENCE_S  # keys that nothing is drawn for must not starve it

    def was_drawn(self) -> None:
        self.free_at = min(self.free_at, time.monotonic() + LEFT_S)
        self.next_at = 0.0


_WAY: Final = _Way()


def key_came() -> None:
    """A key was read from the terminal."""
    _WAY.key_came()


def was_drawn() -> None:
    """The terminal was written to: the key is answered."""
    _WAY.was_drawn()


async def turn() -> None:
    """Let others have their turn, and a key on its way come to the screen."""
    await asyncio.sleep(0)
    while time.monotonic() < _WAY.free_at:  # noqa: ASYNC110 - threads end it, and time does
        await asyncio.sleep(_LOOK_S)
