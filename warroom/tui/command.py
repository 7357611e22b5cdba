"""What a key or command of the console is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["incident", "panes", "rows", "logs", "record", "console"]


@dataclass(frozen=True, slots=True)
class Command:
    """`action` names a method `action_*` of the room's screen. `bar` is how early it stands in
    the key bar (0: not there). `word` is what `:` takes. Key names are Textual's."""

    id: str
    keys: str
    title: str
    help: str
    group: Group
    action: str
    bar: int = 0
    word: str = ""
    shown: str = ""

    @property
    def key_text(self) -> str:
        """The first key as people write it."""
        return self.shown or self.key

    @property
    def key(self) -> str:
        """The first key, as Textual names it."""
        return self.keys.partition(",")[0]


_WORDS: Final = {"→": "right", "←": "left"}


def in_words(key: str) -> str:
    """A key as it is written where there is only ASCII: an arrow drawn as `>` were another key."""
    return _WORDS.get(key, key)
