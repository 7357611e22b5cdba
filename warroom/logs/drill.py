"""Only a part of the requests: those of one client, say, and of them those for one path.

Each `Chip` names one key. The lines that are kept are counted first, as of when they came, then
those that come: so a window is exact as far back as the lines kept reach (`Drill.since`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless_bytes
from warroom.logs.columns import Columns
from warroom.logs.keys import FIELDS, GROUPINGS, By, column, fold_for
from warroom.logs.talkers import Talkers

if TYPE_CHECKING:
    from warroom.logs.places import Places
    from warroom.logs.ring import LogRing

Read = Callable[[int, bytes], Columns | None]
"""The columns of whole lines of a source; None where they are not counted."""
_REMEMBERED: Final = 50_000
_WRITTEN: Final = re.compile(r'(\w+):("(?:[^"\\]|\\.)*+"|[^\s"]\S*+)(?:\s++|\Z)')


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition: the key as it is shown."""

    by: By
    key: str

    def __str__(self) -> str:
        """As it is written in a filter.

        >>> str(Chip("path", "/user/*")), str(Chip("agent", 'curl "8"'))
        ('path:/user/*', 'agent:"curl \\\\"8\\\\""')
        """
        if self.key and not re.search(r'[\s"\\]', self.key):
            return f"{self.by}:{self.key}"
        escaped = self.key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.by}:"{escaped}"'


def parse_chips(text: str) -> tuple[Chip, ...] | None:
    """The chips that `text` writes, `ip:203.0.113.7 path:/user/*`; None when it is something else.

    >>> [str(chip) for chip in parse_chips('ip:203.0.113.7 agent:"a b"') or ()]
    ['ip:203.0.113.7', 'agent:"a b"']
    >>> parse_chips("level:error") is None, parse_chips("path:/a and more") is None
    (True, True)
    """
    chips, position = [], 0
    for match in _WRITTEN.finditer(text):
        by = next((by for by in GROUPINGS if by == match[1]), None)
        if by is None or match.start() != position:
            return None
        key = match[2]
        if key.startswith('"'):
            key = re.sub(r"\\(.)", r"\1", key[1:-1])
        chips.append(Chip(by, key))
        position = match.end()
    return tuple(chips) if chips and position == len(text) else None


class Chosen:
    """Picks the lines for which every chip holds. Raises ValueError for chips by country or
    network without `places`."""

    def __init__(self, chips: Sequence[Chip], places: Places | None = None) -> None:
        self.chips = tuple(chips)
        self._tests = [_Test(chip, places) for chip in chips]

    def places_in(self, found: Columns) -> list[int]:
        """The places of the lines that pass."""
        among: list[int] | None = None
        for test in self._tests:
            raws = column(found, test.field)
            if not raws:
                return []
            picked = enumerate(raws) if among is None else ((i, raws[i]) for i in among)
            among = [index for index, raw in picked if test[raw]]
        return list(range(found.lines)) if among is None else among

    def of(self, found: Columns) -> Columns:
        """Only the lines that pass."""
        return found.among(self.places_in(found))


class _Test(dict[bytes, bool]):
    """Whether a field as it stands has the chip's key; worked out once for each."""

    def __init__(self, chip: Chip, places: Places | None) -> None:
        super().__init__()
        self.field, self._key = FIELDS[chip.by], chip.key
        self._fold = fold_for(chip.by, places)

    def __missing__(self, raw: bytes) -> bool:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[raw] = holds = harmless_bytes(self._fold(raw)) == self._key
        return holds


class Drill:
    """Counts the lines that pass. Until `fill` is through there is nothing to see: to look would
    close the buckets of now before the lines of then are in theirs."""

    def __init__(self, chips: Sequence[Chip], of: Talkers) -> None:
        self.chips = tuple(chips)
        self.talkers, self._filled = (Talkers(of.started, of.places) for _ in range(2))
        self.since = of.started
        """Since when every line that passes is counted, seconds since the epoch."""
        self.ready = False
        self._chosen = Chosen(chips, of.places)

    def take(self, found: Columns, now: float) -> None:
        """Lines came."""
        if self.ready:
            self.talkers.feed(self._chosen.of(found), now)

    def fill(self, ring: LogRing, read: Read, begins: Callable[[int], int]) -> Iterator[None]:
        """Count what is kept, in steps of a millisecond or two; then it is ready.

        `begins` says with which line of a source counting began: earlier ones were there before.
        """
        if ring.evicted:
            self.since = next((run.at for run in ring.runs()), self.since)
            self._filled.started = max(self._filled.started, self.since)
        number = ring.first
        while (block := ring.block_from(number)) is not None:
            first, number = number, block.last + 1
            for run, data in block.pieces():
                low = max(first, begins(run.source), run.first) - run.first
                if low < run.count:
                    text = data if not low else data.split(b"\n", low)[low]
                    found = read(run.source, text)
                    if found is not None:
                        self._filled.feed(self._chosen.of(found), run.at)
            yield
        self.talkers, self.ready = self._filled, True
