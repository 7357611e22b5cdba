"""What a pane lets through: `/` filters in, `!` filters out, by text, pattern or field.

A filter is written as `text` (small letters only match either case), `re:PATTERN`,
`level:error` (that level or worse), `status:502` or `status:5xx`, `source:NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from warroom.logs.decode import without_colours
from warroom.logs.level import LogLevel, level_of
from warroom.logs.patterns import BadPattern, SafePattern
from warroom.logs.ring import Block

_SLOW_STEP: Final = 16
"""Lines between two looks at the clock when each line is costly."""


class BadFilter(ValueError):
    """The filter cannot be used; the message is one plain line."""


class Filter(Protocol):
    """One condition. `text` is how it was written."""

    @property
    def text(self) -> str: ...

    @property
    def slow(self) -> bool:
        """Whether a line is costly enough to look at the clock often."""
        ...

    def keeps(self, line: bytes, source: int) -> bool:
        """Whether the condition holds for a line. Raises patterns.TooSlow."""
        ...


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Holds where `needle` is in the line."""

    text: str
    needle: bytes = field(init=False)
    folded: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", self.text == self.text.lower())
        object.__setattr__(self, "needle", self.text.encode("utf-8", "surrogateescape"))

    @property
    def slow(self) -> bool:
        return False

    def keeps(self, line: bytes, source: int) -> bool:
        line = without_colours(line)
        if not self.folded:
            return self.needle in line
        if self.text.isascii():
            return self.needle in line.lower()
        return self.text in line.decode("utf-8", "replace").lower()

    def find(self, block: Block) -> list[int]:
        """Indices of the lines of `block` that hold the text; one pass in C where possible."""
        data = without_colours(block.data)
        if self.folded:
            if self.text.isascii():
                data = data.lower()
            else:
                data = data.decode("utf-8", "replace").lower().encode("utf-8", "replace")
        needle = self.needle
        position = data.find(needle)
        if position < 0:
            return []
        if data.count(needle) > block.count // 8:
            lines = data.split(b"\n")
            lines.pop()
            return [index for index, line in enumerate(lines) if needle in line]
        found, line, seen = [], 0, 0
        while position >= 0:
            line += data.count(b"\n", seen, position)
            found.append(line)
            end = data.find(b"\n", position)
            line, seen = line + 1, end + 1
            position = data.find(needle, seen)
        return found


@dataclass(frozen=True, slots=True)
class PatternFilter:
    """Holds where a regular expression matches."""

    text: str
    pattern: SafePattern

    @property
    def slow(self) -> bool:
        return True

    def keeps(self, line: bytes, source: int) -> bool:
        return self.pattern.search(without_colours(line))


@dataclass(frozen=True, slots=True)
class LevelFilter:
    """Holds for lines of `least` or worse."""

    text: str
    least: LogLevel

    @property
    def slow(self) -> bool:
        return True

    def keeps(self, line: bytes, source: int) -> bool:
        return level_of(without_colours(line[:1024])) >= self.least


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """Holds for access lines with a status, or one of its class."""

    text: str
    pattern: re.Pattern[bytes]

    @property
    def slow(self) -> bool:
        return True

    def keeps(self, line: bytes, source: int) -> bool:
        return self.pattern.search(line[:8192]) is not None


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Holds for lines of these sources."""

    text: str
    sources: frozenset[int]

    @property
    def slow(self) -> bool:
        return False

    def keeps(self, line: bytes, source: int) -> bool:
        return source in self.sources


def parse_filter(text: str, names: Sequence[str] = ()) -> Filter:
    """The filter that `text` writes; `names` are the sources' names, by index.

    Raises BadFilter.
    """
    if not text:
        raise BadFilter("an empty filter")
    if "\n" in text or "\0" in text:
        raise BadFilter("a filter is one line")
    word, colon, value = text.partition(":")
    if colon and word == "re":
        return _pattern(text, value)
    if colon and word == "level":
        return LevelFilter(text, _level(value))
    if colon and word == "status" and re.fullmatch(r"[1-5](xx|\d\d)", value):
        digits = value.replace("x", r"\d")
        written = rf'" {digits} |"(?:status|status_code|DownstreamStatus)"\s*:\s*"?{digits}\b'
        return StatusFilter(text, re.compile(written.encode()))
    if colon and word == "source":
        chosen = frozenset(i for i, name in enumerate(names) if value.lower() in name.lower())
        if not chosen:
            raise BadFilter(f'no source is called "{value}"; there are: {", ".join(names)}')
        return SourceFilter(text, chosen)
    return TextFilter(text)


def _pattern(text: str, value: str) -> Filter:
    try:
        return PatternFilter(text, SafePattern(value))
    except BadPattern as error:
        raise BadFilter(str(error)) from None


def _level(value: str) -> LogLevel:
    levels = {level.word: level for level in LogLevel if level}
    if value.lower() not in levels:
        raise BadFilter(f'"{value}" is not a level; there are: {", ".join(levels)}')
    return levels[value.lower()]


@dataclass(frozen=True, slots=True)
class Query:
    """What must hold and what must not, together. An empty one keeps every line."""

    ins: tuple[Filter, ...] = ()
    outs: tuple[Filter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ins or self.outs)

    @property
    def step(self) -> int:
        """How many lines to scan before looking at the clock; 0 means a whole block."""
        return _SLOW_STEP if any(f.slow for f in (*self.ins, *self.outs)) else 0

    def keeps(self, line: bytes, source: int) -> bool:
        """Whether a line passes. Raises patterns.TooSlow."""
        return all(f.keeps(line, source) for f in self.ins) and not any(
            f.keeps(line, source) for f in self.outs
        )

    def scan(self, block: Block, low: int, high: int) -> list[int]:
        """Indices, ascending, of the lines low..high-1 of `block` that pass.

        Raises patterns.TooSlow.
        """
        finders = [f for f in self.ins if isinstance(f, TextFilter)]
        losers = [f for f in self.outs if isinstance(f, TextFilter)]
        whole = low == 0 and high == block.count
        if not whole or not (finders or losers):
            lines = range(low, high)
            return [i for i in lines if self.keeps(block.bytes_of(i), block.source(i))]
        kept: Sequence[int] = range(block.count)
        for finder in finders:
            hits = finder.find(block)
            kept = hits if len(kept) == block.count else sorted(set(kept).intersection(hits))
            if not kept:
                return []
        for loser in losers:
            gone = set(loser.find(block))
            kept = [i for i in kept if i not in gone]
        rest = Query(
            tuple(f for f in self.ins if not isinstance(f, TextFilter)),
            tuple(f for f in self.outs if not isinstance(f, TextFilter)),
        )
        if not rest:
            return list(kept)
        return [i for i in kept if rest.keeps(block.bytes_of(i), block.source(i))]
