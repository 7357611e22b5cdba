"""The newest lines of every source, as raw bytes, in the order they arrived, bounded in bytes.

Lines have absolute numbers that only grow. They lie in blocks of about 64 KiB: appending a chunk
costs counting its line feeds, and where a line begins is looked up only in blocks that are read.

When the ring is full, the source that fills most of it loses its oldest lines. So a flood in one
log cannot push the few lines of a quiet one out; the price is that the numbers kept have holes.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from warroom.logs.split import Batch

RING_LIMIT: Final = 64 * 1024 * 1024
"""Bytes kept over all sources, unless the caller says otherwise."""
BLOCK_SIZE: Final = 64 * 1024
RUN_COST: Final = 128
"""Bytes that a run of lines costs besides its text, so that tiny lines are bounded too."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One line as it came. `at` is its arrival, seconds since the epoch; `length` is its full
    length in bytes, more than `data` has when it was cut."""

    number: int
    source: int
    at: float
    data: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that came from one source at one time: `count` of them, numbered from `first`."""

    first: int
    source: int
    at: float
    count: int
    size: int

    def goes_on_in(self, other: Run) -> bool:
        """Whether `other` is more of the same arrival."""
        return (
            self.source == other.source
            and self.at == other.at
            and self.first + self.count == other.first
        )


class Block:
    """Some runs in ascending order, their text in one piece."""

    __slots__ = (
        "_data",
        "_firsts",
        "_lines",
        "_parts",
        "_starts",
        "count",
        "cuts",
        "newest",
        "oldest",
        "runs",
        "size",
        "sources",
    )

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.sources: set[int] = set()
        self.cuts: dict[int, int] = {}
        self.size = 0
        self.count = 0
        self.oldest, self.newest = math.inf, -math.inf  # arrivals
        self._parts: list[bytes] = []
        self._data: bytes | None = None
        self._starts: array[int] | None = None
        self._firsts: list[int] = []  # number of each run's first line
        self._lines: list[int] = []  # index, within the block, of each run's first line

    @property
    def first(self) -> int:
        return self.runs[0].first

    @property
    def last(self) -> int:
        return self.runs[-1].first + self.runs[-1].count - 1

    @property
    def data(self) -> bytes:
        """Every line, each with its line feed."""
        if self._data is None:
            self._data = b"".join(self._parts)
            self._parts = [self._data]
        return self._data

    @property
    def starts(self) -> array[int]:
        """Where each line begins in `data`, and where the last one ends."""
        if self._starts is None:
            starts = array("I", bytes(4))
            position = 0
            for line in self.data.split(b"\n")[:-1]:
                position += len(line) + 1
                starts.append(position)
            self._starts = starts
        return self._starts

    def add(self, run: Run, data: bytes, *, merge: bool = True) -> None:
        """Append a run; its numbers are above all that are here."""
        before = self.runs[-1] if self.runs and merge else None
        if before and before.goes_on_in(run):
            self.runs[-1] = replace(
                before, count=before.count + run.count, size=before.size + run.size
            )
        else:
            self._firsts.append(run.first)
            self._lines.append(self.count)
            self.runs.append(run)
            self.sources.add(run.source)
            self.size += RUN_COST
        self.oldest, self.newest = min(self.oldest, run.at), max(self.newest, run.at)
        self.count += run.count
        self.size += run.size
        self._parts.append(data)
        self._data = self._starts = None

    def number(self, line: int) -> int:
        """The absolute number of the block's `line`-th line."""
        index = bisect_right(self._lines, line) - 1
        return self._firsts[index] + line - self._lines[index]

    def numbers(self, lines: Sequence[int]) -> Sequence[int]:
        """The absolute numbers of `lines` (ascending indices)."""
        if self.last - self.first + 1 == self.count:
            first = self.first
            if isinstance(lines, range):
                return range(first + lines.start, first + lines.stop)
            return [first + line for line in lines]
        out: list[int] = []
        run, shift, until = -1, 0, 0
        for line in lines:
            while line >= until:
                run += 1
                shift = self._firsts[run] - self._lines[run]
                until += self.runs[run].count
            out.append(line + shift)
        return out

    def source(self, line: int) -> int:
        return self.runs[bisect_right(self._lines, line) - 1].source

    def line_from(self, number: int) -> int:
        """Index of the first line numbered `number` or more; `count` when there is none."""
        index = bisect_right(self._firsts, number) - 1
        if index < 0:
            return 0
        return self._lines[index] + min(number - self._firsts[index], self.runs[index].count)

    def bytes_of(self, line: int) -> bytes:
        return self.data[self.starts[line] : self.starts[line + 1] - 1]

    def raw(self, line: int) -> Raw:
        number, data = self.number(line), self.bytes_of(line)
        run = self.runs[bisect_right(self._lines, line) - 1]
        return Raw(number, run.source, run.at, data, self.cuts.get(number, len(data)))

    def pieces(self) -> Iterator[tuple[Run, bytes]]:
        """Each run with its text."""
        position = 0
        for run in self.runs:
            yield run, self.data[position : position + run.size]
            position += run.size

    def adopt(self, other: Block, but: int) -> None:
        """Take over the runs of `other` that are not of source `but`."""
        for run, data in other.pieces():
            if run.source != but:
                self.add(run, data, merge=False)
        for number, length in other.cuts.items():
            line = self.line_from(number)
            if line < self.count and self.number(line) == number:
                self.cuts[number] = length


class LogRing:
    """Holds at most `limit` bytes of lines over all sources, the newest of each."""

    def __init__(self, limit: int = RING_LIMIT) -> None:
        self.limit = limit
        self.size = 0
        self.count = 0
        self.evicted = 0
        self.received: dict[int, int] = {}
        self.dropped: dict[int, int] = {}
        self.tails: dict[int, Raw] = {}
        """Unfinished lines that have waited for their end, by source: shown last, not numbered."""
        self._next = 1
        self._blocks: list[Block] = []
        self._firsts: list[int] = []
        self._sizes: dict[int, int] = {}

    @property
    def first(self) -> int:
        """Number of the oldest line kept; `last + 1` when there is none."""
        return self._blocks[0].first if self._blocks else self._next

    @property
    def last(self) -> int:
        """Number of the newest line; 0 before there is one."""
        return self._next - 1

    def append(self, source: int, at: float, batch: Batch) -> None:
        """Take in lines of one source that arrived at `at` (seconds since the epoch)."""
        if not batch.count:
            return
        if not self._blocks or self._blocks[-1].size >= BLOCK_SIZE:
            self._blocks.append(Block())
            self._firsts.append(self._next)
        block = self._blocks[-1]
        before = block.size
        for index, length in batch.cuts.items():
            block.cuts[self._next + index] = length
        block.add(Run(self._next, source, at, batch.count, len(batch.data)), batch.data)
        self._next += batch.count
        self.count += batch.count
        self.size += block.size - before
        self._sizes[source] = self._sizes.get(source, 0) + block.size - before
        self.received[source] = self.received.get(source, 0) + batch.count
        while self.size > self.limit and self._evict():
            pass

    def get(self, number: int) -> Raw | None:
        """The line of that number; None when it fell out or is not there yet."""
        block = self.block_before(number + 1)
        if block is None:
            return None
        line = block.line_from(number)
        return block.raw(line) if line < block.count and block.number(line) == number else None

    def block_before(self, number: int) -> Block | None:
        """The newest block that begins before `number`."""
        index = bisect_left(self._firsts, number) - 1
        return self._blocks[index] if index >= 0 else None

    def block_from(self, number: int) -> Block | None:
        """The oldest block that has a line numbered `number` or more."""
        index = max(0, bisect_right(self._firsts, number) - 1)
        if index < len(self._blocks) and self._blocks[index].last < number:
            index += 1
        return self._blocks[index] if index < len(self._blocks) else None

    def backward(self, number: int) -> Iterator[Raw]:
        """Lines numbered `number` or less, newest first."""
        block = self.block_before(number + 1)
        while block is not None:
            for line in range(min(block.line_from(number + 1), block.count) - 1, -1, -1):
                yield block.raw(line)
            block = self.block_before(block.first)

    def forward(self, number: int) -> Iterator[Raw]:
        """Lines numbered `number` or more, oldest first."""
        block = self.block_from(number)
        while block is not None:
            for line in range(block.line_from(number), block.count):
                yield block.raw(line)
            block = self.block_from(block.last + 1)

    def newest(self, source: int, count: int) -> list[bytes]:
        """The last `count` lines kept of one source, oldest first."""
        lines: list[bytes] = []
        for block in reversed(self._blocks):
            if source not in block.sources:
                continue
            for run, data in reversed(list(block.pieces())):
                if run.source == source:
                    lines[:0] = data.split(b"\n")[-1 - count + len(lines) : -1]
                if len(lines) >= count:
                    return lines
        return lines

    def arrived_since(self, at: float) -> int:
        """How many of the lines kept arrived at `at` or later."""
        lines = 0
        for block in reversed(self._blocks):
            if block.newest < at:
                break
            whole = block.oldest >= at
            lines += block.count if whole else sum(r.count for r in block.runs if r.at >= at)
        return lines

    def first_since(self, at: float) -> int | None:
        """Number of the first line kept that arrived at `at` or later; None when none did. What was
        there before a log was followed may stand, as of its own time, between later lines."""
        return next((run.first for run in self.runs() if run.at >= at), None)

    def runs(self) -> Iterator[Run]:
        """Every run kept, in ascending order."""
        for block in self._blocks:
            yield from block.runs

    def _evict(self) -> bool:
        """Drop the oldest block's worth of the largest source; never the newest block."""
        largest = max(self._sizes, key=self._sizes.__getitem__)
        for index, block in enumerate(self._blocks[:-1]):
            if largest in block.sources:
                self._drop(index, largest)
                return True
        if len(self._blocks) > 1:
            self._drop(0, self._blocks[0].runs[0].source)
            return True
        return False

    def _drop(self, index: int, source: int) -> None:
        old = self._blocks[index]
        lost = [run for run in old.runs if run.source == source]
        lines = sum(run.count for run in lost)
        self.count -= lines
        self.evicted += lines
        self.dropped[source] = self.dropped.get(source, 0) + lines
        kept = Block()
        start = index
        if index and self._blocks[index - 1].size + old.size < BLOCK_SIZE:
            start = index - 1  # what is left of neighbours is put together
            kept.adopt(self._blocks[start], -1)
        kept.adopt(old, source)
        self._blocks[start : index + 1] = [kept] if kept.count else []
        self._firsts[start : index + 1] = [kept.first] if kept.count else []
        size = sum(run.size + RUN_COST for run in lost)
        self._sizes[source] -= size
        self.size -= size
