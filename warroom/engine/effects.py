"""Whether it helped: figures of several looks before, against those after it settled. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, pstdev, pvariance
from typing import Any, Final

from warroom.probes._size import size

LOOKS: Final = 6
"""Looks before that say how much a figure moves by itself."""
_SIGMAS: Final = 2.0
_SHARE: Final = 0.05

Figures = Mapping[str, float]


class Verdict(StrEnum):
    """What became of the metrics that a mitigation should move."""

    WORKED = "worked"
    NO_EFFECT = "no effect"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Moved:
    """One metric. It counts as moved when it went further than `threshold`, which is twice the
    standard deviation of the looks before (since it jumped, where it did: see `_since_jump`), or a
    twentieth of their mean if that is more."""

    metric: str
    way: str
    before: float
    after: float
    threshold: float

    @property
    def sign(self) -> int:
        """1: the way it should go, -1: the other way, 0: no further than it moves by itself."""
        change = self.after - self.before
        if abs(change) <= self.threshold:
            return 0
        return 1 if (change < 0) is (self.way == "down") else -1

    @property
    def words(self) -> str:
        name, shown = _told(self.metric.removesuffix("_now"))
        noise = f" (±{shown(self.threshold)} is noise)" if self.threshold else ""
        return f"{name} {shown(self.before)} → {shown(self.after)}{noise}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What moved, and what that means."""

    moved: tuple[Moved, ...]

    @property
    def verdict(self) -> Verdict:
        """What went the right way counts more than what went the other."""
        signs = [one.sign for one in self.moved]
        if max(signs) > 0:
            return Verdict.WORKED
        return Verdict.WORSE if min(signs) < 0 else Verdict.NO_EFFECT

    @property
    def text(self) -> str:
        """What changed at all; everything when nothing did."""
        changed = [one for one in self.moved if one.before != one.after]
        return ", ".join(one.words for one in changed or self.moved)

    @property
    def data(self) -> dict[str, Any]:
        """As the event keeps it."""
        return {
            "verdict": self.verdict.value,
            "before": {one.metric: one.before for one in self.moved},
            "after": {one.metric: one.after for one in self.moved},
            "threshold": {one.metric: one.threshold for one in self.moved},
        }


def _since_jump(looks: Sequence[float]) -> Sequence[float]:
    """The looks since the figure jumped, where one step tells more than noise does: what broke a
    moment before somebody acted is what they acted on.

    >>> _since_jump([0, 0, 0, 0, 5, 5]), _since_jump([4, 5, 4, 5, 5, 4])
    ([5, 5], [4, 5, 4, 5, 5, 4])
    """
    splits = [(looks[:at], looks[at:]) for at in range(2, len(looks) - 1)]
    if not splits:
        return looks
    was, now = min(splits, key=lambda split: sum(len(part) * pvariance(part) for part in split))
    step = abs(fmean(now) - fmean(was))
    return now if step > _SIGMAS * max(pstdev(was), pstdev(now)) else looks


def _told(metric: str) -> tuple[str, Callable[[float], str]]:
    """A metric's name without its unit, and how its values are shown with it.

    >>> name, shown = _told("errors_percent")
    >>> name, shown(12.5)
    ('errors', '12.5%')
    """
    for suffix, shown in _UNITS.items():
        if metric.endswith(suffix):
            return metric.removesuffix(suffix).replace("_", " "), shown
    return metric.replace("_", " "), "{:.4g}".format


_UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    "_percent": "{:.3g}%".format,
    "_per_s": "{:.3g}/s".format,
    "_bytes": size,
    "_s": "{:.3g} s".format,
}


def effect(
    moves: Sequence[tuple[str, str]], before: Sequence[Figures], after: Sequence[Figures]
) -> Effect | None:
    """What `after` says against `before` (looks, oldest first); None when nothing is known.

    >>> seen = effect((("waiting", "down"),), [{"waiting": 7.0}], [{"waiting": 0.0}])
    >>> seen.verdict.value, seen.text
    ('worked', 'waiting 7 → 0 (±0.35 is noise)')
    """
    moved = []
    for metric, way in moves:
        earlier = _since_jump([look[metric] for look in before if metric in look][-LOOKS:])
        later = [look[metric] for look in after if metric in look]
        if earlier and later:
            usual = fmean(earlier)
            threshold = max(_SIGMAS * pstdev(earlier), _SHARE * abs(usual))
            moved.append(Moved(metric, way, usual, fmean(later), threshold))
    return Effect(tuple(moved)) if moved else None
