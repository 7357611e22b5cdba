"""What one pane shows of a ring: filtered, scrolled, searched, never for long at a time.

The pane calls `work(budget)` from its loop. New lines are matched first, then the history from
the newest line back, so the first screen is there at once and the rest follows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warroom.logs.decode import Line, decode
from warroom.logs.filters import LevelFilter, Query, Scanner
from warroom.logs.level import LogLevel
from warroom.logs.matches import Matches
from warroom.logs.patterns import TooSlow
from warroom.logs.ring import Block, LogRing, Raw

BUDGET_S: Final = 0.005
RATE_WINDOW_S: Final = 5.0
_PRUNE_AFTER: Final = 50_000
ERRORS: Final = Query((LevelFilter("level:error", LogLevel.ERROR),))


@dataclass(frozen=True, slots=True)
class Counts:
    """`matched` of `total` lines kept; `complete` when the whole history was matched.

    `dropped` lines fell out of the ring since it began, `fallen` of them since the view was
    paused; `newer` shown lines lie below a paused view; `rate` is lines a second that arrived
    over the last 5 s.
    """

    matched: int
    total: int
    dropped: int
    complete: bool
    newer: int
    fallen: int
    rate: float


@dataclass(frozen=True, slots=True)
class Seek:
    """How a search ended: `number` found, or `resume` from there with the next call, or neither:
    there is no such line."""

    number: int | None = None
    resume: int | None = None


class LogView:
    """A pane's own look at a ring; several may look at one ring."""

    def __init__(self, ring: LogRing) -> None:
        self.ring = ring
        self.query = Query()
        self.fault = ""
        """One plain line when a filter had to be stopped."""
        self.bottom: int | None = None
        """Number of the lowest line shown; None while following."""
        self.still = 0
        """The newest line there was when somebody last moved: a view that stands shows no newer."""
        self._paused_at = 0
        self._start_over()

    def _start_over(self) -> None:
        self._matches = Matches()
        self._scanner = Scanner(self.query)
        self._upto = self.ring.last  # every number up to here, and above _downto, is matched
        self._downto = self.ring.last + 1
        self._pruned_at = self.ring.evicted

    # -- filters

    def filter(self, query: Query) -> None:
        """Show what `query` keeps from now on; matching begins again, newest first."""
        self.query = query
        self.fault = ""
        self._start_over()

    def work(self, budget_s: float = BUDGET_S) -> bool:
        """Match lines for about `budget_s` seconds; True while there is more to do."""
        if not self.query:
            return False
        until = time.perf_counter() + budget_s
        self._prune()
        try:
            while self._match_newer() or self._match_older():
                if time.perf_counter() >= until:
                    return self._upto < self.ring.last or self._downto > self.ring.first
        except TooSlow:
            self.query = Query()
            self.fault = "the pattern took too long on hostile lines and was taken off"
        return False

    def _match_newer(self) -> bool:
        """One step forward; False when there is nothing new."""
        if self._upto >= self.ring.last:
            return False
        block = self.ring.block_from(self._upto + 1)
        if block is None:
            self._upto = self.ring.last
            return False
        low = block.line_from(self._upto + 1)
        high = min(block.count, low + self._scanner.step(block))
        self._matches.grow_newer(self._scanner.scan(block, low, high))
        self._upto = block.number(high - 1)
        return True

    def _match_older(self) -> bool:
        """One step back; False when the oldest line is reached."""
        block = self.ring.block_before(self._downto)
        if block is None:
            self._downto = self.ring.first
            return False
        high = block.line_from(self._downto)
        low = max(0, high - self._scanner.step(block))
        self._matches.grow_older(self._scanner.scan(block, low, high))
        self._downto = block.number(low)
        return True

    def _prune(self) -> None:
        """Forget lines that fell out, now and then: it costs a look at every run kept."""
        lost = self.ring.evicted - self._pruned_at
        if lost > max(_PRUNE_AFTER, len(self._matches) // 2):
            self._matches.keep((run.first, run.first + run.count - 1) for run in self.ring.runs())
            self._pruned_at = self.ring.evicted

    # -- position

    @property
    def following(self) -> bool:
        return self.bottom is None

    def pause(self, at: int | None = None) -> None:
        """Stand still with line `at` (or the newest) lowest."""
        if self.bottom is None:
            self._paused_at = self.ring.evicted
        self.still = self.ring.last
        self.bottom = self.ring.last if at is None else at

    def follow(self) -> None:
        """Show the newest line, and go on showing it."""
        self.bottom = None

    def scroll(self, lines: int, height: int) -> None:
        """Move by that many shown lines, down when positive; the newest line follows again."""
        bottom = self.ring.last if self.bottom is None else self.bottom
        if lines < 0:
            above = list(self._take(self._up(bottom), height - lines))
            moved = above[: len(above) - height + 1][-1:] if len(above) >= height else above[:1]
            if moved:
                self.pause(moved[0].number)
            return
        for raw in self._take(self._down(bottom + 1), lines):
            bottom = raw.number
        if next(self._down(bottom + 1), None) is None:
            self.follow()
        else:
            self.pause(bottom)

    def top(self, height: int) -> None:
        """Show the oldest lines."""
        first = list(self._take(self._down(self.ring.first), height))
        if first:
            self.pause(first[-1].number)

    def window(self, bottom: int | None, height: int) -> list[Line]:
        """Up to `height` shown lines, ascending, the lowest numbered `bottom` or less.

        None means the newest, with unfinished lines that have waited below them. Where there is
        too little above, lines below fill the window.
        """
        if bottom is None:
            tails = self._tails()[:height]
            lines = self._take(self._up(self.ring.last), height - len(tails))
            return [*reversed([decode(raw) for raw in lines]), *tails]
        above = [decode(raw) for raw in self._take(self._up(bottom), height)]
        above.reverse()
        below = self._take(self._down(bottom + 1), height - len(above))
        return above + [decode(raw) for raw in below]

    def lines(self, height: int) -> list[Line]:
        """The window where the view stands."""
        return self.window(self.bottom, height)

    def above(self, number: int | None, count: int) -> list[Raw]:
        """The last `count` shown lines numbered `number` (None: the newest) or less, ascending."""
        last = self.ring.last if number is None else number
        return list(self._take(self._up(last), count))[::-1]

    def below(self, number: int, count: int) -> list[Raw]:
        """The first `count` shown lines after `number`, ascending."""
        return list(self._take(self._down(number + 1), count))

    def shows(self, number: int) -> bool:
        """Whether the line of that number is kept and passes."""
        raw = self.ring.get(number)
        return raw is not None and self._keeps(raw)

    def tails(self) -> list[Raw]:
        """Unfinished lines that have waited and pass, in the order of their arrival."""
        tails = sorted(self.ring.tails.values(), key=lambda raw: raw.at)
        return [raw for raw in tails if self._keeps(raw)]

    def _tails(self) -> list[Line]:
        return [decode(raw, partial=True) for raw in self.tails()]

    def _keeps(self, raw: Raw) -> bool:
        try:
            return self.query.keeps(raw.data, raw.source)
        except TooSlow:
            return False

    @staticmethod
    def _take(raws: Iterator[Raw], count: int) -> Iterator[Raw]:
        for _ in range(count):
            raw = next(raws, None)
            if raw is None:
                return
            yield raw

    def _up(self, number: int) -> Iterator[Raw]:
        """Shown lines numbered `number` or less, newest first."""
        if not self.query:
            yield from self.ring.backward(number)
            return
        for index in range(self._matches.rank(number) - 1, -1, -1):
            raw = self.ring.get(self._matches[index])
            if raw is not None:
                yield raw

    def _down(self, number: int) -> Iterator[Raw]:
        """Shown lines numbered `number` or more, oldest first."""
        if not self.query:
            yield from self.ring.forward(number)
            return
        for index in range(self._matches.rank(number - 1), len(self._matches)):
            raw = self.ring.get(self._matches[index])
            if raw is not None:
                yield raw

    # -- search

    def seek(self, query: Query, start: int, step: int, budget_s: float = BUDGET_S) -> Seek:
        """The first shown line from `start` on (`step` +1 down, -1 up) that `query` keeps.

        Looks for about `budget_s` seconds; call again with `start=resume` when it says so.
        """
        until = time.perf_counter() + budget_s
        number, scanner = start, Scanner(query)
        try:
            while (block := self._block(number, step)) is not None:
                low, high = self._stretch(block, number, step, query.step)
                found = scanner.scan(block, low, high)
                for candidate in found if step > 0 else reversed(found):
                    raw = self.ring.get(candidate)
                    if raw is not None and self.query.keeps(raw.data, raw.source):
                        return Seek(number=candidate)
                number = block.number(high - 1) + 1 if step > 0 else block.number(low) - 1
                if time.perf_counter() >= until:
                    return Seek(resume=number)
        except TooSlow:
            self.fault = "the pattern took too long on hostile lines; the search was stopped"
        return Seek()

    def next_error(self, start: int, step: int = 1, budget_s: float = BUDGET_S) -> Seek:
        """Like `seek`, for lines of level error or worse."""
        return self.seek(ERRORS, start, step, budget_s)

    def _block(self, number: int, step: int) -> Block | None:
        return self.ring.block_from(number) if step > 0 else self.ring.block_before(number + 1)

    @staticmethod
    def _stretch(block: Block, number: int, step: int, size: int) -> tuple[int, int]:
        if step > 0:
            low = block.line_from(number)
            return low, min(block.count, low + size)
        high = block.line_from(number + 1)
        return max(0, high - size), high

    def oldest(self) -> Raw | None:
        """The oldest line shown."""
        return next(self._down(self.ring.first), None)

    def since(self, at: float) -> Raw | None:
        """The first shown line that arrived at `at` (seconds since the epoch) or later."""
        number = self.ring.first_since(at)
        return None if number is None else next(self._down(number), None)

    # -- figures

    def counts(self, now: float) -> Counts:
        """Figures for the pane's title; `now` in seconds since the epoch."""
        shown = len(self._matches) if self.query else self.ring.count
        newer = 0
        if self.bottom is not None:
            newer = (
                shown - self._matches.rank(self.bottom)
                if self.query
                else max(0, self.ring.last - self.bottom)
            )
        return Counts(
            matched=shown,
            total=self.ring.count,
            dropped=self.ring.evicted,
            complete=not self.query
            or (self._upto >= self.ring.last and self._downto <= self.ring.first),
            newer=newer,
            fallen=0 if self.bottom is None else self.ring.evicted - self._paused_at,
            rate=self.rate(now),
        )

    def rate(self, now: float) -> float:
        """Lines a second that arrived lately, as of `now`."""
        return self.ring.arrived_since(now - RATE_WINDOW_S) / RATE_WINDOW_S
