"""Whether somebody has read what a key confirms, and meant that key.

Keys that were typed before it could be read, that came in one piece (a paste, or all that was typed
into a line that had stood still), that repeat because one is held down, or that were typed while
this process was stopped (ctrl+z, SIGSTOP, a sleeping machine) confirm nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

TICK_S: Final = 0.1
"""How often `tick` is to be called."""
STILL_S: Final = 1.0
"""A process that did not tick for so long stood still."""
HOLD_S: Final = 0.15
"""A key that comes again within this is held down: terminals repeat ten to forty times a second."""
FASTEST_S: Final = 0.012
"""Seconds for a character; the fastest typists need five times as long."""

EARLY: Final = "typed before the card was shown: read it, then press again"
STOOD: Final = "typed while this console stood still: read the card, then press again"
PIECE: Final = "that came in one piece, like a paste: type it"
HELD: Final = "a key is held down: let it go, then press once"


class Attention:
    """Belongs to one card. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since = self._ticked = now()
        self._why = EARLY
        self._keys: list[float] = []
        self._pressed: float | None = None
        self.pasted = False

    def shown(self) -> None:
        """From now on it can be read."""
        self._since = self._ticked = self._now()

    def tick(self) -> None:
        """This process is running; what it has not read while it stood still begins anew."""
        now = self._now()
        if now - self._ticked > STILL_S:
            self._since, self._why = now, STOOD
            self._keys.clear()
        self._ticked = now

    def key(self, at: float) -> None:
        """A key arrived, by the same clock."""
        self.tick()
        self._keys = [*self._keys[-200:], at]
        self._pressed = at

    def doubt(self, word: str, deaf_s: float) -> str:
        """Why the key that was pressed just now confirms nothing; empty when it was meant."""
        self.tick()
        pressed, self._pressed = self._pressed, None
        now = self._now()
        # When it was pressed counts: a busy machine may come to it long after that.
        if deaf_s and min(now, now if pressed is None else pressed) - self._since < deaf_s:
            return self._why
        if self.pasted:
            return PIECE
        typed = self._keys[-len(word) - 1 :]
        at_once = len(typed) > 2 and typed[-1] - typed[0] < FASTEST_S * (len(typed) - 1)
        return PIECE if deaf_s and word and at_once else ""
