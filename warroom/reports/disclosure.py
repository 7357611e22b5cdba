"""What in a text for the public had better not be there: marked before it is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SIGNS: Final = tuple(
    (what, re.compile(pattern, re.IGNORECASE))
    for what, pattern in (
        ("an IP address", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"),
        (
            "an IP address",
            r"(?<![\w:])(?=:{0,2}[0-9a-f])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])",
        ),
        ("an e-mail address", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
        ("an address", r"\b[a-z][a-z0-9+.-]{1,10}://[^\s<>()]{1,300}"),
        ("a host's name", r"(?<![\w.@/-])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])"),
        ("a secret, perhaps", r"\b(?:password|passwd|token|secret|api[_-]?key)\b\s*[=:]\s*\S+"),
    )
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
LIMIT: Final = 20_000
"""Characters that are looked through: at every key that is typed."""
_LEAST: Final = 12
"""Characters from which on a line of an internal entry is known again."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A stretch of the text, from `start` up to `end`, and what it seems to be."""

    start: int
    end: int
    what: str


def hints(text: str, names: Iterable[str] = (), entries: Iterable[str] = ()) -> tuple[Hint, ...]:
    """What `text` gives away, in order and without overlaps.

    `names` are those of hosts, people and systems that the public does not know; `entries` the
    texts of entries that are not for the public.
    """
    text = text[:LIMIT]
    found = [
        Hint(match.start(), match.end(), what)
        for what, sign in _SIGNS
        for match in sign.finditer(text)
        if not _CLOCK.fullmatch(match[0])
    ]
    for name in {name for name in names if len(name) > 1}:
        sign = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        found += [Hint(m.start(), m.end(), "an internal name") for m in sign.finditer(text)]
    for line in {line.strip() for entry in entries for line in entry.split("\n")}:
        at = text.find(line) if len(line) >= _LEAST else -1
        if at >= 0:
            found.append(Hint(at, at + len(line), "from an internal entry"))
    return tuple(_apart(found))


def _apart(found: Iterable[Hint]) -> list[Hint]:
    """Of hints that overlap the first and longest."""
    kept: list[Hint] = []
    for hint in sorted(found, key=lambda hint: (hint.start, -hint.end)):
        if not kept or hint.start >= kept[-1].end:
            kept.append(hint)
    return kept
