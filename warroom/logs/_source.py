"""One followed log between its chunks and the ring."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from sys import maxsize
from typing import Final

from warroom.config.settings import LogEntry
from warroom.domain.text import shorten
from warroom.logs._backlogs import Backlogs
from warroom.logs._errors import ErrorCount, errors_among
from warroom.logs._look import Look
from warroom.logs.decode import text_of
from warroom.logs.fold import own_time, zoned_time
from warroom.logs.formats.base import Format
from warroom.logs.histogram import Histogram
from warroom.logs.journald import JournalText
from warroom.logs.ring import LogRing, Raw
from warroom.logs.searches import Searches
from warroom.logs.sources import LAST, unseen
from warroom.logs.split import Batch, Splitter, batch_of
from warroom.logs.talkers import Talkers
from warroom.logs.trust import Trust

SHOW_TAIL_S: Final = 1.0
"""Seconds after which an unfinished line is shown as it is."""
BACKLOG_S: Final = 0.5
"""Seconds from the first data on in which what comes may be from before."""
FIRST_S: Final = 5.0
"""Seconds after opening in which what a command or an engine says first may be from before: PM2 and
a large journal take their time."""
RATE_S: Final = 5.0
_WORDS: Final = 120


def _named(entry: LogEntry) -> Format | None:
    """The format that the config names for a log, if it does."""
    if not entry.format:
        return None
    from warroom.logs.formats.own import chosen

    return chosen(entry.format)


def _written(raw: Raw, said: float | None) -> float:
    """About when a line was written, to put it among those of other logs: a time without a zone is
    taken as UTC there; a line without any goes with the one before."""
    if said is None:
        said = own_time(raw)
    return -inf if said is None else said


@dataclass(frozen=True, slots=True)
class Counting:
    """Who counts the lines of every log as they come, and where those wait that were there."""

    talkers: Talkers
    histogram: Histogram
    searches: Searches
    backlogs: Backlogs = field(default_factory=Backlogs)


class Source:
    """Splits, keeps and counts one log. Times are seconds since the epoch.

    What was there before following began is shown but not counted. When the log was opened again
    after a fault, the lines already known are left out, the others shown and counted.
    """

    def __init__(self, index: int, entry: LogEntry, ring: LogRing, counting: Counting) -> None:
        self.index, self.entry = index, entry
        self.last_at: float | None = None
        self.rate = 0.0
        self.counted_from = 0
        """Number of the first line that is counted: those before it were there already."""
        self.journal = JournalText()
        self._ring, self._counting = ring, counting
        self._errors = ErrorCount()
        self._splitter = Splitter()
        named = _named(entry)
        self.look = Look(named, Trust(entry.trusted_proxies))
        self._old_until, self._spoke = 0.0, False  # what came until then may be from before
        self._last: Batch | None = None
        self._before = 0  # lines that may still be from before
        self._written = -inf  # the latest time that such a line said
        self._known: list[bytes] = []
        self._again: list[Batch] | None = None  # held back until it is clear what is new
        self._received: deque[tuple[float, int]] = deque()

    @property
    def format(self) -> str:
        """What it was recognised as, for people."""
        return str(self.look)

    @property
    def _is_asked(self) -> bool:
        """Whether it is asked for its last `LAST` lines; a command may well begin with more."""
        entry = self.entry
        return bool(entry.path or entry.container or entry.unit)

    def began(self, now: float) -> None:
        """The log was opened."""
        # a followed file itself tells when nothing new is left, however far and slow it is
        self._old_until, self._spoke = inf if self.entry.path else now + FIRST_S, False
        self._before = LAST if self._is_asked else maxsize
        self._known = [] if self.journal.cursor else self._ring.newest(self.index, LAST)
        self._again = [] if self._known else None
        if self.journal.cursor and self.last_at is not None:
            self._before = 0  # journalctl goes on exactly where it stood

    def ended(self, now: float) -> None:
        """The log was closed: what has no end will not get one."""
        batch = self._splitter.flush()
        self._ring.tails.pop(self.index, None)
        if batch:
            self._arrived(batch, now)
        self.caught_up(now)

    def take(self, chunk: bytes, now: float) -> None:
        """Bytes came."""
        if not self._spoke and not self.entry.path:
            self._old_until = min(self._old_until, now) + BACKLOG_S
        self._spoke, self.last_at = True, now
        self._ring.tails.pop(self.index, None)
        batch = self._splitter.feed(chunk)
        if batch:
            self._arrived(batch, now)

    def caught_up(self, now: float) -> None:
        """All that was there before has come."""
        self._before = 0
        if self._again is not None:
            self._keep_unseen(self._again, now)
        self._counting.backlogs.given(self.index)

    def _keep_unseen(self, held: Sequence[Batch], now: float) -> None:
        """Of what was read again, what is not known."""
        self._again = None
        lines = [line for batch in held for line in batch.lines()]
        fresh = unseen(self._known, lines)
        if len(fresh) == len(lines):  # the last one known may have been cut by the fault
            fresh = unseen(self._known[:-1], lines)
        offset, cuts, skipped = 0, {}, len(lines) - len(fresh)
        for batch in held:
            for index, length in batch.cuts.items():
                cuts[offset + index - skipped] = length
            offset += batch.count
        self._keep(batch_of(list(fresh), {i: n for i, n in cuts.items() if i >= 0}), now)

    def tick(self, now: float, monotonic: float) -> bool:
        """Time went by; whether something to show changed."""
        self._measure(monotonic)
        self._look_at_clock(now)
        pending = self._splitter.pending
        if not pending or self.index in self._ring.tails or self.last_at is None:
            return False
        if self.look.trouble:
            return False  # half a character of what cannot be read is no line
        if now - self.last_at < SHOW_TAIL_S:
            return False
        raw = Raw(self._ring.last + 1, self.index, self.last_at, pending, len(pending))
        self._ring.tails[self.index] = raw
        return True

    def _look_at_clock(self, now: float) -> None:
        if now > self._old_until and (self._before or self._again is not None):
            self.caught_up(now)

    def _arrived(self, batch: Batch, now: float) -> None:
        self._look_at_clock(now)
        if self._again is not None:
            self._again.append(batch)
            if sum(held.count for held in self._again) >= LAST:
                self.caught_up(now)
            return
        self._keep(batch, now)

    def _keep(self, batch: Batch, now: float) -> None:
        if not batch:
            return
        self._last = batch
        skipped = min(self._before, batch.count)
        self._before -= skipped
        fresh = batch if not skipped else self._keep_old(batch, skipped, now)
        if fresh:
            self._counting.backlogs.fresh(partial(self._ring.append, self.index, now, fresh))
        self.look.at(batch)
        if fresh:
            errors, about = self._count(fresh, now)
            self._counting.histogram.add(now, fresh.count, errors, about=about)
            self._counting.searches.take(self.index, fresh, now)

    def _keep_old(self, batch: Batch, count: int, now: float) -> Batch:
        """Keep the first lines, which were there already, as of the times that they say, where
        they say them with a zone; a line that says none belongs to the one before. The others."""
        at, lines = now, batch.lines()
        for index, line in enumerate(lines[:count]):
            length = batch.cuts.get(index, len(line))
            raw = Raw(0, self.index, now, line, length)
            said = zoned_time(raw)
            at = at if said is None else min(said, now)
            self._written = max(self._written, min(_written(raw, said), now))
            one = batch_of([line], {0: length} if length > len(line) else {})
            self._counting.backlogs.old(self.index, self._written, partial(self._keep_one, at, one))
        cuts = {index - count: n for index, n in batch.cuts.items() if index >= count}
        return batch_of(lines[count:], cuts)

    def _keep_one(self, at: float, line: Batch) -> None:
        self._ring.append(self.index, at, line)
        self.counted_from = self._ring.last + 1

    def was_there(self, raw: Raw) -> bool:
        """Whether a line of this log was there before it was followed."""
        return raw.number < self.counted_from

    @property
    def last_words(self) -> str:
        """The last line that came, harmless and cut; empty while none did."""
        return shorten(text_of(self._last.lines()[-1]), _WORDS) if self._last else ""

    @property
    def asks(self) -> bool:
        """Whether its lines are requests that are counted."""
        fmt = self.look.format
        return fmt is not None and (fmt.asks if self.entry.access is None else self.entry.access)

    def _count(self, batch: Batch, now: float) -> tuple[int, bool]:
        """Feed the talkers with access lines that were not there before; how many of the lines
        are errors, and whether that is an estimate."""
        if not self.asks:
            return self._errors.of(batch, now)
        found = self.look.columns(batch.data)
        if found is None:
            return self._errors.of(batch, now)
        self._counting.talkers.feed(found, now)
        return errors_among(found.results), False

    def _measure(self, monotonic: float) -> None:
        received = self._ring.received.get(self.index, 0)
        self._received.append((monotonic, received))
        while len(self._received) > 1 and monotonic - self._received[0][0] > RATE_S:
            self._received.popleft()
        began, before = self._received[0]
        passed = monotonic - began
        self.rate = (received - before) / passed if passed > 0 else 0.0
