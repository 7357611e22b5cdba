"""Which lines of many may be of a bad level, found in one pass over all of them at once.

Reading the level of each line costs microseconds; most lines have not one of the words that a bad
level is named by. What is found here is read; what is not cannot be bad: whatever `level_of` comes
to know has to be known here, too, which a test holds it to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from warroom.logs.level import ANSWER, LOOKED_AT, LogLevel


@dataclass(frozen=True, slots=True)
class _Signs:
    """What stands in every line of a level or a worse one, letters small.

    Each word is looked for by itself: that leaps over what cannot hold it, and takes two thirds of
    the time of one pattern for all. `quoted` patterns need looking for only where quotes are;
    `first` is what lines begin with, behind the line feed before them.
    """

    words: tuple[bytes, ...]
    quoted: tuple[re.Pattern[bytes], ...]
    first: re.Pattern[bytes]


def _signs(words: Sequence[bytes], status: bytes, number: bytes, letters: bytes) -> _Signs:
    quoted = (
        rb'" %b\d\d ' % status,
        rb'status(?:_code)?"\s*:\s*"?%b' % status,
        rb'"level"\s*:\s*(?:%b\d|\d{3})' % number,
    )
    first = re.compile(rb"\n(?:%b\d{4} |<\d)" % letters)
    return _Signs(tuple(words), tuple(map(re.compile, quoted)), first)


_ERROR_WORDS: Final = (
    b"err", b"eror", b"exception", b"emerg", b"fatal", b"fail", b"panic", b"crit", b"caused by: ",
    b"alert", b"traceback", b"uncaught ", b"severe",
)  # fmt: skip
_ERRORS: Final = _signs(_ERROR_WORDS, b"5", b"[5-9]", b"[ef]")
_OF_LEVEL: Final = {
    LogLevel.WARN: _signs((*_ERROR_WORDS, b"warn", b"wrn", b" # "), b"[45]", b"[4-9]", b"[efw]"),
    LogLevel.ERROR: _ERRORS,
    LogLevel.FATAL: _ERRORS,
}
_ANSWER: Final = re.compile(ANSWER + rb"[^\n]*\n")
_BAD_ANSWERS: Final = {LogLevel.WARN: re.compile(b"[45]"), LogLevel.ERROR: re.compile(b"5")}
_TOO_MANY: Final = 4
"""With every so many-th line suspect, all are read at less cost."""


def bad_answers(data: bytes, count: int, least: LogLevel) -> Sequence[int] | None:
    """Indices, ascending, of the lines in `data` (`count` lines, each with its line feed) that are
    of level `least` or worse, where every line says how a request was answered; else None."""
    if b"HTTP/" not in data[: data.find(b"\n")]:
        return None
    # as many answers as lines: each ends with the line feed of its own, so each line has one
    answers = b"".join(_ANSWER.findall(data))
    if len(answers) != count or has_longer(data, LOOKED_AT):
        return None
    if least <= LogLevel.INFO:
        return range(count)
    bad = _BAD_ANSWERS.get(least)
    return [found.start() for found in bad.finditer(answers)] if bad is not None else ()


def has_longer(data: bytes, most: int) -> bool:
    """Whether a line of `data` is longer than `most` bytes."""
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + most + 1)
        if end < 0:
            return True
        at = end + 1
    return False


def suspects(folded: bytes, count: int, least: LogLevel) -> Sequence[int]:
    """Indices, ascending, of the lines in `folded` (`count` lines with ASCII letters small, each
    with its line feed) that may be of level `least` or worse."""
    signs = _OF_LEVEL.get(least)
    if signs is None:
        return range(count)
    text = b"\n" + folded
    places: list[int] = []
    for place in _places(text, signs):
        places.append(place)
        if len(places) * _TOO_MANY > count:
            return range(count)
    return _lines_of(text, sorted(places))


def _places(text: bytes, signs: _Signs) -> Iterator[int]:
    """Where in `text` the signs are, each once a line."""
    for word in signs.words:
        at = text.find(word)
        while at >= 0:
            yield at
            at = text.find(word, text.find(b"\n", at))
    for pattern in signs.quoted if text.find(b'"') >= 0 else ():
        yield from (found.start() for found in pattern.finditer(text))
    # these begin with the line feed before their line
    yield from (found.start() + 1 for found in signs.first.finditer(text))


def _lines_of(text: bytes, places: Sequence[int]) -> list[int]:
    """The lines of these places, ascending; the first begins behind the first line feed."""
    found: list[int] = []
    line, seen = -1, 0
    for at in places:
        if at >= seen:
            line += text.count(b"\n", seen, at)
            found.append(line)
            seen = text.find(b"\n", at)
    return found
