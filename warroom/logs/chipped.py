"""A filter by what requests are grouped by: `ip:203.0.113.7 path:/user/*`.

It reads the fields of each line as its log was recognised; what is quickly seen to lack them is
not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol

from warroom.logs.drill import Chip, Chosen, Read

if TYPE_CHECKING:
    from warroom.logs.columns import Columns
    from warroom.logs.filters import Page


class Fields(Protocol):
    """Whoever knows how the lines of each log are read."""

    def read(self, index: int, data: bytes) -> Columns | None:
        """The columns of whole lines of the source of that index, if they can be read."""
        ...

    def parts(self, index: int, line: bytes) -> Iterable[tuple[str, bytes]]:
        """The parts of a line of that source, by their writer's names and by their meaning."""
        ...

    def chosen(self, chips: Sequence[Chip]) -> Chosen:
        """Picks what passes every chip. Raises ValueError for what is not known of clients."""
        ...


_WHOLE: Final = ("ip", "status", "method", "path", "url", "agent", "host")
"""Groupings whose keys stand in the line as they are, but for the stars of a path."""


@dataclass(frozen=True, slots=True)
class ChipFilter:
    """Holds for lines that every chip lets through."""

    text: str
    chosen: Chosen
    read: Read
    step: int = 256
    _needles: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        needles = tuple(filter(None, map(_needle, self.chosen.chips)))
        object.__setattr__(self, "_needles", needles)

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        lines = page.lines
        for needle in self._needles:
            among = [index for index in among if needle in lines[index]]
        kept: list[int] = []
        for source, group in groupby(among, page.source):
            of_source = list(group)
            data = b"\n".join(lines[index] for index in of_source) + b"\n"
            found = self.read(source, data)
            if found is not None:
                kept += [of_source[place] for place in self.chosen.places_in(found)]
        return kept


def _needle(chip: Chip) -> bytes:
    """What surely stands in every line that the chip lets through, to the byte; empty where
    nothing surely does: an address may be written in several ways, a text may be escaped."""
    if chip.by not in _WHOLE or not chip.key.isascii() or (chip.by == "ip" and ":" in chip.key):
        return b""
    if any(char in chip.key for char in '"\\ …'):
        return b""
    return max(chip.key.split("*"), key=len).encode()
