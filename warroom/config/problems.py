"""What is wrong in a config: every problem at once, each with its place and a way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and indices from the top of the file: `("probe", 0, "url")`."""


class ConfigError(Exception):
    """The config cannot be used. `str()` is one line a problem: file:line:column: key: message."""


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
        """`path` as people write it: `probe[0].url`."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`did you mean "x"?` for the closest allowed word, else the list of what is allowed.

    >>> nearest("htp", ["http", "redis"])
    'did you mean "http"?'
    """
    words = sorted(allowed)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"allowed: {', '.join(words)}" if words else ""
