"""The help: every key and command from the one declaration, and what can be acted on here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from warroom.tui.command import in_words
from warroom.tui.commands import Command, Group
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.engine.executor import Action

_TITLES: Final[dict[Group, str]] = {
    "incident": "The incident",
    "record": "The record",
    "panes": "Panes",
    "rows": "Rows and lines",
    "logs": "Logs",
    "console": "The console",
}


def help_lines(
    commands: Sequence[Command], actions: Sequence[Action], *, ascii_only: bool = False
) -> list[Line]:
    """Groups of `key  :word  what it does`, then the actions with their keys."""
    lines: list[Line] = []
    for group, title in _TITLES.items():
        lines += [[(title, "title accent")]]
        for command in commands:
            if command.group == group:
                key = in_words(command.key_text) if ascii_only else command.key_text
                lines.append(_line(key, command.word, command.help))
        lines.append([])
    lines.append(
        [
            (
                "Actions here: a key shows the card, nothing runs before it is confirmed",
                "title accent",
            )
        ]
    )
    for action in actions:
        lines.append(_line(action.key or " ", "", f"{action.title} ({action.spec.risk})"))
    if not actions:
        lines.append(
            [("  none: go to a pane with rows, or add [[mitigation]] to the config", "dim")]
        )
    lines += [[], [("Status", "title accent")]]
    lines.append(
        [
            ("  ● ok", "ok"),
            ("   ▲ degraded", "degraded"),
            ("   ✖ down", "down"),
            ("   ? unknown", "unknown"),
        ]
    )
    return lines


def _line(key: str, word: str, text: str) -> Line:
    return [(f"  {key:<10}", "key"), (f"{':' + word if word else '':<14}", "dim"), (text, "")]
