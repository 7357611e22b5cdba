"""What logs held before they were followed, in the order in which it was written.

Each log gives its last lines when it is opened, one sooner than another. They are held until all
have given theirs, a moment at most, and shown in one row; what comes meanwhile waits behind them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

WAIT_S: Final = 0.4
"""How long the lines of one log wait for those of another."""

Keep = Callable[[], None]
"""Puts lines into the ring."""


class Backlogs:
    """Of the logs with those indices; a single one waits for nobody."""

    def __init__(self, logs: Iterable[int] = ()) -> None:
        expected = set(logs)
        self._missing = expected if len(expected) > 1 else set()
        self._old: dict[int, list[tuple[float, Keep]]] = {}
        self._fresh: list[Keep] = []

    def old(self, log: int, written: float, keep: Keep) -> None:
        """A line that was there before, and when it was written: seconds since the epoch, never
        less than of the line before it in that log."""
        if self._missing:
            self._old.setdefault(log, []).append((written, keep))
        else:
            keep()

    def fresh(self, keep: Keep) -> None:
        """Lines that came since."""
        if self._missing:
            self._fresh.append(keep)
        else:
            keep()

    def given(self, log: int) -> None:
        """That log has given all it held, or cannot."""
        if self._missing:
            self._missing.discard(log)
            if not self._missing:
                self.release()

    def release(self) -> None:
        """Wait no longer."""
        self._missing.clear()
        old, self._old, fresh, self._fresh = self._old, {}, self._fresh, []
        for _, keep in heapq.merge(*old.values(), key=itemgetter(0)):
            keep()
        for keep in fresh:
            keep()
