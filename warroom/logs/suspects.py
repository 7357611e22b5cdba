"""Which lines of many may be of a bad level, found in one pass over all of them at once.

Reading the level of each line costs microseconds; most lines have not one of the words that a bad
level is named by. What is found here is read; what is not cannot be bad: whatever `level_of` comes
to know has to be known here, too, which a test holds it to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from warroom.logs.level import ANSWER, LOOKED_AT, LogLevel

_ERRORS: Final = (
    rb"e(?:rr|ror|merg|xception)|fa(?:tal|il)|panic|c(?:rit|aused by: )|alert|traceback|uncaught "
    rb'|s(?:evere|tatus(?:_code)?"\s*:\s*"?5)|"(?: 5\d\d |level"\s*:\s*(?:[5-9]\d|\d{3}))'
    rb"|\n(?:[ef]\d{4} |<\d)"
)
"""What begins alike is tried together: that takes a third less."""
_WARNINGS: Final = (
    rb'|w(?:arn|rn)|" 4\d\d |status(?:_code)?"\s*:\s*"?4|"level"\s*:\s*4\d|\nw\d{4} | [#] '
)
_OF_LEVEL: Final = {
    LogLevel.WARN: re.compile(_ERRORS + _WARNINGS),
    LogLevel.ERROR: re.compile(_ERRORS),
    LogLevel.FATAL: re.compile(_ERRORS),
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
    if len(answers) != count or _has_longer(data):
        return None
    if least <= LogLevel.INFO:
        return range(count)
    bad = _BAD_ANSWERS.get(least)
    return [found.start() for found in bad.finditer(answers)] if bad is not None else ()


def _has_longer(data: bytes) -> bool:
    """Whether a line is longer than what is looked at when a level is read."""
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + LOOKED_AT + 1)
        if end < 0:
            return True
        at = end + 1
    return False


def suspects(folded: bytes, count: int, least: LogLevel) -> Sequence[int]:
    """Indices, ascending, of the lines in `folded` (`count` lines with ASCII letters small, each
    with its line feed) that may be of level `least` or worse."""
    pattern = _OF_LEVEL.get(least)
    if pattern is None:
        return range(count)
    text = b"\n" + folded
    found: list[int] = []
    line, seen = -1, 0
    suspect = pattern.search(text)
    while suspect is not None:
        # a match that begins with the line feed before its line is of the line behind it
        at = suspect.start() + 1
        line += text.count(b"\n", seen, at)
        found.append(line)
        if len(found) * _TOO_MANY > count:
            return range(count)
        seen = text.find(b"\n", at)
        suspect = pattern.search(text, seen) if seen >= 0 else None
    return found
