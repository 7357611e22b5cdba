"""Chunks of bytes in, whole lines out, whatever the chunks' borders.

A line ends with a line feed; one carriage return before it goes too. What follows the last line
feed is carried over. Lines over the limit are cut and their full length is remembered; the rest
of them is counted, never kept, so a line of any size costs the limit in memory and is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from warroom.domain.text import LINE_LIMIT

_NOTHING: Final[Mapping[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole lines: `data` has `count` line feeds, the last byte among them.

    `cuts` has, by index within the batch, the full length in bytes of lines that were cut.
    """

    data: bytes
    count: int
    cuts: Mapping[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.count > 0

    def lines(self) -> list[bytes]:
        """The lines without their line feeds."""
        lines = self.data.split(b"\n")
        lines.pop()
        return lines


EMPTY: Final = Batch(b"", 0, _NOTHING)


def batch_of(lines: list[bytes], cuts: Mapping[int, int] = _NOTHING) -> Batch:
    """A batch of lines that hold no line feed."""
    return Batch(b"\n".join([*lines, b""]), len(lines), cuts) if lines else EMPTY


class Splitter:
    """Cuts a stream into lines; the result does not depend on how it was chunked.

    >>> splitter = Splitter()
    >>> splitter.feed(b"one\\r\\ntw").lines(), splitter.feed(b"o\\nthree").lines()
    ([b'one'], [b'two'])
    >>> splitter.pending, splitter.flush().lines()
    (b'three', [b'three'])
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._kept = 0
        self._length = 0
        self._ends_with_return = False

    @property
    def pending(self) -> bytes:
        """What has come of the line under way, up to the limit."""
        return b"".join(self._parts)[: self._limit]

    def feed(self, chunk: bytes) -> Batch:
        """The lines that `chunk` completes."""
        if len(chunk) <= self._limit:
            return self._piece(chunk)
        out: list[bytes] = []
        cuts: dict[int, int] = {}
        count = 0
        for start in range(0, len(chunk), self._limit):
            batch = self._piece(chunk[start : start + self._limit])
            for index, length in batch.cuts.items():
                cuts[count + index] = length
            out.append(batch.data)
            count += batch.count
        return Batch(b"".join(out), count, cuts) if count else EMPTY

    def flush(self) -> Batch:
        """The unfinished line as a line, because nothing will finish it."""
        return self._piece(b"\n") if self._length else EMPTY

    def _piece(self, piece: bytes) -> Batch:
        """At most `limit` bytes: only the first line in it can be too long."""
        end = piece.find(b"\n")
        if end < 0:
            self._carry(piece)
            return EMPTY
        self._carry(piece[:end])
        line, length = self._take()
        stop = piece.rfind(b"\n") + 1
        body = piece[end + 1 : stop]
        self._carry(piece[stop:])
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n")
        cuts = {0: length} if length > len(line) else _NOTHING
        return Batch(line + b"\n" + body, 1 + body.count(b"\n"), cuts)

    def _carry(self, part: bytes) -> None:
        if not part:
            return
        # one byte more than the limit is kept: it may be the carriage return that goes
        if self._kept <= self._limit:
            self._parts.append(part[: self._limit + 1 - self._kept])
            self._kept += len(self._parts[-1])
        self._length += len(part)
        self._ends_with_return = part.endswith(b"\r")

    def _take(self) -> tuple[bytes, int]:
        """The carried line, cut, and its full length."""
        line, length = b"".join(self._parts), self._length
        if self._ends_with_return:
            length -= 1
        self._parts.clear()
        self._kept = self._length = 0
        self._ends_with_return = False
        return line[: min(length, self._limit)], length
