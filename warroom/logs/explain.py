"""Which range explains a flood: the most special one that most of the requests come from.

Of the /16, /24, /48 and so on that hold at least half of all requests, and far more than their
busiest client, it is the smallest that still has most of what the widest has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.hosts.turns import turn
from warroom.logs.keys import FOLDS
from warroom.logs.report import telling
from warroom.logs.talkers import BUCKET_S, Talker, TalkerBy, Talkers

_LEVELS: Final[tuple[TalkerBy, ...]] = ("narrow", "range", "wide")


@dataclass(frozen=True, slots=True)
class Explained:
    """The range, and by which grouping it is found."""

    by: TalkerBy
    talker: Talker

    def holds(self, address: str) -> bool:
        """Whether an address lies in it."""
        return FOLDS[self.by](address.encode("utf-8", "replace")) == self.talker.raw


async def explained(talkers: Talkers, *, now: float, window_s: int = BUCKET_S) -> Explained | None:
    """The range behind most requests of a window; None where no range says more than its busiest
    client does. Each size is a look of its own, between which others get their turn."""
    alone = talkers.top("ip", 1, now=now, window_s=window_s)
    found = []
    for by in _LEVELS:
        await turn()
        largest = talkers.top(by, 1, now=now, window_s=window_s)
        found += [Explained(by, talker) for talker in largest]
    place = telling([one.talker.share for one in found], alone[0].share if alone else 0.0)
    return None if place is None else found[place]
