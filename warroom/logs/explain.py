"""Which range explains a flood: the most special one that most of the requests come from.

Of the /16, /24, /48 and so on that hold at least half of all requests, and far more than their
busiest client, it is the smallest that still has most of what the widest has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.logs.keys import FOLDS
from warroom.logs.talkers import BUCKET_S, Talker, TalkerBy, Talkers

TELLING: Final = 0.5
"""Share of all requests from which a range is worth a word."""
MANY: Final = 1.5
"""How much more than the busiest client a range must ask."""
_MOST: Final = 2 / 3
_LEVELS: Final[tuple[TalkerBy, ...]] = ("narrow", "range", "wide")
"""From the most special to the widest."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The range, and by which grouping it is found."""

    by: TalkerBy
    talker: Talker

    def holds(self, address: str) -> bool:
        """Whether an address lies in it."""
        return FOLDS[self.by](address.encode("utf-8", "replace")) == self.talker.raw


def explained(
    talkers: Talkers, *, now: float, window_s: int = BUCKET_S, least: float = TELLING
) -> Explained | None:
    """The range behind most requests of a window; None where no range says more than its busiest
    client does."""
    alone = talkers.top("ip", 1, now=now, window_s=window_s)
    busiest = alone[0].share if alone else 0.0
    found = [
        Explained(by, talker)
        for by in _LEVELS
        for talker in talkers.top(by, 1, now=now, window_s=window_s)
        if talker.share >= max(least, MANY * busiest)
    ]
    widest = max((one.talker.share for one in found), default=0.0)
    return next((one for one in found if one.talker.share >= _MOST * widest), None)
