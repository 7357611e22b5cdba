"""Every key of the logs pane, declared once: a part of the console's commands."""

from __future__ import annotations

from typing import Final

from warroom.tui.command import Command


def _key(
    id: str, keys: str, title: str, help: str, word: str = "", shown: str = "", action: str = ""
) -> Command:
    return Command(id, keys, title, f"logs: {help}", "logs", action or id, 0, word, shown)


LOG_KEYS: Final[tuple[Command, ...]] = (
    _key("exclude", "exclamation_mark", "hide", "hide what contains this", "hide", "!"),
    _key("next_error", "right_square_bracket", "next error", "the next line of level error", "",
         "]"),
    _key("previous_error", "left_square_bracket", "previous error", "the error before", "", "["),
    _key("wrap", "w", "wrap", "wrap long lines", "wrap"),
)  # fmt: skip
"""In the order of the help. Few are letters: those belong to the actions of a config."""
