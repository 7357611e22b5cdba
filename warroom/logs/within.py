"""Only the lines of a stretch of time, by the time that each line says: `top --last 15m`.

A log is written in the order of its times, nearly: a line may stand before older ones by `SLACK_S`
seconds at most. So in a file the stretch is found by halving, and only near its edges the time of
every line is read. A line that says no time belongs to the one before it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, BinaryIO, Final

from warroom.logs.formats.times import instant

if TYPE_CHECKING:
    from warroom.logs.columns import Layout

SLACK_S: Final = 120.0
_NEAR: Final = 64 * 1024
"""Bytes that are read through rather than halved."""
_FAR: Final = 4 * 1024 * 1024
"""Bytes in which some line must say a time."""
_REMEMBERED: Final = 10_000


def local_zone() -> tzinfo:
    """This machine's: that of times that say none."""
    return datetime.now(UTC).astimezone().tzinfo or UTC


@dataclass(slots=True)
class Within:
    """From `since` to before `until`, seconds since the epoch. `newest` is the latest time that any
    line said that was looked at (0: none did), which tells why nothing was found."""

    since: float
    until: float
    zone: tzinfo = field(default_factory=local_zone)
    newest: float = 0.0
    _inside: bool = False
    _known: dict[bytes, float | None] = field(default_factory=dict)

    def enter(self, *, inside: bool) -> None:
        """Begin at another place, behind a line that is of this time, or is not."""
        self._inside = inside

    def pick(self, data: bytes, layout: Layout) -> bytes:
        """The lines of `data`, whole ones, that are of this time."""
        kept = []
        for line in data.splitlines(keepends=True) if b"\r" not in data else _lines(data):
            at = self.time_of(line, layout)
            if at is not None:
                self._inside = self.since <= at < self.until
            if self._inside or (layout.format.headed and line.startswith(b"#")):
                kept.append(line)
        return b"".join(kept)

    def time_of(self, line: bytes, layout: Layout) -> float | None:
        """When a line says it was written."""
        if layout.client_at is not None:  # of the common family: quickly, between its brackets
            start = line.find(b"[") + 1
            at = self._instant(line[start : line.find(b"]", start)]) if start else None
            if at is not None:
                return at
        roles = layout.read(line.rstrip(b"\r\n"))
        return self._instant(roles.get("time", b"")) if roles is not None else None

    def _instant(self, written: bytes) -> float | None:
        if written not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[written] = instant(written, self.until, self.zone) if written else None
        at = self._known[written]
        if at is not None and at > self.newest:
            self.newest = at
        return at

    def stretch(self, file: BinaryIO, layout: Layout) -> list[tuple[int, int, bool]]:
        """Parts of a file that are to be counted, (begin, end, whether each line's time must be
        read): its edges and what lies between them. Places are where lines begin."""
        if layout.format.headed:
            return [(0, file.seek(0, os.SEEK_END), True)]
        first, _ = self._place(file, layout, self.since - SLACK_S)
        _, low = self._place(file, layout, self.since + SLACK_S)
        high, _ = self._place(file, layout, self.until - SLACK_S)
        _, last = self._place(file, layout, self.until + SLACK_S)
        if high <= low:
            return [(first, last, True)]
        return [(first, low, True), (low, high, False), (high, last, True)]

    def _place(self, file: BinaryIO, layout: Layout, wanted: float) -> tuple[int, int]:
        """The lines from `wanted` on begin between these places, `_NEAR` bytes apart or so."""
        low, high = 0, file.seek(0, os.SEEK_END)
        tail = max(0, high - _NEAR)
        newest = self._time_from(file, layout, tail, high)  # none, in the middle of a long trace
        if newest is not None and self._first_from(file, layout, tail, wanted, high) is None:
            return high, high
        while high - low > _NEAR:
            middle = (low + high) // 2
            at = self._time_from(file, layout, middle, high)
            if at is None or at >= wanted:
                high = middle
            else:
                low = middle
        return _line_from(file, low), self._timed_from(file, layout, high)

    def _timed_from(self, file: BinaryIO, layout: Layout, place: int) -> int:
        """The first place from `place` on at which a line begins that says a time."""
        position = _line_from(file, place)
        end = position + _FAR
        while position < end and (line := file.readline()):
            if self.time_of(line, layout) is not None:
                break
            position += len(line)
        return position

    def _time_from(self, file: BinaryIO, layout: Layout, place: int, end: int) -> float | None:
        """The first time that a line behind `place` says."""
        return self._first_from(file, layout, place, float("-inf"), end)

    def _first_from(
        self, file: BinaryIO, layout: Layout, place: int, least: float, end: int
    ) -> float | None:
        """The first time from `least` on that a line behind `place` says."""
        position = _line_from(file, place)
        end = min(end, position + _FAR)
        while position < end:
            line = file.readline(_NEAR)
            if not line:
                break
            position += len(line)
            at = self.time_of(line, layout)
            if at is not None and at >= least:
                return at
        return None


def _line_from(file: BinaryIO, place: int) -> int:
    """The first place from `place` on at which a line begins; the file stands there."""
    if place <= 0:
        file.seek(0)
        return 0
    file.seek(place - 1)
    return place - 1 + len(file.readline())


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    end = lines.pop()
    return [line + b"\n" for line in lines] + ([end] if end else [])
