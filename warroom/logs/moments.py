"""When lines say that they were written, on this machine's clock.

A log's clock may be off, and its times may be written without a zone. Both show in the lines that
come while it is followed: none comes before it was written. So the least by which lines came
after the time they say is that log's offset. Lines that were there before following began say
nothing of that (they stand at the time that they say); without a zone they came far later than they
say, and do not lessen it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from warroom.logs.fold import Entry, own_time
from warroom.logs.ring import Raw

_FAR_S: Final = 15 * 3600.0
"""No zone is further from UTC: a time that is further off is of something else."""
_ZONE_S: Final = 900
_REMEMBERED: Final = 4000


class Moments:
    """Times of lines by their number, and offsets by source, both learned from what is looked at;
    `stands` says of a line that it was there before, at its own time."""

    def __init__(self, stands: Callable[[Raw], bool] = lambda _: False) -> None:
        self._stands = stands
        self._said: dict[int, float | None] = {}
        self._offsets: dict[int, float] = {}

    def learn(self, raws: Iterable[Raw]) -> None:
        """Read the times of lines; those that are known cost nothing."""
        if len(self._said) > _REMEMBERED:
            self._said.clear()
        for raw in raws:
            if raw.number not in self._said:
                said = self._said[raw.number] = own_time(raw)
                late = _FAR_S if said is None else raw.at - said
                if abs(late) < _FAR_S and not (late <= 0.0 and self._stands(raw)):
                    self._offsets[raw.source] = min(late, self._offsets.get(raw.source, late))

    def of(self, raw: Raw) -> float:
        """When `raw` was written, seconds since the epoch; its arrival where it does not say, or
        says a time to come."""
        said = self._said.get(raw.number)
        if said is None or (said >= raw.at and self._stands(raw)):
            return raw.at
        return min(raw.at, said + self._offsets.get(raw.source, 0.0))

    def wrong_s(self, source: int) -> float:
        """By how many seconds that log's clock is behind (negative: before) this machine's,
        whatever its zone."""
        offset = self._offsets.get(source, 0.0)
        return offset - round(offset / _ZONE_S) * _ZONE_S


def in_time(rows: Sequence[Entry], moments: Moments) -> list[Entry]:
    """`rows` in the order in which they were written; unfinished lines stay last."""
    moments.learn(row.newest for row in rows if not row.partial)
    return sorted(rows, key=lambda row: (row.partial, moments.of(row.newest)))
