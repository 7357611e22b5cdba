"""Every key of the timeline, declared once: bindings, key bar and help follow."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from warroom.tui.commands import Command, Group
from warroom.tui.widgets.lines import Line


def _key(
    id: str, keys: str, title: str, help: str, group: Group, bar: int = 0, shown: str = "",
    action: str = "",
) -> Command:  # fmt: skip
    return Command(id, keys, title, help, group, action or id, bar, "", shown)


KEYS: Final[tuple[Command, ...]] = (
    _key("help", "question_mark,f1", "help", "every key, and what it does", "console", 1, "?"),
    _key("add", "n", "new", "a new entry, at any time in the past", "record", 2),
    _key("edit", "e", "edit", "edit text, time, tags, audience", "record", 3),
    _key("open", "enter", "edit", "edit; on a narrow screen its detail first", "record"),
    _key("outside", "E", "$EDITOR", "edit the text in $VISUAL or $EDITOR", "record", 0),
    _key("insert", "o", "insert", "a new entry between this one and the next", "record", 8),
    _key("star", "s,asterisk", "star", "star: it matters; or not any more", "record", 5, "s"),
    _key("tag", "number_sign", "tag", "choose tags", "record", 6, "#"),
    _key("audience", "a", "audience", "for whom: inside only, everybody, outside, too", "record",
         12),
    _key("mark", "space", "mark", "mark, to merge", "record", 13, "space"),
    _key("merge", "M", "merge", "merge the marked entries into the earliest", "record", 0),
    _key("retract", "d", "retract", "take it off the timeline, with a reason", "record", 7),
    _key("undo", "u", "undo", "take back the last change made here", "record", 9),
    _key("redo", "U,ctrl+r", "redo", "do again what was taken back", "record", 14),
    _key("verify", "v", "verify", "an outcome that is UNKNOWN: look whether it happened", "record",
         0),
    _key("copy", "y", "copy", "copy the entry to the clipboard", "record", 15),
    _key("take_one", "1", "keep this", "of two versions: the one that is shown", "record", 0, "1",
         "take(1)"),
    _key("take_other", "2", "take other", "of two versions: the other one (3, 4: further ones)",
         "record", 0, "2", "take(2)"),
    _key("take_both", "b", "both", "of two versions: both, one below the other", "record", 0, "b",
         "take(0)"),
    _key("filter", "slash", "filter", "only what contains these words, while you type", "rows", 4,
         "/"),
    _key("conditions", "f", "only…", "only these kinds, authors, tags; starred; with evidence",
         "rows", 10),
    _key("quiet", "m", "noise", "hide health, findings and ticks by warroom, or not", "rows", 11),
    _key("down", "j,down", "down", "next entry", "rows", 0, "j", "move(1)"),
    _key("up", "k,up", "up", "entry before", "rows", 0, "k", "move(-1)"),
    _key("page_down", "pagedown", "page down", "a page further", "rows", 0, "pgdn", "page(1)"),
    _key("page_up", "pageup", "page up", "a page back", "rows", 0, "pgup", "page(-1)"),
    _key("first", "g,home", "first", "the first entry", "rows", 0, "g"),
    _key("last", "G,end", "last", "the last entry, following what comes", "rows", 0, "G"),
    _key("next_day", "right_square_bracket", "next day", "the first entry of the next day", "rows",
         0, "]", "day(1)"),
    _key("previous_day", "left_square_bracket", "day before", "the first entry of the day before",
         "rows", 0, "[", "day(-1)"),
    _key("part", "tab", "detail", "to the detail and the preview, to scroll them", "rows", 16,
         "tab"),
    _key("back", "escape", "back", "clear the filter, then back to the room", "console", 0, "esc"),
    _key("leave", "q,t", "room", "back to the room", "console", 17, "q"),
)  # fmt: skip
"""In the order of the help."""

FORM_KEYS: Final[tuple[Command, ...]] = (
    _key("save", "enter", "saves", "write it down, and close", "record", 1),
    _key("break", "alt+enter", "new line", "also shift+enter, ctrl+j", "record", 2),
    _key("next", "tab", "next", "the next field: time, text, tags", "record", 3),
    _key("outside", "ctrl+g", "$EDITOR", "the text in $VISUAL or $EDITOR", "record", 4),
    _key("leave", "escape", "keeps a draft", "and leaves; nothing is lost", "record", 5, "esc"),
)
"""In the key bar while a form is open, and in the help."""

_TITLES: Final[dict[Group, str]] = {
    "record": "Entries",
    "rows": "Finding and moving",
    "console": "The console",
}
_MOUSE: Final = (
    ("click", "select an entry; on a condition: take it away; on a key below: press it"),
    ("2 clicks", "edit"),
    ("wheel", "scroll what is below the pointer"),
)
_SIGNS: Final = (
    ("★", "starred: it goes into the report for people outside"),
    ("E3", "the third piece of evidence of this incident"),
    ("2 versions", "two people changed it, and neither had seen the other's"),
)


def bindings() -> list[BindingType]:
    """Textual's bindings of every key."""
    made: list[BindingType] = [
        Binding(one.keys, one.action, one.help, show=False, id=f"timeline.{one.id}") for one in KEYS
    ]
    more = (Binding(str(n), f"take({n})", show=False) for n in range(3, 10))
    return [*made, *more]


def _written(one: Command) -> str:
    """Its keys as people write them."""
    others = [key for key in one.keys.split(",")[1:] if len(key) < 7]
    return " ".join([one.key_text, *others])


def help_lines(ascii_only: bool = False) -> list[Line]:
    """Groups of keys and what they do, the mouse, and what the signs mean."""
    lines: list[Line] = []
    for group, title in _TITLES.items():
        lines.append([(title, "title accent")])
        for one in KEYS:
            if one.group == group:
                lines.append([(f"  {_written(one):<10}", "key"), (one.help, "")])
        lines.append([])
    lines.append([("In the form", "title accent")])
    lines += [
        [(f"  {one.key_text:<10}", "key"), (f"{one.title}; {one.help}", "")] for one in FORM_KEYS
    ]
    lines += [[], [("The mouse", "title accent")]]
    lines += [[(f"  {what:<10}", "key"), (does, "")] for what, does in _MOUSE]
    lines += [[], [("Signs", "title accent")]]
    signs = [("*" if ascii_only and sign == "★" else sign, means) for sign, means in _SIGNS]
    lines += [[(f"  {sign:<12}", "mark"), (means, "")] for sign, means in signs]
    return lines
