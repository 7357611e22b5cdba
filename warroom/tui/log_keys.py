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
    _key("find", "quotation_mark", "find", "let a text stand out, and go to it", "find", '"'),
    _key("next_match", "semicolon", "next match", "the next line with it, below (n, too)", "",
         "; n"),
    _key("previous_match", "comma", "match before", "the line with it above (N, too)", "", ", N"),
    _key("at_time", "at", "time", "go to a time: 14:35, 5m ago", "at", "@"),
    _key("mark_line", "asterisk", "mark line", "mark the line, or not any more", "mark", "*"),
    _key("next_mark", "right_curly_bracket", "next mark", "the next marked line", "", "}"),
    _key("previous_mark", "left_curly_bracket", "mark before", "the marked line before", "", "{"),
    _key("worse", "greater_than_sign", "worse only", "only from info, warn, error, fatal on", "",
         ">"),
    _key("milder", "less_than_sign", "milder, too", "milder levels, too", "", "<"),
    _key("unfold", "right", "into row", "a folded row line by line; top talkers: only this", "",
         "→"),
    _key("fold", "left", "out of row", "as one row again; top talkers: more again", "", "←"),
    _key("traces", "minus", "fold traces", "stack traces as one row, or not", "traces", "-"),
    _key("repeats", "equals_sign", "count repeats", "the same again as one row, or not",
         "repeats", "="),
    _key("order", "tilde", "order", "as lines were written, or as they came", "order", "~"),
    _key("graph", "vertical_line", "course", "lines and errors over time, or not", "course", "|"),
    _key("wrap", "w", "wrap", "wrap long lines", "wrap"),
    _key("columns", "J", "columns", "fields in columns", "columns"),
    _key("history", "ctrl+o", "old logs", "what was rotated away: access.log.1, .2.gz; :open FILE",
         "history", "ctrl+o"),
)  # fmt: skip
"""In the order of the help. Few are letters: those belong to the actions of a config."""
