"""Every key and command of the console, declared once.

The declaration feeds the bindings, the key bar, the help, the palette, the command line and the
docs. People remap keys by id under `[console.keys]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from warroom.tui.command import Command, Group
from warroom.tui.log_keys import LOG_KEYS
from warroom.tui.talker_keys import TALKER_KEYS

__all__ = ["COMMANDS", "FORBIDDEN", "Command", "Group", "by_word", "conflicts", "remapped"]

FORBIDDEN: Final = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+z", "ctrl+d"})
"""Never bound: they belong to screen, tmux, flow control, job control and end of file."""


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "help",
        "question_mark,f1",
        "help",
        "every key, and what it does",
        "console",
        "help",
        1,
        "help",
        "?",
    ),
    Command("note", "n", "note", "write a note into the timeline", "record", "note", 3, "note"),
    Command(
        "filter",
        "slash",
        "filter",
        "show only what contains this, while it runs",
        "rows",
        "filter",
        4,
        "filter",
        "/",
    ),
    Command(
        "command",
        "colon",
        "command",
        "the command line, with completion",
        "console",
        "command",
        5,
        "",
        ":",
    ),
    Command("open", "i", "incident", "open an incident", "incident", "open_incident", 0, "open"),
    Command(
        "severity", "v", "severity", "change the severity", "incident", "severity", 6, "severity"
    ),
    Command("status", "u", "status", "change the status", "incident", "status", 7, "status"),
    Command(
        "role", "c", "commander", "take command, or hand a role over", "incident", "role", 0, "role"
    ),
    Command(
        "checklist", "x", "checklist", "tick what is done", "incident", "checklist", 0, "checklist"
    ),
    Command(
        "deadlines",
        "D",
        "deadlines",
        "what is due when; snooze",
        "incident",
        "deadlines",
        0,
        "deadlines",
    ),
    Command(
        "hypotheses",
        "H",
        "hypotheses",
        "what may be the cause, and what was ruled out",
        "incident",
        "hypotheses",
        0,
        "hypotheses",
    ),
    Command(
        "action_items",
        "A",
        "action items",
        "what is to be done afterwards, by whom",
        "record",
        "action_items",
        0,
        "items",
    ),
    Command(
        "fields",
        "P",
        "fields",
        "what the post-mortem still misses",
        "record",
        "fields",
        0,
        "fields",
    ),
    Command(
        "timeline", "t", "timeline", "the timeline's editor", "record", "timeline", 8, "timeline"
    ),
    Command(
        "export",
        "e",
        "export",
        "write the post-mortem, in the shape and format you choose",
        "record",
        "export",
        9,
        "export",
    ),
    Command(
        "pin",
        "p",
        "pin",
        "pin the selected rows or log line as evidence",
        "record",
        "pin",
        0,
        "pin",
    ),
    Command(
        "tell",
        "U",
        "tell",
        "tell people: draft, edit and send a status update",
        "incident",
        "tell",
        0,
        "tell",
    ),
    Command(
        "contacts",
        "I",
        "contacts",
        "whom to call, in the order of the ladder",
        "incident",
        "contacts",
        0,
        "contacts",
    ),
    Command("mitigations", "m", "act", "the list of actions", "incident", "mitigations", 2, "act"),
    Command(
        "ledger",
        "M",
        "changes",
        "what was changed: confirm, verify, take back",
        "incident",
        "ledger",
        0,
        "changes",
    ),
    Command(
        "playbooks",
        "ctrl+r",
        "playbooks",
        "the team's playbooks beside the panes: run, answer, tick off",
        "incident",
        "playbooks",
        0,
        "playbooks",
        "ctrl+r",
    ),
    Command(
        "security",
        "Z",
        "security",
        "a security incident: lock what destroys, or unlock it",
        "incident",
        "security",
        0,
        "security",
    ),
    Command(
        "pane",
        "1,2,3,4,5,6,7,8,9",
        "pane",
        "go to the pane of that number",
        "panes",
        "pane",
        0,
        "",
        "1-9",
    ),
    Command("next", "tab", "next pane", "go to the next pane", "panes", "next_pane"),
    Command(
        "previous", "shift+tab", "previous pane", "go to the pane before", "panes", "previous_pane"
    ),
    Command(
        "zoom",
        "z,plus,underscore",
        "zoom",
        "one pane over the whole room, and back",
        "panes",
        "zoom",
        10,
        "zoom",
    ),
    Command(
        "layout",
        "L",
        "layout",
        "the next layout: room, wide, stack",
        "panes",
        "layout",
        0,
        "layout",
    ),
    Command("down", "j,down", "down", "next row", "rows", "down"),
    Command("up", "k,up", "up", "row before", "rows", "up"),
    Command("page_down", "pagedown,ctrl+f", "page down", "a page further", "rows", "page_down"),
    Command("page_up", "pageup", "page up", "a page back", "rows", "page_up"),
    Command("first", "g,home", "first", "first row, oldest line", "rows", "first"),
    Command("last", "G,end", "last", "last row; logs: newest line, following", "rows", "last"),
    Command("detail", "enter", "detail", "all about the selected row or line", "rows", "detail"),
    Command(
        "sort",
        "o",
        "sort",
        "sort by the next column",
        "rows",
        "sort",
        0,
        "sort",
    ),
    Command("reverse", "O", "reverse", "turn the order around", "rows", "reverse"),
    *TALKER_KEYS,
    Command(
        "mark",
        "space",
        "pause/mark",
        "tables: mark the row; logs: pause",
        "rows",
        "mark",
        0,
        "pause",
    ),
    Command(
        "take",
        "y",
        "take",
        "copy what is selected, or pin it or the pane as evidence",
        "rows",
        "take",
        0,
        "take",
    ),
    *LOG_KEYS,
    Command("theme", "T", "theme", "the next theme", "console", "theme", 0, "theme"),
    Command(
        "share",
        "ctrl+x",
        "mask",
        "screen sharing: mask addresses and secrets",
        "console",
        "share",
        0,
        "share",
        "ctrl+x",
    ),
    Command(
        "refresh",
        "ctrl+l",
        "redraw",
        "look at every system now and draw all anew",
        "console",
        "redraw",
        0,
        "redraw",
    ),
    Command("palette", "ctrl+p", "palette", "search every command", "console", "palette"),
    Command(
        "back",
        "escape",
        "back",
        "close, clear the filter, leave the zoom",
        "console",
        "back",
        0,
        "",
        "esc",
    ),
    Command(
        "quit",
        "q",
        "leave",
        "leave the console; the incident goes on",
        "console",
        "leave",
        11,
        "quit",
    ),
)
"""In the order of the help."""


def remapped(keys: Mapping[str, str]) -> tuple[Command, ...]:
    """COMMANDS with the keys of `[console.keys]`, shown as they are written there."""
    return tuple(replace(c, keys=keys[c.id], shown="") if c.id in keys else c for c in COMMANDS)


def by_word(word: str) -> Command | None:
    """The command that `:` takes as `word`."""
    return next((command for command in COMMANDS if command.word and command.word == word), None)


def conflicts(
    keys: Mapping[str, str], actions: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """What is wrong with a remapping by id and with keys of `actions` (by title)."""
    known = {command.id for command in COMMANDS}
    wrong = [f'no command has the id "{name}"' for name in keys if name not in known]
    wrong += [f"{key} is never bound" for key in keys.values() if key in FORBIDDEN]
    owners: dict[str, str] = {}
    for command in COMMANDS:
        for key in keys.get(command.id, command.keys).split(","):
            other = owners.setdefault(_shown(key), command.id)
            if other != command.id:
                wrong.append(f"{_shown(key)} is the key of both {other} and {command.id}")
    for title, key in actions.items():
        if key in owners:
            wrong.append(f'{key} is the key of {owners[key]}: "{title}" needs another')
    return wrong


_CHARACTERS: Final = {
    "question_mark": "?", "slash": "/", "exclamation_mark": "!", "colon": ":", "plus": "+",
    "underscore": "_", "space": " ", "left_square_bracket": "[", "right_square_bracket": "]",
    "quotation_mark": '"', "semicolon": ";", "comma": ",", "at": "@", "asterisk": "*",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "minus": "-", "equals_sign": "=",
    "vertical_line": "|", "greater_than_sign": ">", "less_than_sign": "<", "tilde": "~",
    "full_stop": ".", "ampersand": "&",
}  # fmt: skip


def _shown(key: str) -> str:
    """The character that a key types, where it has one; its name elsewhere."""
    return _CHARACTERS.get(key.strip(), key.strip())
