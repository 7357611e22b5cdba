"""What the talkers count in: buckets of ten seconds, their sums, and what is not sorted in yet."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Literal

from warroom.logs.columns import Columns
from warroom.logs.keys import client_key, path_of, range_of, status_of
from warroom.logs.weights import COUNT_SHIFT, Weights, count_of

_REMEMBERED: Final = 100_000
_SORT_IN_AFTER: Final = 400
"""Different clients or requests after which they are sorted in: some 5 ms of work when every one
is new, as in a flood with forged addresses."""

TalkerBy = Literal["ip", "range", "path", "status"]
TALKER_GROUPS: Final[tuple[TalkerBy, ...]] = ("ip", "range", "path", "status")


Weighed = defaultdict[bytes, int]


def _weighed() -> Weighed:
    return defaultdict(int)


@dataclass(slots=True)
class Bucket:
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


class Sum:
    """Weights of the closed buckets of one window, kept up as buckets come and go."""

    def __init__(self, by: TalkerBy) -> None:
        self._by = by
        self.buckets: deque[Bucket] = deque()
        self.counts: dict[bytes, int] = {}

    def move(self, closed: Sequence[Bucket], since: float) -> None:
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


class _Places(dict[bytes, tuple[bytes, bytes]]):
    """A client's address and range; all forgotten when there are too many."""

    def __missing__(self, client: bytes) -> tuple[bytes, bytes]:
        if len(self) >= _REMEMBERED:
            self.clear()
        address = client_key(client)
        self[client] = found = (address, range_of(address))
        return found


class _Paths(dict[bytes, bytes]):
    """A request line's path; all forgotten when there are too many."""

    def __missing__(self, request: bytes) -> bytes:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[request] = path = path_of(request)[:512]
        return path


class Fresh:
    """Counts by raw field since the last sorting in.

    In a flood the same fields come again within milliseconds: adding them up here first, where
    they stay in the processor's cache, costs a third of sorting each line into its bucket.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._weights = Weights()
        self._places, self._paths = _Places(), _Paths()
        self._by_client: Weighed = _weighed()
        self._by_request: Weighed = _weighed()
        self._results: Counter[bytes] = Counter()

    @property
    def is_full(self) -> bool:
        return max(len(self._by_client), len(self._by_request)) > _SORT_IN_AFTER

    def add(self, found: Columns) -> None:
        """Take in lines; those that say neither client nor result are no requests."""
        clients, requests, results = found.clients, found.requests, found.results
        if b"" in results:
            kept = [i for i, result in enumerate(results) if result or client_key(clients[i])]
            clients, requests, results = (
                [column[i] for i in kept] for column in (clients, requests, results)
            )
        weights, by_client, by_request = self._weights, self._by_client, self._by_request
        for client, request, result in zip(clients, requests, results, strict=True):
            weight = weights[result]
            by_client[client] += weight
            by_request[request] += weight
        self._results.update(results)
        self.requests += len(results)

    def sort_into(self, bucket: Bucket) -> None:
        """Move everything to `bucket`, by key."""
        by_ip, by_range = bucket.counts["ip"], bucket.counts["range"]
        by_path, by_status = bucket.counts["path"], bucket.counts["status"]
        for client, weight in self._by_client.items():
            address, network = self._places[client]
            by_ip[address] += weight
            by_range[network] += weight
        for request, weight in self._by_request.items():
            by_path[self._paths[request]] += weight
        for result, times in self._results.items():
            weight = self._weights[result] * times
            by_status[status_of(result)] += weight
            bucket.total += weight
        for counts in (self._by_client, self._by_request, self._results):
            counts.clear()
        self.requests = 0


def shrink(bucket: Bucket, by: TalkerBy, most: int) -> None:
    """Give up keys with the smallest counts until at most `most` are left."""
    counts = bucket.counts[by]
    if len(counts) <= most:
        return
    keys_by_count = Counter([weight >> COUNT_SHIFT for weight in counts.values()])
    left = len(counts)
    lost = 0
    for lost in sorted(keys_by_count):
        left -= keys_by_count[lost]
        if left <= most:
            break
    bucket.short[by] += lost
    unknown = counts.get(b"", 0)
    floor = (lost + 1) << COUNT_SHIFT
    bucket.counts[by] = defaultdict(
        int, {key: weight for key, weight in counts.items() if weight >= floor}
    )
    if unknown:
        bucket.counts[by][b""] = unknown


def short_of(buckets: Sequence[Bucket], by: TalkerBy, key: bytes) -> int:
    """What a key's count may miss: it was given up only where it is not there."""
    return sum(bucket.short[by] for bucket in buckets if key not in bucket.counts[by])


def largest_of(parts: Sequence[Mapping[bytes, int]], n: int) -> list[tuple[bytes, int]]:
    """The `n` largest of the sums of several counts, without adding them all up.

    A key that is in none's first `m` has at most the sum of their `m`-th: when that is not more
    than the `n`-th found, none was missed; else `m` grows.
    """
    m = 4 * n + 4
    while True:
        tops = [heapq.nlargest(m, counts.items(), key=itemgetter(1)) for counts in parts]
        rest = sum(count_of(top[-1][1]) for top in tops if len(top) == m)
        keys = {key for top in tops for key, _ in top} - {b""}
        sums = [(key, sum(counts.get(key, 0) for counts in parts)) for key in keys]
        largest = heapq.nlargest(n, sums, key=lambda item: (count_of(item[1]), item[0]))
        if not rest or (len(largest) == n and n and count_of(largest[-1][1]) >= rest):
            return largest
        m *= 8
