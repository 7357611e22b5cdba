"""The rows that a pane shows of its view: whole entries, folded or not, counted honestly.

A row is looked for among the lines that are shown and some around them, at most `LOOKED_AT`: where
one goes on beyond them its count says "at least".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from warroom.logs.fold import Entry, begin, folded, repeated
from warroom.logs.ring import LogRing, Raw
from warroom.logs.view import LogView

LOOKED_AT: Final = 1000
_AROUND: Final = 40
"""Lines beyond those that fill the screen that are looked at first."""
_CONTEXT: Final = 200
"""Lines above in which the beginning of an entry is looked for."""
_ASTRAY: Final = 200
"""Lines of other sources in between, after which the rest of a trace is not looked for."""


@dataclass(slots=True)
class Folding:
    """Which lines a pane takes together: `traces` under their message, `repeats` as one; `opened`
    has the numbers of the entries that somebody wants to see line by line."""

    traces: bool = True
    repeats: bool = True
    opened: set[int] = field(default_factory=set)


def rows(view: LogView, height: int, folding: Folding, *, at: int | None = None) -> list[Entry]:
    """The lowest `height` rows that begin at line `at` or above (None: the newest, with unfinished
    lines below them), ascending. Where there is too little above, those below fill the screen."""
    tails = [Entry((raw,), partial=True) for raw in view.tails()][:height] if at is None else []
    room = height - len(tails)
    found = above(view, room, folding, at)
    if at is not None and len(found) < room:
        under = below(view, room - len(found), folding, at)
        found += [row for row in under if row.last <= view.still]
    return [*found[-room:], *tails] if room else tails


def above(view: LogView, count: int, folding: Folding, at: int | None) -> list[Entry]:
    """The last `count` rows, or fewer, that begin at line `at` or above."""
    if not (folding.traces or folding.repeats):
        return [Entry((raw,)) for raw in view.above(at, count)]
    look = min(LOOKED_AT, count + _AROUND)
    while True:
        raws = view.above(at, look)
        whole = len(raws) < look
        under = [] if at is None else _before_pause(view, at)
        found = _together(view, [*raws, *under], folding)
        if found and not whole:
            found[0] = replace(found[0], at_least=True)
        if len(under) >= _AROUND and found[-1].times > 1:
            found[-1] = replace(found[-1], at_least=True)
        found = [row for row in _spread(found, folding) if at is None or row.number <= at]
        if whole or len(found) > count or look >= LOOKED_AT:
            return found[-count:] if count else []
        look = min(LOOKED_AT, 4 * look)


def _before_pause(view: LogView, at: int) -> list[Raw]:
    """Lines below `at` that may go on it."""
    return [raw for raw in view.below(at, _AROUND) if raw.number <= view.still]


def below(view: LogView, count: int, folding: Folding, at: int) -> list[Entry]:
    """The first `count` rows, or fewer, that begin below line `at`."""
    if not (folding.traces or folding.repeats):
        return [Entry((raw,)) for raw in view.below(at, count)]
    look = min(LOOKED_AT, count + _AROUND)
    over = view.above(at, _CONTEXT)
    while True:
        under = view.below(at, look)
        found = [*_spread(_together(view, [*over, *under], folding), folding)]
        found = [row for row in found if row.number > at]
        if len(under) < look or len(found) > count or look >= LOOKED_AT:
            return found[:count]
        look = min(LOOKED_AT, 4 * look)


def _together(view: LogView, raws: Sequence[Raw], folding: Folding) -> list[Entry]:
    """Each with what goes on it, and with those that say the same, where that is wanted."""
    if not folding.traces:
        entries = [Entry((raw,)) for raw in raws]
    elif view.query:
        entries = _with_rest(view.ring, raws)
    else:
        entries = folded(raws)
    return repeated(entries) if folding.repeats else entries


def _spread(entries: Sequence[Entry], folding: Folding) -> Sequence[Entry]:
    """What was opened line by line, in the order in which they came."""
    if not any(entry.folds and entry.number in folding.opened for entry in entries):
        return entries
    found: list[Entry] = []
    for entry in entries:
        found += entry.opened() if entry.number in folding.opened else (entry,)
    return sorted(found, key=lambda row: row.number)


def _with_rest(ring: LogRing, raws: Sequence[Raw]) -> list[Entry]:
    """A filter that keeps a message hides its trace: it is looked for in the ring."""
    entries: list[Entry] = []
    had: set[int] = set()
    for raw in raws:
        if raw.number not in had:
            entry = _whole(ring, raw)
            had.update(line.number for line in entry.more)
            entries.append(entry)
    return entries


def _whole(ring: LogRing, raw: Raw) -> Entry:
    growing, astray = begin(raw), 0
    for line in ring.forward(raw.number + 1):
        if line.source != raw.source:
            astray += 1
        elif not growing.add(line) or len(growing.lines) >= LOOKED_AT:
            break
        if astray > _ASTRAY:
            break
    return growing.entries()[0]
