"""What is wrong in a config: every problem at once, each with its place and a way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from warroom.domain.text import harmless, shorten

Path = tuple[str | int, ...]
"""Keys and indices from the top of the file: `("probe", 0, "url")`."""

KEY_WIDTH: Final = 80
"""Longest key that a message writes out, in characters."""


class ConfigError(Exception):
    """The config cannot be used. `str()` is one line a problem: file:line:column: key: message.

    The text is harmless: whatever stands in the file, no control character of it comes through.
    """

    def __init__(self, message: str) -> None:
        super().__init__(harmless(message, lines=True))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at `path`; `hint` says what would be right. `at_key` marks the key itself,
    not its value, as the culprit."""

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False

    @property
    def key(self) -> str:
        """`path` as people write it, harmless and no longer than a line: `probe[0].url`."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return shorten(harmless(text), KEY_WIDTH)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`did you mean "x"?` for the closest allowed word, else the list of what is allowed.

    >>> nearest("htp", ["http", "redis"])
    'did you mean "http"?'
    >>> nearest("mongodb", ["http", "redis"])
    'allowed: http, redis'
    """
    words = sorted(allowed)
    close = difflib.get_close_matches(word[:KEY_WIDTH], words, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"allowed: {', '.join(words)}" if words else ""
