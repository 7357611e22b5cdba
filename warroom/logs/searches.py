"""Searches that are always on: how often lines come that somebody wants to know of."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from warroom.config.settings import SearchEntry
from warroom.logs.filters import BadFilter, Page, Query, parse_filter
from warroom.logs.patterns import TooSlow
from warroom.logs.split import Batch

if TYPE_CHECKING:
    from warroom.logs.chipped import Fields

BUCKET_S: Final = 5
WINDOW_S: Final = 60
_LINE: Final = 4096
TOO_SLOW: Final = "its pattern took too long on hostile lines and was taken off"


def query_of(entry: SearchEntry, names: Sequence[str], logs: Fields | None = None) -> Query:
    """What `entry` looks for in logs of these names, whose lines `logs` reads. Raises BadFilter."""
    ins = [parse_filter(str(entry.find), names, logs)]
    if entry.log:
        ins.append(parse_filter(f"source:{entry.log}", names))
    outs = (parse_filter(str(entry.hide), names, logs),) if entry.hide else ()
    return Query(tuple(ins), outs)


@dataclass(slots=True)
class Search:
    """One search. `total` lines since the console opened; `last` is the newest of them, as it
    came; `fault` one plain line when it had to be stopped."""

    name: str
    query: Query
    total: int = 0
    last: bytes = b""
    fault: str = ""
    _counts: deque[tuple[int, int]] = field(default_factory=deque)

    def take(self, page: Page, lines: int, at: float) -> None:
        """Look through lines that arrived at `at`, seconds since the epoch."""
        if self.fault:
            return
        try:
            found = self.query.pick(page, range(lines))
        except TooSlow:
            self.fault = TOO_SLOW
            return
        if found:
            self.last = page.lines[found[-1]][:_LINE]
            self._add(len(found), at)

    def _add(self, lines: int, at: float) -> None:
        self.total += lines
        start = int(at) // BUCKET_S
        if self._counts and self._counts[-1][0] >= start:
            start, before = self._counts.pop()
            lines += before
        self._counts.append((start, lines))
        self._forget(at)

    def _forget(self, now: float) -> None:
        oldest = int(now) // BUCKET_S - WINDOW_S // BUCKET_S
        while self._counts and self._counts[0][0] <= oldest:
            self._counts.popleft()

    def rate(self, now: float) -> int:
        """Lines of the last minute, as of `now`, to within `BUCKET_S` seconds."""
        self._forget(now)
        return sum(lines for _, lines in self._counts)


def _search(entry: SearchEntry, names: Sequence[str], logs: Fields | None) -> Search:
    """The search for `entry`, stopped where it wants what is not there (a database of places)."""
    try:
        return Search(str(entry.name), query_of(entry, names, logs))
    except BadFilter as error:
        return Search(str(entry.name), Query(), fault=str(error))


class Searches:
    """All of them; a batch is made ready for filters once."""

    def __init__(
        self, entries: Sequence[SearchEntry], names: Sequence[str], logs: Fields | None = None
    ) -> None:
        self.all = tuple(_search(entry, names, logs) for entry in entries)

    def take(self, source: int, batch: Batch, at: float) -> None:
        """Lines of one source came; those that were there before are none of them."""
        if self.all:
            page = Page(batch.data, lambda _: source)
            for search in self.all:
                search.take(page, batch.count, at)
