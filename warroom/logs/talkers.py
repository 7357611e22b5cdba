"""Who asks most just now: exact counts within the last minutes, from lines as they arrive.

Requests are counted in buckets of ten seconds by when they arrived. A window of a minute is the
six whole buckets before now and the one under way, so it spans 60 to 70 seconds; its ranking says
exactly which, and counts are exact for that span. "Since start" adds up every bucket.

Memory is bounded: `KEYS` keys over all buckets and `LEAST` for each grouping of each bucket more,
`SINCE_KEYS` since the start, some 200 bytes each; two million different clients took 41 MiB.
A bucket that closes with more than it may hold keeps its largest keys; a count that misses some by
that says by how much at most (`short`), and a key that was among the largest all the time is
exact. Totals are always exact.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless_bytes
from warroom.logs._buckets import (
    TALKER_GROUPS,
    Bucket,
    Fresh,
    Part,
    Sum,
    TalkerBy,
    in_steps,
    largest_of,
    short_of,
    shrinking,
    thinning,
)
from warroom.logs.columns import Columns
from warroom.logs.weights import bytes_of, classes_of, count_of

if TYPE_CHECKING:
    from warroom.logs.drill import Drill
    from warroom.logs.places import Places

__all__ = ["TALKER_GROUPS", "WINDOWS", "Baseline", "Ranking", "Talker", "TalkerBy", "Talkers"]

REFUSALS: Final = (b"403", b"429", b"444")
"""How who is blocked or limited is answered: RFC 9110, section 15.5.4; RFC 6585, section 4; nginx,
which closes the connection and writes 444."""
BUCKET_S: Final = 10
WINDOWS: Final = (60, 300, 900, 0)
"""Seconds that may be asked for; 0 is since the start."""
KEYS: Final = 150_000
SINCE_KEYS: Final = 250_000
LEAST: Final = 300
BUCKET_KEYS: Final = 10_000
"""Most keys of one grouping that a closed bucket holds."""
_OPEN_KEYS: Final = 50_000
"""Most keys of one grouping that the bucket under way holds."""
LEAST_BEFORE: Final = 30.0
"""Seconds of which a baseline is worth its name."""
_TREND: Final = 15
"""Most points of a trend."""


@dataclass(frozen=True, slots=True)
class Talker:
    """One key in a window. `share` is 0..1 of the window's requests, `rate` requests a second,
    `trend` requests in even steps, oldest first; `first_seen` is to ten seconds, since the epoch;
    `count` may be low by at most `short`. `raw` is the key as it stands in the lines.
    """

    key: str
    raw: bytes
    count: int
    share: float
    rate: float
    bytes: int
    trend: tuple[int, ...]
    by_status: dict[str, int]
    first_seen: float
    short: int = 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The largest keys of a window that spans `span_s` seconds up to now.

    `total` requests were seen, of them `unknown` without such a key; no key's count is low by more
    than `short`, which is 0 unless a flood had too many different keys to hold.
    """

    by: TalkerBy
    span_s: float
    total: int
    rate: float
    unknown: int
    short: int
    by_status: dict[str, int]
    bytes: int
    talkers: tuple[Talker, ...]


class Baseline:
    """What was usual in the `span_s` seconds before `until`, seconds since the epoch. It keeps the
    buckets of that time, however long it lasts."""

    def __init__(self, until: float, span_s: float, buckets: Sequence[Bucket]) -> None:
        self.until, self.span_s = until, span_s
        self._buckets = tuple(buckets)
        self._counts: dict[TalkerBy, dict[bytes, int]] = {}

    def rate(self, by: TalkerBy, talker: Talker) -> float:
        """Its requests a second then; low by what buckets had to give up."""
        return count_of(self._of(by).get(talker.raw, 0)) / self.span_s

    def is_new(self, by: TalkerBy, talker: Talker) -> bool:
        """Whether it surely did not ask."""
        return talker.raw not in self._of(by) and not any(b.short[by] for b in self._buckets)

    def _of(self, by: TalkerBy) -> dict[bytes, int]:
        if by not in self._counts:
            counts: dict[bytes, int] = {}
            for bucket in self._buckets:
                for key, weight in bucket.counts[by].items():
                    counts[key] = counts.get(key, 0) + weight
            self._counts[by] = counts
        return self._counts[by]


@dataclass(frozen=True, slots=True)
class _Look:
    """A window as it is now: its buckets, and `parts` that add up to its weights."""

    by: TalkerBy
    buckets: Sequence[Bucket]
    parts: Sequence[Part]
    recent: Sequence[Bucket]
    span_s: float
    total: int
    whole: bool

    @property
    def requests(self) -> int:
        return count_of(self.total)

    @property
    def short(self) -> int:
        return sum(bucket.short[self.by] for bucket in self.buckets)

    def weight(self, key: bytes) -> int:
        return sum(part.counts.get(key, 0) for part in self.parts)


class Talkers:
    """Fed with columns as they arrive; asked for rankings. `started` in seconds since the epoch."""

    def __init__(self, started: float, places: Places | None = None) -> None:
        self.started, self.places = started, places
        self.drill: Drill | None = None
        """Who counts a part of the same lines, if somebody wants that."""
        self._fresh = Fresh(places)
        self._sorted = 0
        self._current = Bucket(self._bucket_start(started))
        self._closed: deque[Bucket] = deque()
        self._since = Bucket(self._current.start, counts={by: {} for by in TALKER_GROUPS})
        self._first: dict[TalkerBy, dict[bytes, float]] = {by: {} for by in TALKER_GROUPS}
        self._sums: dict[tuple[TalkerBy, int], Sum] = {}
        self._closing: Iterator[None] = iter(())
        self._thinning: Iterator[None] = iter(())
        self._late: list[Bucket] = []  # the bucket that is being closed, if there is one
        self._forgotten = 0.0  # buckets from before then are gone

    @property
    def requests(self) -> int:
        """Requests since the start, exact."""
        return self._sorted + self._fresh.requests

    def answers(self, now: float) -> dict[str, int]:
        """Requests since the start by the class of their answer, exact."""
        self._turn(now)
        self._sort_in()
        late = sum(bucket.total for bucket in self._late)
        return classes_of(self._since.total + late + self._current.total)

    def refused(self, now: float) -> int:
        """Requests since the start that were answered with one of `REFUSALS`, exact."""
        self._turn(now)
        self._sort_in()
        parts = (self._since, *self._late, self._current)
        return sum(
            count_of(part.counts["status"].get(status, 0)) for part in parts for status in REFUSALS
        )

    @staticmethod
    def _bucket_start(now: float) -> float:
        return now // BUCKET_S * BUCKET_S

    def feed(self, found: Columns, now: float) -> None:
        """Count lines that arrived at `now`, seconds since the epoch.

        Lines that say neither client nor request are no requests and are left out.
        """
        self._turn(now)
        next(self._closing, None)
        self._fresh.add(found)
        if self._fresh.is_full:
            self._sort_in()
        self._thin()
        if self.drill is not None:
            self.drill.take(found, now)

    def _sort_in(self) -> None:
        self._sorted += self._fresh.requests
        self._fresh.sort_into(self._current)

    def _thin(self) -> None:
        """Keep the bucket under way within its bounds, one grouping after the other, by steps."""
        if next(self._thinning, self) is None:
            return
        for by, counts in self._current.counts.items():
            if len(counts) > _OPEN_KEYS:
                self._thinning = thinning(self._current, by, _OPEN_KEYS // 2)
                break

    def top(self, by: TalkerBy, n: int, *, now: float, window_s: int = 60) -> list[Talker]:
        """The `n` largest of a window."""
        return list(self.ranking(by, n, now=now, window_s=window_s).talkers)

    def ranking(self, by: TalkerBy, n: int, *, now: float, window_s: int = 60) -> Ranking:
        """The `n` largest of the last `window_s` seconds (0: since the start), with totals."""
        look = self._look(by, now, window_s)
        return Ranking(
            by=by,
            span_s=look.span_s,
            total=look.requests,
            rate=look.requests / look.span_s,
            unknown=count_of(look.weight(b"")),
            short=look.short,
            by_status=classes_of(look.total),
            bytes=bytes_of(look.total),
            talkers=tuple(
                self._talker(look, key, weight) for key, weight in largest_of(look.parts, n)
            ),
        )

    def one(self, by: TalkerBy, key: str, *, now: float, window_s: int = 60) -> Talker | None:
        """A single key in a window; None when it did not ask."""
        look = self._look(by, now, window_s)
        raw = key.encode("utf-8", "replace")
        weight = look.weight(raw)
        return self._talker(look, raw, weight) if weight else None

    def before(self, until: float, *, now: float) -> Baseline | None:
        """What was usual in the quarter of an hour before `until`, as far as it is still known;
        None where that is less than `LEAST_BEFORE`."""
        self._turn(now)
        self._finish_closing()
        end = self._bucket_start(until)
        start = max(self.started, end - WINDOWS[2], self._forgotten)
        if end - start < LEAST_BEFORE:
            return None
        return Baseline(
            until, end - start, [b for b in self._closed if start - BUCKET_S < b.start < end]
        )

    def _look(self, by: TalkerBy, now: float, window_s: int) -> _Look:
        self._turn(now)
        self._sort_in()
        buckets, parts = self._window(by, window_s)
        start = self._current.start - window_s if window_s else self.started
        return _Look(
            by=by,
            buckets=buckets,
            parts=parts,
            recent=self._recent(window_s),
            span_s=max(1.0, now - max(start, self.started)),
            total=sum(bucket.total for bucket in buckets),
            whole=not window_s,
        )

    def _talker(self, look: _Look, key: bytes, weight: int) -> Talker:
        course = [count_of(bucket.counts[look.by].get(key, 0)) for bucket in look.recent]
        step = -(-len(course) // _TREND)
        return Talker(
            key=harmless_bytes(key),
            count=count_of(weight),
            share=count_of(weight) / look.requests,
            rate=count_of(weight) / look.span_s,
            bytes=bytes_of(weight),
            trend=tuple(sum(course[i : i + step]) for i in range(0, len(course), step)),
            by_status=classes_of(weight),
            first_seen=self._first[look.by].get(key, self._current.start),
            short=look.short if look.whole else short_of(look.buckets, look.by, key),
            raw=key,
        )

    def _window(self, by: TalkerBy, window_s: int) -> tuple[list[Bucket], list[Part]]:
        """The window's buckets, and the sum of those that are closed with the others' weights."""
        if not window_s:
            self._finish_closing()
            since = [self._since, self._current]
            return since, [Part(self._since.counts[by]), self._current.part(by)]
        summed = self._sums.get((by, window_s))
        if summed is None:
            if len(self._sums) >= len(TALKER_GROUPS):
                del self._sums[next(iter(self._sums))]
            summed = self._sums[by, window_s] = Sum(by)
        oldest = self._current.start - window_s
        summed.move(self._closed, oldest)
        late = [bucket for bucket in self._late if bucket.start >= oldest]
        others = [*late, self._current]
        return [*summed.buckets, *others], [summed.part, *(b.part(by) for b in others)]

    def _recent(self, window_s: int) -> list[Bucket]:
        """A bucket for every step of the window, for trends: also for those without requests."""
        length = window_s or min(WINDOWS[2], self._current.start - self._since.start)
        there = {bucket.start: bucket for bucket in (*self._closed, *self._late, self._current)}
        oldest = max(self._current.start - length, self._since.start)
        steps = int((self._current.start - oldest) // BUCKET_S)
        starts = [oldest + BUCKET_S * step for step in range(steps + 1)]
        return [there.get(start) or Bucket(start) for start in starts]

    def _turn(self, now: float) -> None:
        """Close the bucket under way when its time is over; a clock set back changes nothing."""
        start = self._bucket_start(now)
        if start <= self._current.start:
            return
        self._sort_in()
        self._finish_closing()
        closing = self._current
        self._current, self._thinning = Bucket(start), iter(())
        while self._closed and self._closed[0].start < start - WINDOWS[2]:
            self._forgotten = self._closed.popleft().start + BUCKET_S
        if closing.total:
            self._late = [closing]
            self._closing = self._close(closing)

    def _finish_closing(self) -> None:
        for _ in self._closing:
            pass

    def _close(self, closing: Bucket) -> Iterator[None]:
        """Put a bucket away, in steps of a few milliseconds."""
        held = sum(bucket.keys for bucket in self._closed)
        most = max(LEAST, min(BUCKET_KEYS, (KEYS - held) // len(TALKER_GROUPS)))
        for by in TALKER_GROUPS:
            yield from shrinking(closing, by, most)
            yield
        closing.large.clear()
        self._closed.append(closing)
        self._late = []
        since = self._since
        since.total += closing.total
        for by, counts in closing.counts.items():
            since.short[by] += closing.short[by]
            sums, first = since.counts[by], self._first[by]
            for step in in_steps(counts.items()):
                for key, weight in step:
                    sums[key] = sums.get(key, 0) + weight
                    first.setdefault(key, closing.start)
                yield
            if len(sums) > SINCE_KEYS // len(TALKER_GROUPS):
                yield from shrinking(since, by, SINCE_KEYS // len(TALKER_GROUPS) // 2)
                kept, seen = since.counts[by], dict[bytes, float]()
                for times in in_steps(first.items()):
                    seen.update([item for item in times if item[0] in kept])
                    yield
                self._first[by] = seen
