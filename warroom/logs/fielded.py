"""A filter by a field of any format: `user:root`, `order:7`, `upstream_addr:10.0.0.*`.

Names are those that the sheet of a line and the columns show: what a part means (`user`, `host`),
or how its writer calls it. A line that holds the very words passes, too: whoever looks for
`reason:timeout` in a log that is not recognised finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless_bytes
from warroom.logs.filters import Filter, Page, TextFilter

if TYPE_CHECKING:
    Parts = Callable[[int, bytes], Iterable[tuple[str, bytes]]]
    """The parts of a line of the source of that index, with their names."""

_WORD: Final = re.compile(r'([A-Za-z_@][\w.@-]*+):("(?:[^"\\]|\\.)*+"|[^\s"]\S*+)(?:\s++|\Z)')
_STEP: Final = 32


def conditions(text: str) -> list[tuple[str, str, str]] | None:
    """What each word of `text` wants: (as it is written, name, value); None where it is no row of
    such words.

    >>> conditions('user:root path:"/a b"')
    [('user:root', 'user', 'root'), ('path:"/a b"', 'path', '/a b')]
    >>> conditions("error: no pool") is None, conditions("14:35:02") is None
    (True, True)
    """
    found, position = [], 0
    for match in _WORD.finditer(text):
        if match.start() != position:
            return None
        value = match[2]
        if value.startswith("//"):
            return None  # the address of a page is a text
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found.append((match[0].rstrip(), match[1], value))
        position = match.end()
    return found if found and position == len(text) else None


@dataclass(frozen=True, slots=True)
class FieldFilter:
    """Holds where the part called `name` is `value` (`*` stands for anything, small letters match
    either case), and where the line holds `text` as it is written."""

    text: str
    name: str
    value: str
    parts: Parts
    step: int = _STEP
    _wanted: re.Pattern[str] = field(init=False)
    _said: TextFilter = field(init=False)

    def __post_init__(self) -> None:
        flags = re.IGNORECASE if self.value == self.value.lower() else re.NOFLAG
        wanted = re.compile(".*".join(map(re.escape, self.value.split("*"))), flags | re.DOTALL)
        object.__setattr__(self, "_wanted", wanted)
        object.__setattr__(self, "_said", TextFilter(self.text))

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        said = set(self._said.pick(page, among))
        lines, source = page.lines, page.source
        return [
            index
            for index in self._perhaps(page, among)
            if index in said or self._is_so(lines[index], source(index))
        ]

    def _perhaps(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        """Those that may hold the value. JSON may escape any character of it."""
        longest = max(self.value.split("*"), key=len).lower()
        if not (longest.isascii() and longest.isprintable()) or re.search(r'["\\/]', longest):
            return among
        known = set(page.perhaps(longest.encode(), folded=True))
        return [index for index in among if index in known] if len(known) < page.count else among

    def _is_so(self, line: bytes, source: int) -> bool:
        name = self.name.lower()
        for found, part in self.parts(source, line):
            if found.lower() == name:
                return self._wanted.fullmatch(harmless_bytes(part.strip())) is not None
        return False


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where every one of `filters` does."""

    text: str
    filters: tuple[Filter, ...]

    @property
    def step(self) -> int:
        """That of the one that takes longest."""
        return min(one.step for one in self.filters)

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        for one in sorted(self.filters, key=lambda one: -one.step):
            among = one.pick(page, among)
        return among
