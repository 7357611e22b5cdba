"""What a pane lets through: `/` filters in, `!` filters out, by text, pattern or field.

A filter is written as `text` (small letters only match either case), `re:PATTERN`,
`level:error` (that level or worse), `status:502` or `status:5xx`, `source:NAME`; where the formats
of the logs are known, too, `ip:203.0.113.7 path:/user/*` and whatever else requests are grouped by,
and any field of a line by its name: `user:root order:7`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from warroom.logs.decode import without_colours
from warroom.logs.level import LogLevel, level_of
from warroom.logs.patterns import SEEN_LEAST, BadPattern, SafePattern
from warroom.logs.ring import Block
from warroom.logs.suspects import bad_answers, has_longer, suspects

if TYPE_CHECKING:
    from warroom.logs.chipped import Fields

_FEW: Final = 16
"""A text that one line of so many holds is looked for in all of them at once."""
_SOME: Final = 4096
"""Bytes that tell what most lines of a block have."""
_LONG: Final = 256
_MOST_LONGER: Final = 8
FAST: Final = 1 << 30
"""The step of a condition that costs next to nothing: a whole block at once."""


class BadFilter(ValueError):
    """The filter cannot be used; the message is one plain line."""


class Page:
    """The lines of a block made ready for filters, each form when it is first wanted."""

    def __init__(self, data: bytes, sources: Callable[[int], int]) -> None:
        self.data = without_colours(data)
        self.source = sources
        self._suspects: dict[LogLevel, Sequence[int]] = {}
        self._answers: dict[LogLevel, Sequence[int] | None] = {}
        self._holding: dict[tuple[bytes, bool], Sequence[int]] = {}
        self._common: dict[tuple[bytes, bool], bool] = {}

    @cached_property
    def count(self) -> int:
        return self.data.count(b"\n")

    @cached_property
    def folded(self) -> bytes:
        """`data` with ASCII letters small."""
        return self.data.lower()

    @cached_property
    def folded_wide(self) -> bytes:
        """`data` with all letters small: slow, for texts that are not ASCII."""
        return self.data.decode("utf-8", "replace").lower().encode("utf-8", "replace")

    def suspects(self, least: LogLevel) -> Sequence[int]:
        """Lines that may be of level `least` or worse; the others are not."""
        if least not in self._suspects:
            self._suspects[least] = suspects(self.folded, self.count, least)
        return self._suspects[least]

    def answers(self, least: LogLevel) -> Sequence[int] | None:
        """Lines of level `least` or worse, where every line is one of an access log; else None."""
        if least not in self._answers:
            self._answers[least] = bad_answers(self.data, self.count, least)
        return self._answers[least]

    def holding(self, needle: bytes, *, folded: bool) -> Sequence[int]:
        """Lines with `needle` in them; `folded` has it in small letters and finds either case."""
        key = needle, folded
        if key not in self._holding:
            found = _few(self.folded if folded else self.data, needle, self.count // _FEW)
            if found is None:
                lines = self.folded_lines if folded else self.lines
                # for bytes, `in` raises and forgets a TypeError first: half of what it costs
                found = [i for i, line in enumerate(lines) if line.find(needle) >= 0]
            self._holding[key] = range(self.count) if len(found) == self.count else found
        return self._holding[key]

    def perhaps(self, needle: bytes, *, folded: bool) -> Sequence[int]:
        """The same, or every line where most of the first have it: then a look at each would be
        for nothing."""
        key = needle, folded
        if key not in self._common:
            data = self.folded if folded else self.data
            some = min(len(data), _SOME)
            lines = data.count(b"\n", 0, some)
            self._common[key] = data.count(needle, 0, some) > lines // 2
        return range(self.count) if self._common[key] else self.holding(needle, folded=folded)

    @cached_property
    def short(self) -> bool:
        """Whether no line is longer than what every pattern sees of it."""
        return not has_longer(self.data, SEEN_LEAST)

    @cached_property
    def lines(self) -> list[bytes]:
        return self.data.split(b"\n")[:-1]

    @cached_property
    def folded_lines(self) -> list[bytes]:
        return self.folded.split(b"\n")[:-1]


class Filter(Protocol):
    """One condition. `text` is how it was written."""

    @property
    def text(self) -> str: ...

    @property
    def step(self) -> int:
        """How many lines to try before looking at the clock."""
        ...

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        """Those lines of `among` (indices, ascending) that the condition holds for.

        Raises patterns.TooSlow.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Holds where the text is in the line."""

    text: str
    step: int = FAST

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        needle = self.text.encode("utf-8", "surrogateescape")
        small = self.text == self.text.lower()
        if self.text.isascii() or not small:
            return _both(page.holding(needle, folded=small), among)
        lines = page.folded_wide.split(b"\n")
        return [index for index in among if lines[index].find(needle) >= 0]


def _few(data: bytes, needle: bytes, most: int) -> list[int] | None:
    """Lines that hold `needle`, in one pass over all; None when they are more than `most`: then
    going from line to line costs less."""
    position = data.find(needle)
    found: list[int] = []
    line, seen = 0, 0
    while position >= 0:
        line += data.count(b"\n", seen, position)
        found.append(line)
        if len(found) > most:
            return None
        line, seen = line + 1, data.find(b"\n", position) + 1
        position = data.find(needle, seen)
    return found


@dataclass(frozen=True, slots=True)
class PatternFilter:
    """Holds where a regular expression matches."""

    text: str
    pattern: SafePattern

    @property
    def step(self) -> int:
        return self.pattern.step

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        pattern = self.pattern
        if pattern.literal:
            among = _both(page.perhaps(pattern.literal, folded=pattern.folded), among)
        lines = page.folded_lines if pattern.folded else page.lines
        return pattern.pick(lines, among, short=page.short)


@dataclass(frozen=True, slots=True)
class LevelFilter:
    """Holds for lines of `least` or worse."""

    text: str
    least: LogLevel
    step: int = 256

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        least = self.least
        bad = page.answers(least)
        if bad is not None:
            return _both(bad, among)
        may = page.suspects(least)
        if not isinstance(may, range):
            among = _both(may, among)
        lines = page.lines if among else []
        return [index for index in among if level_of(lines[index]) >= least]


def _both(some: Sequence[int], others: Sequence[int]) -> Sequence[int]:
    """What is in both of two ascending lists."""
    if isinstance(others, range):
        return some[bisect_left(some, others.start) : bisect_left(some, others.stop)]
    known = set(others)
    return [index for index in some if index in known]


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """Holds for access lines with a status, or one of its class."""

    text: str
    pattern: re.Pattern[bytes]
    step: int = 256

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        lines, search = page.lines, self.pattern.search
        return [index for index in among if search(lines[index][:8192])]


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Holds for lines of these sources."""

    text: str
    sources: frozenset[int]
    step: int = FAST

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        return [index for index in among if page.source(index) in self.sources]


def parse_filter(text: str, names: Sequence[str] = (), logs: Fields | None = None) -> Filter:
    """The filter that `text` writes; `names` are the sources' names, by index, and `logs` reads
    their lines. Raises BadFilter.
    """
    if not text:
        raise BadFilter("an empty filter")
    if "\n" in text or "\0" in text:
        raise BadFilter("a filter is one line")
    word, colon, value = text.partition(":")
    if colon and word == "re":
        return _pattern(text, value)
    if colon and logs is not None and (several := _several(text, names, logs)) is not None:
        return several
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
    return _by_fields(text, logs) if colon and logs is not None else TextFilter(text)


def _by_fields(text: str, logs: Fields) -> Filter:
    """A text that holds a colon, or conditions on fields."""
    from warroom.logs.chipped import ChipFilter
    from warroom.logs.drill import parse_chips

    chips = parse_chips(text)
    if chips is None:
        return _by_field(text, logs)
    try:
        return ChipFilter(text, logs.chosen(chips), logs.read)
    except ValueError as error:
        raise BadFilter(str(error)) from None


def _several(text: str, names: Sequence[str], logs: Fields) -> Filter | None:
    """Several conditions that are not all on what requests are grouped by, if `text` is such."""
    from warroom.logs.fielded import AllOf, conditions
    from warroom.logs.keys import GROUPINGS

    found = conditions(text) or []
    if len(found) < 2 or all(name in GROUPINGS for _, name, _ in found):
        return None
    return AllOf(text, tuple(parse_filter(written, names, logs) for written, _, _ in found))


def _by_field(text: str, logs: Fields) -> Filter:
    from warroom.logs.fielded import FieldFilter, conditions

    found = conditions(text) or []
    return FieldFilter(*found[0], logs.parts) if len(found) == 1 else TextFilter(text)


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
        """How many lines to try before looking at the clock."""
        return min((f.step for f in (*self.ins, *self.outs)), default=FAST)

    def keeps(self, line: bytes, source: int) -> bool:
        """Whether a line passes. Raises patterns.TooSlow."""
        return bool(self.pick(Page(line + b"\n", lambda _: source), range(1)))

    def pick(self, page: Page, among: Sequence[int]) -> Sequence[int]:
        """Those lines of `among` that pass, the cheap conditions tried first."""
        for condition in sorted(self.ins, key=_cheapest_first):
            among = condition.pick(page, among)
        for condition in sorted(self.outs, key=_cheapest_first):
            gone = set(condition.pick(page, among))
            among = [index for index in among if index not in gone] if gone else among
        return among


def _cheapest_first(condition: Filter) -> int:
    return -condition.step


class Scanner:
    """Runs a query over blocks; the block under way stays prepared from one slice to the next."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self._block: Block | None = None
        self._count = 0
        self._page: Page | None = None

    def step(self, block: Block) -> int:
        """How many lines of `block` to try before looking at the clock: more where they are short,
        for looking at the clock and taking up again would cost more than they do."""
        longer = _LONG // (1 + block.size // block.count)
        return self.query.step * max(1, min(_MOST_LONGER, longer))

    def scan(self, block: Block, low: int, high: int) -> Sequence[int]:
        """Numbers, ascending, of the lines low..high-1 of `block` that pass.

        Raises patterns.TooSlow.
        """
        if self._page is None or self._block is not block or self._count != block.count:
            self._block, self._count = block, block.count
            self._page = Page(block.data, block.source)
        return block.numbers(self.query.pick(self._page, range(low, high)))
