"""The inner loop of `warroom top`: figures by raw field, keys made of them at the end."""

from __future__ import annotations

import marshal
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, BinaryIO, Final, TypeGuard

from warroom.logs.columns import Field, Layout, columns
from warroom.logs.keys import FIELDS, RANGES, By, column, folded, merged
from warroom.logs.weights import Weights

if TYPE_CHECKING:
    from warroom.logs.places import Places

_READ: Final = 64 * 1024
_FOLD_ABOVE: Final = 400_000
"""Different raw fields above which they are made keys: request lines with random queries."""


class Tally:
    """Counts chunks of lines. Plain counts where clients alone are wanted, else weights."""

    def __init__(self, by: By, *, full: bool, places: Places | None = None) -> None:
        self.by = by
        self._places = places
        self._field: Field = FIELDS[by]
        self.lines = 0
        self.known_lines = 0
        """Lines of files that were recognised."""
        self.weighed = full or self._field != "client"
        self.counts: dict[bytes, int] = defaultdict(int) if self.weighed else Counter()
        self.keys: dict[bytes, int] = {}
        """Figures by key, of what was settled; by address, where ranges of them are wanted."""
        self._weights = Weights()
        self._fold_above = _FOLD_ABOVE

    def take(self, file: BinaryIO, size: int, layout: Layout | None) -> int:
        """Count lines of about `size` bytes read from `file`; how many bytes they had."""
        if self._plain(layout):
            before = file.tell()
            self._count_clients(file.readlines(min(size, _READ)), layout)
            return file.tell() - before
        data = file.read(size)
        if not data.endswith(b"\n"):
            data += file.readline()
        self.add(data, layout)
        return len(data)

    def add(self, data: bytes, layout: Layout | None) -> None:
        """Count whole lines; the last may lack its line feed. Those of no known format are not
        read."""
        if self._plain(layout):
            lines = data.split(b"\n")
            if not lines[-1]:
                lines.pop()
            self._count_clients(lines, layout)
            return
        if data and not data.endswith(b"\n"):
            data += b"\n"
        if layout is None:
            self.lines += data.count(b"\n")
            return
        data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        found = columns(data, layout, self._field)
        self.lines += found.lines
        self.known_lines += found.lines
        if self.weighed:
            self._weigh(column(found, self._field) or [b""] * found.lines, found.results)
        else:
            self.counts.update(found.clients)  # type: ignore[arg-type]

    def _plain(self, layout: Layout | None) -> TypeGuard[Layout]:
        return not self.weighed and layout is not None and layout.client_at is not None

    def _count_clients(self, lines: list[bytes], layout: Layout) -> None:
        self.lines += len(lines)
        self.known_lines += len(lines)
        if layout.client_at:
            clients = [line.partition(b" ")[2].partition(b" ")[0] for line in lines]
        else:
            clients = [line.partition(b" ")[0] for line in lines]
        self.counts.update(clients)  # type: ignore[arg-type]

    def _weigh(self, keys: list[bytes], results: list[bytes]) -> None:
        counts, weight_of = self.counts, self._weights.__getitem__
        for key, weight in zip(keys, map(weight_of, results), strict=True):
            counts[key] += weight
        self._fold()

    def _fold(self) -> None:
        if len(self.counts) <= self._fold_above or self._field not in ("request", "result"):
            return
        fresh: dict[bytes, int] = defaultdict(int)
        for key, figure in folded(self.counts, self.by).items():
            fresh[self._as_field(key)] += figure
        self.counts = fresh
        self._fold_above = max(_FOLD_ABOVE, 2 * len(fresh))

    def _as_field(self, key: bytes) -> bytes:
        """A key written as a field again, so that a later fold finds the same key."""
        if not key:
            return b""
        if self._field == "result":
            return b" %b " % key
        return b"%b / HTTP/1.1" % key if self.by == "method" else b"GET %b HTTP/1.1" % key

    def settle(self) -> None:
        """Make keys of all that was counted."""
        by = "ip" if self.by in RANGES else self.by
        self.keys = merged(self.keys, folded(self.counts, by, self._places))
        self.counts.clear()

    def send(self, pipe: BinaryIO) -> None:
        """Write what is settled for another process."""
        marshal.dump((self.lines, self.known_lines, self.keys), pipe)

    def receive(self, packed: bytes) -> None:
        """Add what another process sent."""
        lines, known, keys = marshal.loads(packed)
        self.lines += lines
        self.known_lines += known
        self.keys = merged(self.keys, keys)
