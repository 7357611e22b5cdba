"""What the talkers count in: buckets of ten seconds, their sums, and what is not sorted in yet."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from warroom.logs.columns import Columns
from warroom.logs.keys import (
    client_key,
    method_of,
    narrow_of,
    path_of,
    range_of,
    text_of,
    wide_of,
)
from warroom.logs.weights import COUNT_SHIFT, Weights, count_of

if TYPE_CHECKING:
    from warroom.logs.places import Places

_REMEMBERED: Final = 50_000
_FORGOTTEN: Final = 500
_SORT_IN_AFTER: Final = 250
"""Different clients or requests after which they are sorted in: some 2 ms of work when every one
is new, as in a flood with forged addresses."""

TalkerBy = Literal[
    "ip", "range", "wide", "narrow", "path", "status", "method", "agent", "host", "country", "asn"
]
TALKER_GROUPS: Final[tuple[TalkerBy, ...]] = get_args(TalkerBy)
_CLIENT: Final[tuple[TalkerBy, ...]] = ("ip", "range", "wide", "narrow")


_STEP: Final = 2_000
"""Keys that are gone through before others get their turn."""
_SAMPLED: Final = 16
"""One key of so many tells how large the largest are at least."""
_LARGE: Final = 1_000
"""So many of the largest keys are known without going through all."""
Item = TypeVar("Item")
Weighed = defaultdict[bytes, int]


def _weighed() -> Weighed:
    return defaultdict(int)


@dataclass(slots=True)
class Large:
    """The largest keys of some counts: no other weighs as much as `floor`."""

    keys: set[bytes] = field(default_factory=set)
    floor: int = 0

    def choose(self, counts: Mapping[bytes, int], among: set[bytes]) -> None:
        """The largest of `among`, of which every key that weighs `floor` is one."""
        weights = list(map(counts.get, among, repeat(0)))
        if len(weights) > _LARGE:  # however many weigh the same, few are kept
            self.floor = floor = sorted(weights, reverse=True)[_LARGE] + 1
            among = {key for key, w in zip(among, weights, strict=True) if w >= floor}
        self.keys = among

    @classmethod
    def of(cls, counts: Mapping[bytes, int]) -> Large:
        """About so many of them all, at one look at each."""
        some = sorted(islice(counts.values(), 0, None, _SAMPLED), reverse=True)
        place = _LARGE // _SAMPLED
        floor = some[place] + 1 if place < len(some) else 0
        return cls({key for key, weight in counts.items() if weight >= floor}, floor)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a window's weights; None: nobody knows which are large."""

    counts: Mapping[bytes, int]
    large: Large | None = None


@dataclass(slots=True)
class Bucket:
    """Weights by key for each grouping; `short` is the largest count that was given up.

    Plain dicts: unlike any other, one of bytes and numbers is none of the garbage collector's,
    which would hold everything up to go through all there are.
    """

    start: float
    total: int = 0
    counts: dict[TalkerBy, dict[bytes, int]] = field(
        default_factory=lambda: {by: {} for by in TALKER_GROUPS}
    )
    short: dict[TalkerBy, int] = field(default_factory=lambda: dict.fromkeys(TALKER_GROUPS, 0))
    large: dict[TalkerBy, Large] = field(
        default_factory=lambda: {by: Large() for by in TALKER_GROUPS}
    )

    def add(self, by: TalkerBy, keys: Iterable[bytes], weights: Iterable[int]) -> None:
        """Count some keys, of which several may be the same."""
        counts, large = self.counts[by], self.large[by]
        get = counts.get
        floor, found = large.floor, large.keys
        for key, weight in zip(keys, weights, strict=True):
            counts[key] = weight = get(key, 0) + weight
            if weight >= floor:
                found.add(key)
        if len(found) > 3 * _LARGE:
            large.choose(counts, found)

    def part(self, by: TalkerBy) -> Part:
        return Part(self.counts[by], self.large.get(by))

    @property
    def keys(self) -> int:
        return sum(map(len, self.counts.values()))


class Sum:
    """Weights of the closed buckets of one window, kept up as buckets come and go."""

    def __init__(self, by: TalkerBy) -> None:
        self._by = by
        self.buckets: deque[Bucket] = deque()
        self.counts: dict[bytes, int] = {}
        self._large: Large | None = None

    @property
    def part(self) -> Part:
        if self._large is None:
            self._large = Large.of(self.counts)
        return Part(self.counts, self._large)

    def move(self, closed: Sequence[Bucket], since: float) -> None:
        """Take in buckets that closed, and let go of those that began before `since`."""
        newest = self.buckets[-1].start if self.buckets else since - 1
        for bucket in closed:
            if bucket.start > newest and bucket.start >= since:
                self.buckets.append(bucket)
                self._add(bucket.counts[self._by], 1)
        while self.buckets and self.buckets[0].start < since:
            self._add(self.buckets.popleft().counts[self._by], -1)

    def _add(self, counts: Mapping[bytes, int], sign: int) -> None:
        sums, self._large = self.counts, None
        for key, weight in counts.items():
            left = sums.get(key, 0) + sign * weight
            if left:
                sums[key] = left
            else:
                sums.pop(key, None)


def _forget_some(known: dict[bytes, Any]) -> None:
    """Where there are too many, let the oldest go: all at once would take ten milliseconds."""
    if len(known) >= _REMEMBERED:
        for key in list(islice(known, _FORGOTTEN)):
            del known[key]


class _Clients(dict[bytes, tuple[bytes, ...]]):
    """A client's keys, in the order of `groups`."""

    def __init__(self, places: Places | None) -> None:
        super().__init__()
        self._places = places
        of_places: tuple[TalkerBy, ...] = ("country", "asn")
        self.groups = (*_CLIENT, *of_places) if places else _CLIENT

    def __missing__(self, client: bytes) -> tuple[bytes, ...]:
        _forget_some(self)
        address = client_key(client)
        found: tuple[bytes, ...]
        if b":" in address:
            found = (address, range_of(address), wide_of(address), narrow_of(address))
        else:
            found = _ipv4_keys(address)
        if self._places is not None:
            found = (*found, self._places.country(address), self._places.asn(address))
        self[client] = found
        return found


def _ipv4_keys(address: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Address, range and wide range, most wanted and so made at once; an IPv4 address is as narrow
    as there is, and counted as such already."""
    if not address:
        return b"", b"", b"", b""
    a, b, c, _ = address.split(b".")
    return address, b"%b.%b.%b.0/24" % (a, b, c), b"%b.%b.0.0/16" % (a, b), b""


class _Requests(dict[bytes, tuple[bytes, bytes]]):
    """A request line's path and method."""

    def __missing__(self, request: bytes) -> tuple[bytes, bytes]:
        _forget_some(self)
        self[request] = found = path_of(request), method_of(request)
        return found


class Fresh:
    """Counts by raw field since the last sorting in.

    In a flood the same fields come again within milliseconds: adding them up here first, where
    they stay in the processor's cache, costs a third of sorting each line into its bucket.
    """

    def __init__(self, places: Places | None = None) -> None:
        self.requests = 0
        self._weights = Weights()
        self._clients, self._asked = _Clients(places), _Requests()
        self._by_client: Weighed = _weighed()
        self._by_request: Weighed = _weighed()
        self._by_agent: Weighed = _weighed()
        self._by_host: Weighed = _weighed()
        self._by_status: Weighed = _weighed()

    @property
    def is_full(self) -> bool:
        most = max(len(self._by_client), len(self._by_request), len(self._by_agent))
        return most > _SORT_IN_AFTER

    def add(self, found: Columns) -> None:
        """Take in lines; those that say neither client nor result are no requests."""
        if b"" in found.results:
            clients = found.clients
            found = found.among(
                [i for i, result in enumerate(found.results) if result or client_key(clients[i])]
            )
        weights, by_client, by_request = self._weights, self._by_client, self._by_request
        by_agent, by_status, results = self._by_agent, self._by_status, found.results
        for client, request, agent, result in zip(
            found.clients, found.requests, found.agents, results, strict=True
        ):
            weight = weights[result]
            by_client[client] += weight
            by_request[request] += weight
            by_agent[agent] += weight
            by_status[result[1:4]] += weight
        by_host = self._by_host
        for host, result in zip(found.hosts, results, strict=False):  # most logs say no host
            by_host[host] += weights[result]
        self.requests += len(results)

    def sort_into(self, bucket: Bucket) -> None:
        """Move everything to `bucket`, by key."""
        keys_of, weights = self._clients, self._by_client.values()
        columns = zip(*[keys_of[client] for client in self._by_client], strict=True)
        for by, keys in zip(keys_of.groups, columns, strict=False):  # none where nothing came
            bucket.add(by, keys, weights)
        asked = [self._asked[request] for request in self._by_request]
        weights = self._by_request.values()
        bucket.add("path", [path for path, _ in asked], weights)
        bucket.add("method", [method for _, method in asked], weights)
        bucket.add("agent", map(text_of, self._by_agent), self._by_agent.values())
        known = [status if status.isdigit() else b"" for status in self._by_status]
        bucket.add("status", known, self._by_status.values())
        hostless = sum(self._by_status.values())
        bucket.total += hostless
        bucket.add("host", map(text_of, self._by_host), self._by_host.values())
        if hostless := hostless - sum(self._by_host.values()):
            bucket.add("host", [b""], [hostless])
        self._clear()

    def _clear(self) -> None:
        for raw in (
            *(self._by_client, self._by_request, self._by_agent),
            *(self._by_host, self._by_status),
        ):
            raw.clear()
        self.requests = 0


def in_steps(items: Iterable[Item]) -> Iterator[list[Item]]:
    """A few of many items at a time, so that others get their turn between."""
    rest = iter(items)
    while step := list(islice(rest, _STEP)):
        yield step


def _largest_lost(weights: Sequence[int], most: int) -> Generator[None, None, int]:
    """The largest count to give up, in steps, for at most `most` keys to be left."""
    keys_by_count: Counter[int] = Counter()
    for some in in_steps(weights):
        keys_by_count.update([weight >> COUNT_SHIFT for weight in some])
        yield
    left = len(weights)
    lost = 0
    for lost in sorted(keys_by_count):
        left -= keys_by_count[lost]
        if left <= most:
            break
    return lost


def thinning(bucket: Bucket, by: TalkerBy, most: int) -> Iterator[None]:
    """Give up keys with the smallest counts until about `most` are left, in steps between which
    the bucket goes on counting."""
    counts = bucket.counts[by]
    lost = yield from _largest_lost(list(counts.values()), most)
    bucket.short[by] += lost
    floor = (lost + 1) << COUNT_SHIFT
    for step in in_steps(list(counts)):
        for key in step:
            if counts[key] < floor and key:
                del counts[key]
        yield


def shrinking(bucket: Bucket, by: TalkerBy, most: int) -> Iterator[None]:
    """The same until at most `most` are left; between the steps the bucket may be read, but
    nothing be counted in it."""
    counts = bucket.counts[by]
    if len(counts) <= most:
        return
    lost = yield from _largest_lost(list(counts.values()), most)
    floor = (lost + 1) << COUNT_SHIFT
    kept: dict[bytes, int] = {}
    for step in in_steps(counts.items()):
        kept.update([item for item in step if item[1] >= floor])
        yield
    if unknown := counts.get(b"", 0):
        kept[b""] = unknown
    bucket.short[by] += lost
    bucket.counts[by] = kept


def short_of(buckets: Sequence[Bucket], by: TalkerBy, key: bytes) -> int:
    """What a key's count may miss: it was given up only where it is not there."""
    return sum(bucket.short[by] for bucket in buckets if key not in bucket.counts[by])


def largest_of(parts: Sequence[Part], n: int) -> list[tuple[bytes, int]]:
    """The `n` largest of the sums of several counts, without adding them all up.

    What is large in no part weighs at most what their floors do together. Where that is as much as
    the `n`-th of what is large in one, all are gone through: what weighs as much as the `n`-th of
    some keys has in one of the parts at least its share of that.
    """
    known = [part.large for part in parts if part.large is not None]
    if len(known) == len(parts):
        found = _largest({key for large in known for key in large.keys}, parts, n)
        rest = sum(count_of(large.floor) for large in known)
        if not rest or (0 < n == len(found) and count_of(found[-1][1]) > rest):
            return found
    else:
        some = [islice(part.counts, 0, None, _SAMPLED) for part in parts]
        found = _largest({key for keys in some for key in keys}, parts, n)
    least = -(-count_of(found[-1][1]) // len(parts)) if 0 < n == len(found) else 0
    floor = least << COUNT_SHIFT
    keys: set[bytes] = set()
    for part in parts:
        keys.update([key for key, weight in part.counts.items() if weight >= floor])
    return _largest(keys, parts, n)


def _largest(keys: set[bytes], parts: Sequence[Part], n: int) -> list[tuple[bytes, int]]:
    some = list(keys - {b""})
    weights = [map(part.counts.get, some, repeat(0)) for part in parts]
    sums = list(map(sum, zip(*weights, strict=True)))
    largest = heapq.nlargest(n, sums)
    least = count_of(largest[-1]) if largest else 0  # only what may be among them is ordered
    found = [item for item in zip(some, sums, strict=True) if count_of(item[1]) >= least]
    found = heapq.nlargest(n, found, key=lambda item: (count_of(item[1]), item[0]))
    return [item for item in found if item[1]]
