"""Regular expressions that cannot hang: what a pattern may be, and how much of a line it sees.

Python's `re` backtracks. A pattern with a repeat inside a repeat takes exponential time on a line
made for it, and anybody can write a line into an access log. So such patterns are refused, `.*`
between plain parts is searched for part by part in linear time, and what is left sees only as
many bytes of a line as its repeats allow within milliseconds.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

PATTERN_LIMIT: Final = 256
SEEN_MOST: Final = 4096
SEEN_LEAST: Final = 256
"""Most and least bytes of a line that a pattern sees; one that may see less is refused."""
STEPS: Final = 1 << 22
"""About how many steps of the matcher one line may take at worst: some 40 ms."""
TOO_SLOW_S: Final = 0.03
"""Processor time that each `_STEP_LEAST` lines may take together."""
_INLINE_FLAGS: Final = re.compile(r"\(\?[aiLmsux]+\)")
_FEW: Final = 4
_SMALL: Final = 64
_MANY: Final = 8
"""Where every so many-th line has the pattern, lines are tried one by one at less cost."""
_STEP_LEAST: Final = 16
_STEP_MOST: Final = 64
"""How many lines a pattern is tried on before others get their turn; on lines of `SEEN_LEAST` bytes
that is at worst some 20 ms."""


class BadPattern(ValueError):
    """The pattern is wrong or could hang; the message is one plain line."""


class TooSlow(Exception):
    """Some lines took longer than `TOO_SLOW_S`; the pattern should not be used further."""


class SafePattern:
    """`text` compiled. When it is `folded` (small letters only) it wants lines with ASCII letters
    made small, which is ten times as fast as `re.IGNORECASE`, and so matches either case.

    >>> SafePattern("upstream.*timed out").search(b"Upstream x timed out".lower())
    True
    """

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_LIMIT:
            raise BadPattern(f"the pattern is longer than {PATTERN_LIMIT} characters")
        plain = re.sub(r"\\.", "", text)
        self.folded = plain == plain.lower()
        self._parts: list[re.Pattern[bytes]] = []
        self.seen = SEEN_MOST
        self.step = _STEP_MOST
        """How many lines to try before looking at the clock."""
        self.literal = b""
        """What is in every line that matches: the quick look at many lines."""
        for part in _parts(text):
            tree = _parse(part)
            self.seen = min(self.seen, _seen(tree))
            self.step = min(self.step, max(_STEP_LEAST, STEPS // 2 // _steps(tree, SEEN_LEAST)))
            if "(?" not in text:
                self.literal = max(self.literal, _literal(tree), key=len)
            self._parts.append(re.compile(part.encode()))
            in_line = "(?" not in text and _in_line(tree)
        self._to_end: re.Pattern[bytes] | None = None
        """The whole rest of a line from where it matches."""
        if len(self._parts) == 1 and in_line:
            self._to_end = re.compile(rb"(?:%b)[^\n]*\n" % self._parts[0].pattern)

    def search(self, line: bytes) -> bool:
        """Whether the pattern is in the first `seen` bytes of `line`."""
        line = line[: self.seen]
        position = 0
        for part in self._parts:
            found = part.search(line, position)
            if found is None:
                return False
            position = found.end()
        return True

    def pick(
        self, lines: Sequence[bytes], among: Sequence[int], *, short: bool = False
    ) -> list[int]:
        """Those of `among` whose line has the pattern; `short`: no line is longer than
        `SEEN_LEAST`. Raises TooSlow."""
        began = time.thread_time()
        search = self.search if len(self._parts) > 1 else self._parts[0].search
        if short:
            if self._to_end is not None and isinstance(among, range) and among:
                return self._swept(self._to_end, lines, among)
            return [index for index in among if search(lines[index])]
        picked = []
        for tried, index in enumerate(among):
            line = lines[index]
            if len(line) <= SEEN_LEAST:
                if search(line):
                    picked.append(index)
                continue
            if search(line[: self.seen]):
                picked.append(index)
            if time.thread_time() - began > TOO_SLOW_S * (1 + tried // _STEP_LEAST):
                raise TooSlow
        return picked

    def _swept(self, to_end: re.Pattern[bytes], lines: Sequence[bytes], among: range) -> list[int]:
        """The same in one look at all of them, for a pattern that is never over a line's end."""
        text = b"\n".join(lines[among.start : among.stop]) + b"\n"
        picked: list[int] = []
        line, position = among.start, 0
        for found in to_end.finditer(text):
            begin, end = found.span()
            line += text.count(b"\n", position, begin)
            picked.append(line)
            line, position = line + 1, end
            if len(picked) * _MANY > len(among):
                search = self._parts[0].search
                return picked + [index for index in range(line, among.stop) if search(lines[index])]
        return picked


def bounded(text: str) -> int:
    """How many bytes of a line a pattern may see. Raises BadPattern for one that could hang."""
    return _seen(_parse(text))


def _parse(text: str) -> Any:
    try:
        return parser.parse(text.encode())
    except re.error as error:
        raise BadPattern(f"not a regular expression: {error}") from None
    except (OverflowError, RecursionError):
        raise BadPattern("not a regular expression: too large") from None


def _parts(text: str) -> list[str]:
    """`text` cut at each `.*` that stands outside of groups, when searching the parts one after
    another finds the same lines: every part but the last must have a fixed width, for then its
    first match is the one that ends first."""
    pieces = _cut(text)
    if len(pieces) == 1 or _INLINE_FLAGS.search(text):
        return [text]
    for piece in pieces[:-1]:
        low, high = _parse(piece).getwidth()
        if low != high:
            return [text]
    return [piece for piece in pieces if piece] or [""]


def _cut(text: str) -> list[str]:
    pieces, start, index, depth = [], 0, 0, 0
    in_class = False
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif in_class:
            # `]` right after `[` or `[^` is a member; then the cut is merely not made
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "|" and depth == 0:
            return [text]
        elif text.startswith(".*", index) and depth == 0:
            pieces.append(text[start:index])
            index += 1
            if text[index + 1 : index + 2] in ("?", "+"):
                if text[index + 1] == "+":  # possessive: gives nothing back, another meaning
                    return [text]
                index += 1
            start = index + 1
        index += 1
    return [*pieces, text[start:]]


def _seen(tree: Any) -> int:
    """How many bytes of a line the tree may see so that no line takes over about `STEPS` steps.

    With `k` open repeats there are about n^(k+1) / (k+1)! ways to try on n bytes, times the ways
    that small repeats and choices multiply to. Raises BadPattern when too little would be seen.
    """
    ways, power = _effort(tree)
    seen = int((STEPS * math.factorial(power) / ways) ** (1 / power))
    if seen < SEEN_LEAST:
        raise BadPattern("the pattern has too many repeats or choices; split it into two filters")
    return min(seen, SEEN_MOST)


def _effort(tree: Any) -> tuple[int, int]:
    """How many ways there are, and with which power of a line's length they grow."""
    ways, repeats = _ways(tree, inside=False)
    settled = _settled(tree)
    return ways, repeats - settled + min(settled, 1) + 1  # settled ones cost one scan together


def _steps(tree: Any, seen: int) -> int:
    """About how many steps of the matcher `seen` bytes take at worst."""
    ways, power = _effort(tree)
    steps: int = ways * seen**power // math.factorial(power)
    return steps


def _literal(tree: Any) -> bytes:
    """The longest text that stands in the tree as it is, outside of choices and repeats."""
    longest, run = b"", b""
    for op, argument in _flat(tree):
        run = run + bytes((argument,)) if op is sre.LITERAL else b""
        longest = max(longest, run, key=len)
    return longest


def _in_line(tree: Any) -> bool:
    """Whether it finds the same in a line as where that line stands among others: nothing in it
    matches a line feed or looks at where a line begins or ends."""
    for op, argument in tree:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.SUBPATTERN):
            within = _in_line(argument[-1])
        elif op is sre.BRANCH:
            within = all(map(_in_line, argument[1]))
        elif op in _SINGLE:
            single = compiler.compile(parser.SubPattern(tree.state, [(op, argument)]))
            within = single.fullmatch(b"\n") is None
        else:
            within = False
        if not within:
            return False
    return True


def _settled(tree: Any) -> int:
    """How many open repeats can end in one place only: what must come next is none of theirs, or
    nothing comes any more."""
    flat = _flat(tree)
    found = 0
    for index, (op, argument) in enumerate(flat):
        if op not in (sre.MAX_REPEAT, sre.MIN_REPEAT) or argument[1] <= _SMALL:
            continue
        if index + 1 == len(flat):
            found += 1
            continue
        own, after = _first_bytes(tree, argument[2]), _first_bytes(tree, [flat[index + 1]])
        found += own is not None and after is not None and not own & after
    return found


def _flat(tree: Any) -> list[Any]:
    """The items of a tree in a row, those of groups among them."""
    items: list[Any] = []
    for op, argument in tree:
        if op is sre.SUBPATTERN:
            items += _flat(argument[-1])
        else:
            items.append((op, argument))
    return items


_SINGLE: Final = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)


def _first_bytes(tree: Any, items: Any) -> frozenset[int] | None:
    """The bytes that `items`, one item of one byte or a repeat of it, must begin with; None where
    that is not so simple."""
    if len(items) != 1:
        return None
    op, argument = items[0]
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _first_bytes(tree, argument[2]) if argument[0] >= 1 else None
    if op is sre.SUBPATTERN:
        return _first_bytes(tree, argument[-1])
    if op not in _SINGLE:
        return None
    single = compiler.compile(parser.SubPattern(tree.state, [items[0]]))
    return frozenset(byte for byte in range(256) if single.fullmatch(bytes((byte,))))


def _ways(tree: Any, *, inside: bool) -> tuple[int, int]:
    """How many ways small repeats and choices multiply to, and how many open repeats there are.

    `inside`: within a repeat, where nothing may vary.
    """
    ways, repeats = 1, 0
    for op, argument in tree:
        more, opened = 1, 0
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            more, opened = _ways_of_repeat(argument, inside=inside)
        elif op is sre.SUBPATTERN:
            more, opened = _ways(argument[-1], inside=inside)
        elif op is sre.ATOMIC_GROUP:
            more, opened = _ways(argument, inside=inside)
        elif op is sre.BRANCH:
            if inside:
                raise BadPattern("a choice inside a repeat could hang the console")
            each = [_ways(branch, inside=False) for branch in argument[1]]
            more, opened = sum(way for way, _ in each), max(count for _, count in each)
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            more, opened = _ways(argument[1], inside=inside)
        elif op in (sre.GROUPREF, sre.GROUPREF_EXISTS):
            raise BadPattern("a pattern may not refer back to a group")
        ways, repeats = min(ways * more, STEPS), repeats + opened
    return ways, repeats


def _ways_of_repeat(argument: Any, *, inside: bool) -> tuple[int, int]:
    low, high, inner = argument
    if low == high and high <= _FEW:  # the octets of an address, written as a repeat
        ways, repeats = _ways(inner, inside=inside)
        return min(ways**high, STEPS), repeats * high
    varies = low != high
    if inside and varies:
        raise BadPattern("a repeat inside a repeat could hang the console")
    ways, repeats = _ways(inner, inside=inside or high > 1)
    if not varies:
        return ways, repeats
    if high > _SMALL:
        return ways, repeats + 1
    return ways * (high - low + 1), repeats
