"""A box for text of several lines, whose keys leave those of screen, tmux and the shell alone."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from warroom.tui.commands import FORBIDDEN

_TAKEN: Final = FORBIDDEN | {"ctrl+y", "ctrl+x", "ctrl+c"}
"""Keys that are not the box's: what copying and leaving are to the console."""


def _own_bindings() -> list[BindingType]:
    """Textual's, without the keys that are somebody else's; undo has the key it has in emacs."""
    kept: list[BindingType] = [Binding("ctrl+underscore", "undo", "undo", show=False)]
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in _TAKEN]
            if keys:
                kept.append(replace(binding, key=",".join(keys)))
    return kept


class Writing(TextArea, inherit_bindings=False):
    """Wraps softly; tab goes on to the next widget."""

    DEFAULT_CSS = """
    Writing { border: none; padding: 0 1; background: $surface; color: $foreground; }
    Writing:focus { border: none; }
    Writing .text-area--cursor-line { background: $surface; }
    Writing .text-area--cursor { background: $cursor-background; color: $cursor-foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = _own_bindings()

    def __init__(self, text: str, *, id: str | None = None) -> None:
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            max_checkpoints=200,
        )
