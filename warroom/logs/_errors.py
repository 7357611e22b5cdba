"""How many lines of a batch are errors, within a bounded share of the processor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Final

from warroom.logs.decode import without_colours
from warroom.logs.level import LogLevel, level_of
from warroom.logs.split import Batch
from warroom.logs.suspects import bad_answers, suspects

A_SECOND: Final = 5_000
"""Lines whose level is read within a second: about 10 ms of work."""
_LEAST: Final = 50


class ErrorCount:
    """Reads the level of every line that may be an error, and in a flood of errors of some, evenly
    spread: then it estimates."""

    def __init__(self) -> None:
        self._second, self._left = 0, A_SECOND

    def of(self, batch: Batch, now: float) -> tuple[int, bool]:
        """Lines of level error or worse, and whether that is an estimate."""
        bad = bad_answers(batch.data, batch.count, LogLevel.ERROR)
        if bad is not None:
            return len(bad), False
        if int(now) != self._second:
            self._second, self._left = int(now), A_SECOND
        data = without_colours(batch.data)
        may = suspects(data.lower(), batch.count, LogLevel.ERROR)
        if not may:
            return 0, False
        step = -(-len(may) // max(self._left, _LEAST))
        read = may[::step]
        self._left = max(0, self._left - len(read))
        lines = data.split(b"\n")
        found = sum(level_of(lines[index]) >= LogLevel.ERROR for index in read)
        return round(found * len(may) / len(read)), step > 1


def errors_among(results: Sequence[bytes]) -> int:
    """Answers of class 5xx among ` STATUS SIZE`."""
    return sum(map(bytes.startswith, results, repeat(b" 5")))
