"""Who asks most just now: exact counts within the last minutes, from lines as they arrive.

Requests are counted in buckets of ten seconds by when they arrived. A window of a minute is the
six whole buckets before now and the one under way, so it spans 60 to 70 seconds; its ranking says
exactly which, and counts are exact for that span. "Since start" adds up every bucket.

Memory is bounded to `KEYS` different keys over all buckets and `SINCE_KEYS` since the start, some
200 bytes each. In a flood from more places than that a closing bucket keeps its largest keys; then
a count may be low by no more than the ranking's `short`. Totals are always exact.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Literal

from warroom.domain.text import harmless_bytes
from warroom.logs.columns import Columns
from warroom.logs.keys import client_key, path_of, range_of
from warroom.logs.weights import Weights, bytes_of, classes_of, count_of

BUCKET_S: Final = 10
WINDOWS: Final = (60, 300, 900, 0)
"""Seconds that may be asked for; 0 is since the start."""
KEYS: Final = 300_000
SINCE_KEYS: Final = 100_000
_LEAST_KEPT: Final = 2_000
_REMEMBERED: Final = 100_000
_TREND: Final = 15
"""Most points of a trend."""

TalkerBy = Literal["ip", "range", "path", "status"]
TALKER_GROUPS: Final[tuple[TalkerBy, ...]] = ("ip", "range", "path", "status")


@dataclass(frozen=True, slots=True)
class Talker:
    """One key in a window. `share` is 0..1 of the window's requests, `rate` requests a second,
    `trend` requests in even steps, oldest first; `first_seen` is to ten seconds, since the epoch.
    """

    key: str
    count: int
    share: float
    rate: float
    bytes: int
    trend: tuple[int, ...]
    by_status: dict[str, int]
    first_seen: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The largest keys of a window that spans `span_s` seconds up to now.

    `total` requests were seen, of them `unknown` without such a key; a talker's count may be low
    by at most `short`, which is 0 unless a flood had too many different keys to hold.
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


Weighed = defaultdict[bytes, int]


def _weighed() -> Weighed:
    return defaultdict(int)


@dataclass(slots=True)
class _Bucket:
    """Weights by key for each grouping; `short` is the largest count that was given up."""

    start: float
    total: int = 0
    counts: dict[TalkerBy, Weighed] = field(
        default_factory=lambda: {by: _weighed() for by in TALKER_GROUPS}
    )
    short: dict[TalkerBy, int] = field(default_factory=lambda: dict.fromkeys(TALKER_GROUPS, 0))

    @property
    def keys(self) -> int:
        return sum(map(len, self.counts.values()))


class _Sum:
    """Weights of the closed buckets of one window, kept up as buckets come and go."""

    def __init__(self, by: TalkerBy, length: int) -> None:
        self._by, self._length = by, length
        self.buckets: deque[_Bucket] = deque()
        self.counts: dict[bytes, int] = {}

    def move(self, closed: Sequence[_Bucket], since: float) -> None:
        """Take in buckets that closed, and let go of those that began before `since`."""
        newest = self.buckets[-1].start if self.buckets else since - 1
        for bucket in closed:
            if bucket.start > newest and bucket.start >= since:
                self.buckets.append(bucket)
                self._add(bucket.counts[self._by], 1)
        while self.buckets and self.buckets[0].start < since:
            self._add(self.buckets.popleft().counts[self._by], -1)

    def _add(self, counts: Weighed, sign: int) -> None:
        sums = self.counts
        for key, weight in counts.items():
            left = sums.get(key, 0) + sign * weight
            if left:
                sums[key] = left
            else:
                sums.pop(key, None)


class _Remembered(dict[bytes, bytes]):
    """A function's results; forgotten all at once when there are too many."""

    def __missing__(self, field_: bytes) -> bytes:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[field_] = key = self._of(field_)
        return key

    def _of(self, field_: bytes) -> bytes:
        raise NotImplementedError


class _Clients(_Remembered):
    def _of(self, field_: bytes) -> bytes:
        return client_key(field_)


class _Ranges(_Remembered):
    def _of(self, field_: bytes) -> bytes:
        return range_of(field_)


class _Paths(_Remembered):
    def _of(self, field_: bytes) -> bytes:
        return path_of(field_)[:512]


class Talkers:
    """Fed with columns as they arrive; asked for rankings. `started` in seconds since the epoch."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.requests = 0
        """Requests since the start, exact."""
        self._current = _Bucket(self._bucket_start(started))
        self._closed: deque[_Bucket] = deque()
        self._since = _Bucket(self._current.start)
        self._first: dict[TalkerBy, dict[bytes, float]] = {by: {} for by in TALKER_GROUPS}
        self._sums: dict[tuple[TalkerBy, int], _Sum] = {}
        self._weights = Weights()
        self._clients, self._ranges, self._paths = _Clients(), _Ranges(), _Paths()

    @staticmethod
    def _bucket_start(now: float) -> float:
        return now // BUCKET_S * BUCKET_S

    def feed(self, found: Columns, now: float) -> None:
        """Count lines that arrived at `now`, seconds since the epoch.

        Lines that say neither client nor request are no requests and are left out.
        """
        self._turn(now)
        bucket, weights = self._current, self._weights
        clients, ranges, paths = self._clients, self._ranges, self._paths
        by_ip, by_range = bucket.counts["ip"], bucket.counts["range"]
        by_path, by_status = bucket.counts["path"], bucket.counts["status"]
        total = 0
        for client, request, result in zip(
            found.clients, found.requests, found.results, strict=True
        ):
            address = clients[client]
            if not address and not result:
                continue
            weight = weights[result]
            total += weight
            by_ip[address] += weight
            by_range[ranges[address]] += weight
            by_path[paths[request]] += weight
            by_status[result[1:4]] += weight
        bucket.total += total
        self.requests += count_of(total)
        if bucket.keys > KEYS // 2:
            self._shrink(bucket, KEYS // 4)

    def top(self, by: TalkerBy, n: int, *, now: float, window_s: int = 60) -> list[Talker]:
        """The `n` largest of a window."""
        return list(self.ranking(by, n, now=now, window_s=window_s).talkers)

    def ranking(self, by: TalkerBy, n: int, *, now: float, window_s: int = 60) -> Ranking:
        """The `n` largest of the last `window_s` seconds (0: since the start), with totals."""
        self._turn(now)
        buckets, closed = self._window(by, window_s)
        start = self._current.start - window_s if window_s else self.started
        span = max(1.0, now - max(start, self.started))
        total = sum(bucket.total for bucket in buckets)
        current = self._current.counts[by]
        merged = {key: closed.get(key, 0) + weight for key, weight in current.items()}
        unknown = merged[b""] if b"" in merged else closed.get(b"", 0)
        found = dict(_largest(closed, n + 1)) | dict(_largest(merged, n + 1))
        found.update((key, merged[key]) for key in found.keys() & merged.keys())
        found.pop(b"", None)
        largest = heapq.nlargest(n, found.items(), key=lambda item: (count_of(item[1]), item[0]))
        requests = count_of(total)
        recent = self._recent(window_s)
        return Ranking(
            by=by,
            span_s=span,
            total=requests,
            rate=requests / span,
            unknown=count_of(unknown),
            short=sum(bucket.short[by] for bucket in buckets),
            by_status=classes_of(total),
            bytes=bytes_of(total),
            talkers=tuple(
                self._talker(by, key, weight, requests, span, recent) for key, weight in largest
            ),
        )

    def _talker(
        self,
        by: TalkerBy,
        key: bytes,
        weight: int,
        requests: int,
        span: float,
        recent: Sequence[_Bucket],
    ) -> Talker:
        count = count_of(weight)
        course = [count_of(bucket.counts[by].get(key, 0)) for bucket in recent]
        step = -(-len(course) // _TREND)
        return Talker(
            key=harmless_bytes(key),
            count=count,
            share=count / requests if requests else 0.0,
            rate=count / span,
            bytes=bytes_of(weight),
            trend=tuple(sum(course[i : i + step]) for i in range(0, len(course), step)),
            by_status=classes_of(weight),
            first_seen=self._first[by].get(key, self._current.start),
        )

    def _window(self, by: TalkerBy, window_s: int) -> tuple[list[_Bucket], dict[bytes, int]]:
        """The window's buckets, the one under way last, and the sum of those that are closed."""
        if not window_s:
            return [self._since, self._current], self._since.counts[by]
        summed = self._sums.get((by, window_s))
        if summed is None:
            if len(self._sums) >= len(TALKER_GROUPS):
                del self._sums[next(iter(self._sums))]
            summed = self._sums[by, window_s] = _Sum(by, window_s)
        summed.move(self._closed, self._current.start - window_s)
        return [*summed.buckets, self._current], summed.counts

    def _recent(self, window_s: int) -> list[_Bucket]:
        """A bucket for every step of the window, for trends: also for those without requests."""
        length = window_s or min(WINDOWS[2], self._current.start - self._since.start)
        there = {bucket.start: bucket for bucket in (*self._closed, self._current)}
        oldest = max(self._current.start - length, self._since.start)
        steps = int((self._current.start - oldest) // BUCKET_S)
        starts = [oldest + BUCKET_S * step for step in range(steps + 1)]
        return [there.get(start) or _Bucket(start) for start in starts]

    def _turn(self, now: float) -> None:
        """Close the bucket under way when its time is over; a clock set back changes nothing."""
        start = self._bucket_start(now)
        if start <= self._current.start:
            return
        closing = self._current
        self._current = _Bucket(start)
        if closing.total:
            held = sum(bucket.keys for bucket in self._closed)
            self._shrink(closing, max(_LEAST_KEPT, (KEYS - held) // 4))
            self._closed.append(closing)
            self._remember(closing)
        while self._closed and self._closed[0].start < start - WINDOWS[2]:
            self._closed.popleft()

    def _remember(self, closing: _Bucket) -> None:
        since = self._since
        since.total += closing.total
        for by, counts in closing.counts.items():
            sums, first = since.counts[by], self._first[by]
            for key, weight in counts.items():
                sums[key] += weight
                first.setdefault(key, closing.start)
            since.short[by] += closing.short[by]
        if since.keys > SINCE_KEYS:
            self._shrink(since, SINCE_KEYS // 2)
            for by, first in self._first.items():
                kept = since.counts[by]
                self._first[by] = {key: at for key, at in first.items() if key in kept}

    @staticmethod
    def _shrink(bucket: _Bucket, keep: int) -> None:
        """Give up the smallest keys until at most `keep` are left of each grouping's share."""
        share = keep // len(TALKER_GROUPS)
        for by, counts in bucket.counts.items():
            if len(counts) <= share:
                continue
            unknown = counts.pop(b"", 0)
            largest = heapq.nlargest(share, counts.items(), key=itemgetter(1))
            kept = {key for key, _ in largest}
            lost = max(weight for key, weight in counts.items() if key not in kept)
            bucket.short[by] += count_of(lost)
            bucket.counts[by] = defaultdict(int, largest)
            if unknown:
                bucket.counts[by][b""] = unknown


def _largest(weights: dict[bytes, int], n: int) -> list[tuple[bytes, int]]:
    return heapq.nlargest(n, weights.items(), key=itemgetter(1))
