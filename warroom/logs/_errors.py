"""How many lines of a batch are errors, within a bounded share of the processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from warroom.logs.decode import without_colours
from warroom.logs.level import LOOKED_AT, LogLevel, level_of
from warroom.logs.split import Batch

A_SECOND: Final = 5_000
"""Lines whose level is read within a second: about 10 ms of work."""
_LEAST: Final = 50


class ErrorCount:
    """Reads the level of every line, and in a flood of some, evenly spread: then it estimates."""

    def __init__(self) -> None:
        self._second, self._left = 0, A_SECOND

    def of(self, batch: Batch, now: float) -> tuple[int, bool]:
        """Lines of level error or worse, and whether that is an estimate."""
        if int(now) != self._second:
            self._second, self._left = int(now), A_SECOND
        lines = batch.lines()
        step = -(-len(lines) // max(self._left, _LEAST))
        read = lines[::step] if step > 1 else lines
        self._left = max(0, self._left - len(read))
        found = sum(is_error(line) for line in read)
        return round(found * len(lines) / len(read)) if read else 0, step > 1


def is_error(line: bytes) -> bool:
    """Whether `line` says that it is of level error or worse."""
    return level_of(without_colours(line[:LOOKED_AT])) >= LogLevel.ERROR


def errors_among(results: Sequence[bytes]) -> int:
    """Answers of class 5xx among ` STATUS SIZE `."""
    return sum(result.lstrip()[:1] == b"5" for result in results)
