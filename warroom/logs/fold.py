"""Lines that belong together as one entry: a stack trace under its message, a line that came again.

Pure functions over the few lines that are looked at, never over the ring. Lines of other sources
in between do not part a trace; a line counts as come again only directly after itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from warroom.logs.decode import without_colours
from warroom.logs.formats.times import instant
from warroom.logs.formats.traces import continues, trace_of
from warroom.logs.level import LogLevel, level_of
from warroom.logs.ring import Raw

_CHAINED: Final = (b"During handling of the above", b"The above exception was the direct")
_GO_ON: Final = (b"goroutine ", b"Caused by: ", b"Suppressed: ", b"... ")
_V8_PLACE: Final = re.compile(rb"(?:node:|file://|/)[^ ]{1,200}:\d+$")
"""Node names the place of an uncaught error on a line of its own."""
_LOOKED_AT: Final = 512
_TIME: Final = re.compile(
    rb"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?"
    rb"|\d\d[ /][A-Z][a-z]{2}[ /]\d{4}[: ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: \d{4})?"
    rb"|(?<!\d)\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    rb"|(?<!\d)1[0-9]{9}(?:\.\d{1,9}|\d{3}(?:\d{3}){0,2})?(?!\d)"
)
_ZONED: Final = re.compile(rb"(?:Z|[+-]\d\d:?\d\d|^\d{10}(?:\.\d+)?)\Z")
_UTC: Final = re.compile(rb" (?:UTC|GMT)\b")
_EARLY: Final = 80
_LONG: Final = 120
_TAIL: Final = 40
"""The last bytes of a long line are no time."""
_APART: Final = 9
"""By so many bytes two writings of a time may differ: some leave out the zeros of a fraction."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row shows. `heads` are the first lines of each time that it came in a row, oldest
    first; `more` the lines that go on the newest of them. `at_least`: it may have begun before
    what was looked at. `inner`: a line of an entry that was opened. `partial`: its end has not
    come yet."""

    heads: tuple[Raw, ...]
    more: tuple[Raw, ...] = ()
    at_least: bool = False
    inner: bool = False
    partial: bool = False

    @property
    def number(self) -> int:
        """Of its oldest line: it names the entry while that grows."""
        return self.heads[0].number

    @property
    def last(self) -> int:
        """Number of the line that stands for it."""
        return self.heads[-1].number

    @property
    def newest(self) -> Raw:
        """The line that stands for it."""
        return self.heads[-1]

    @property
    def times(self) -> int:
        return len(self.heads)

    @property
    def lines(self) -> tuple[Raw, ...]:
        """The newest time it came, whole."""
        return (self.newest, *self.more)

    @property
    def until(self) -> float:
        """When its last line arrived, seconds since the epoch."""
        return self.lines[-1].at

    @property
    def folds(self) -> bool:
        """Whether there is more of it than one line."""
        return bool(self.more) or self.times > 1

    def opened(self) -> tuple[Entry, ...]:
        """Every line on its own."""
        lines = (*self.heads[:-1], *self.lines)
        return tuple(Entry((raw,), inner=index > 0) for index, raw in enumerate(lines))


@dataclass(slots=True)
class Growing:
    """An entry under way, and whose stack trace it has become. Blank lines are held back until
    it is clear that it goes on behind them."""

    lines: list[Raw]
    trace: str = ""
    ended: bool = False
    chained: bool = False
    blanks: list[Raw] = field(default_factory=list)

    def add(self, raw: Raw) -> bool:
        """Take the next line of the same source, if it goes on here."""
        line = without_colours(raw.data[:_LOOKED_AT])
        if not line.strip():
            if not self.trace and len(self.lines) == 1:
                return False
            self.blanks.append(raw)
            return True
        if not self._takes(line, trace_of(line)):
            return False
        self.lines += [*self.blanks, raw]
        self.blanks.clear()
        return True

    def entries(self) -> list[Entry]:
        """The entry, and the blank lines behind it."""
        return [
            Entry((self.lines[0],), tuple(self.lines[1:])),
            *(Entry((blank,)) for blank in self.blanks),
        ]

    @property
    def bad(self) -> bool:
        """Whether its message is one under which a trace may stand."""
        return level_of(without_colours(self.lines[0].data[:_LOOKED_AT])) >= LogLevel.WARN

    def _takes(self, line: bytes, begins: str) -> bool:
        if line[:1] in (b" ", b"\t"):
            return True
        if not self.trace:
            return self._begins(line, begins)
        if self.trace == "python":
            return self._python(line, begins)
        return continues(line) and (not begins or line.startswith(_GO_ON))

    def _begins(self, line: bytes, begins: str) -> bool:
        """A trace stands under the message of who logged it."""
        uncaught = begins == "node" and len(self.lines) > 1
        if (
            (uncaught and _V8_PLACE.match(self.lines[0].data))
            or line.startswith(b"goroutine ")
            or (begins and self.bad)
        ):
            self.trace = begins
        return bool(self.trace) or (line.startswith(_GO_ON) and self.bad)

    def _python(self, line: bytes, begins: str) -> bool:
        if not self.ended:  # the first line that is not indented says what was raised
            self.ended = True
            return True
        if line.startswith(_CHAINED):
            self.chained = True
            return True
        if begins == "python" and self.chained:
            self.ended = self.chained = False
            return True
        return False


def folded(raws: Iterable[Raw]) -> list[Entry]:
    """Entries of lines that are given in ascending order: those that go on what their source said
    before stand under it.

    >>> lines = [b"ERROR boom", b"Traceback (most recent call last):", b"  File x", b"E: y", b"ok"]
    >>> [len(entry.more) for entry in folded(Raw(n, 0, 0.0, line, 0) for n, line in
    ...  enumerate(lines))]
    [3, 0]
    """
    begun: list[Growing] = []
    under_way: dict[int, Growing] = {}
    for raw in raws:
        before = under_way.get(raw.source)
        if before is None or not before.add(raw):
            under_way[raw.source] = fresh = begin(raw)
            begun.append(fresh)
    made = [entry for growing in begun for entry in growing.entries()]
    return sorted(made, key=lambda entry: entry.number)


def begin(raw: Raw) -> Growing:
    """An entry that begins with `raw`."""
    return Growing([raw], trace_of(without_colours(raw.data[:_LOOKED_AT])))


def repeated(entries: Sequence[Entry]) -> list[Entry]:
    """`entries` with those that say the same, one directly after the other, as one that counts.

    >>> said = [b"14:35:01 pool full", b"14:35:02 pool full", b"14:35:03 ok"]
    >>> [entry.times for entry in repeated([Entry((Raw(n, 0, 0.0, line, 0),)) for n, line in
    ...  enumerate(said)])]
    [2, 1]
    """
    found: list[Entry] = []
    run: list[Entry] = []
    for entry in entries:
        if run and not _same(run[-1], entry):
            found.append(_one(run))
            run = []
        run.append(entry)
    return [*found, _one(run)] if run else found


def _one(run: Sequence[Entry]) -> Entry:
    if len(run) == 1:
        return run[0]
    heads = tuple(head for entry in run for head in entry.heads)
    return replace(run[-1], heads=heads, at_least=run[0].at_least)


def _same(one: Entry, other: Entry) -> bool:
    if one.inner or other.inner or one.partial or other.partial:
        return False
    if len(one.more) != len(other.more) or one.newest.source != other.newest.source:
        return False
    return all(
        _says_same(mine.data, theirs.data)
        for mine, theirs in zip(one.lines, other.lines, strict=True)
    )


def _says_same(one: bytes, other: bytes) -> bool:
    """Whether two lines differ in their times alone."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > _APART or (
        min(len(one), len(other)) > _LONG and one[-_TAIL:] != other[-_TAIL:]
    ):
        return False
    return timeless(one) == timeless(other)


def timeless(line: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind the first time that `line` writes; JSON may write it late."""
    found = _TIME.search(line, 0, _LOOKED_AT if line[:1] == b"{" else _EARLY)
    return (line[: found.start()], line[found.end() :]) if found else (line, b"")


def zoned_time(raw: Raw) -> float | None:
    """When `raw` says that it was written, seconds since the epoch; None when it says no time, or
    not in which zone.

    >>> zoned_time(Raw(1, 0, 1.8e9, b"2026-01-01 00:00:01 UTC up", 0))
    1767225601.0
    >>> zoned_time(Raw(1, 0, 1.8e9, b"2026-01-01 00:00:01 up", 0)) is None
    True
    """
    line = without_colours(raw.data[:_LOOKED_AT])
    found = _TIME.search(line, 0, _LOOKED_AT if line[:1] == b"{" else _EARLY)
    if found is None:
        return None
    said = found[0].strip()
    if not (said.isdigit() or _ZONED.search(said) or _UTC.match(line, found.end())):
        return None
    return instant(said, near=raw.at)


def own_time(raw: Raw) -> float | None:
    """When `raw` says that it was written, seconds since the epoch; None when it says none. A
    time without a zone is taken as UTC."""
    line = without_colours(raw.data[:_LOOKED_AT])
    found = _TIME.search(line, 0, _LOOKED_AT if line[:1] == b"{" else _EARLY)
    return instant(found[0].strip(), near=raw.at) if found else None
