"""The edges of the composer: whom it is for above, what is asked or said and the keys below."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual import events

from warroom.channels.base import Delivery, Stage
from warroom.tui.screens.telling import due_in_words
from warroom.tui.widgets.lines import Line, Lines, Span, spread, wrapped

if TYPE_CHECKING:
    from warroom.engine.telling import Outcome
    from warroom.tui.screens.composer import ComposerScreen

STYLES: Final = {"sent": "ok", "failed": "down", "UNKNOWN": "unknown", "refused": "degraded"}
"""By what became of an update."""


class Phase(Enum):
    """What the keys are for now."""

    WRITING = auto()
    ASKING = auto()
    SENDING = auto()
    OVER = auto()
    POSTED = auto()


class Head(Lines):
    """Whom it is for, by what, which text, and when it is due."""

    def __init__(self, composer: ComposerScreen) -> None:
        super().__init__(id="head")
        self._composer = composer

    def build(self, width: int, height: int) -> list[Line]:
        composer = self._composer
        target = composer.target
        due, style = due_in_words(target, composer.room.clock.now())
        by = f"by {target.channel}" if target.channel else "by hand"
        left: list[Span] = [
            (" tell ", "badge"),
            (f" {target.audience} ", "bold accent"),
            (f"{by}  ", "dim"),
            (
                f"{composer.stage.value} update"
                if composer.stage is not Stage.UPDATE
                else "update",
                "",
            ),
        ]
        lines: list[Line] = [spread(left, [(due, style), (" ", "")], width)]
        if composer.said:
            lines.append([(" ", ""), (composer.said, "degraded")])
        return lines


class Foot(Lines):
    """What can be done now; a click on a key presses it."""

    def __init__(self, composer: ComposerScreen) -> None:
        super().__init__(id="foot")
        self._composer = composer
        self._edges: list[tuple[int, int, str]] = []
        self._row = 0

    def build(self, width: int, height: int) -> list[Line]:
        first, second = foot(self._composer)
        lines: list[Line] = [[(" ", ""), *part] for part in _wrapped_line(first, width - 2)]
        lines = lines[: height - 1]
        self._row, self._edges, at = len(lines), [], 1
        for (key, _), (does, _) in zip(second[::2], second[1::2], strict=True):
            self._edges.append((at, at + cell_len(key + does) - 1, _NAMES.get(key, key)))
            at += cell_len(key + does)
        return [*lines, [(" ", ""), *second]]

    def on_click(self, event: events.Click) -> None:
        """A click is the key itself: one beside the keys answers nothing."""
        for begin, end, name in self._edges:
            if event.y == self._row and begin <= event.x < end:
                self.app.simulate_key(name)


_NAMES: Final = {"esc": "escape"}
"""What Textual calls a key that is called otherwise here."""


def foot(composer: ComposerScreen) -> tuple[Line, Line]:
    """What is asked or said, and the keys for it."""
    match composer.phase:
        case Phase.ASKING:
            to = f"Tell {composer.target.audience}, by {composer.target.channel}: {composer.where}?"
            return [(to, "bold")], _keys("enter", "send it", "esc", "back to the text")
        case Phase.POSTED:
            said = f"{composer.where}. Posted it? Then it counts as told."
            return [(said, "bold")], _keys("y", "yes, write it down", "n", "no")
        case Phase.SENDING:
            return _on_its_way(composer)
        case Phase.OVER if composer.outcome is not None:
            return _came_of_it(composer.outcome)
    keys = _keys(
        "ctrl+t", "send", "ctrl+y", "copy", "ctrl+n", "stage", "ctrl+o", "other",
        "ctrl+r", "anew", "esc", "close",
    )  # fmt: skip
    return [], keys


def _on_its_way(composer: ComposerScreen) -> tuple[Line, Line]:
    if composer.progress is None or composer.progress.leaving:
        text = composer.progress.text if composer.progress else "writing it down"
        return [(f"{text}…", "accent bold")], _keys("esc", "close; it goes on")
    return [(composer.progress.text, "degraded bold")], _keys("esc", "cancel: nothing left yet")


def _came_of_it(outcome: Outcome) -> tuple[Line, Line]:
    style = f"{STYLES[outcome.state.value]} bold"
    said: list[Span] = [(f"{outcome.state.value}: ", style), (outcome.text, "")]
    if not outcome.saved:
        said.append(("  NOT SAVED: it is kept and will be written", "alarm"))
    if outcome.state.value == Delivery.SENT:
        return said, _keys("enter", "close")
    if outcome.state.value == Delivery.UNKNOWN:
        said.append(("  Look there before you send it again.", "degraded"))
    return said, _keys("enter", "close; the draft is kept", "esc", "back to the text")


def _keys(*words: str) -> Line:
    """Keys and what they do, in turn."""
    pairs = zip(words[::2], words[1::2], strict=True)
    return [span for key, does in pairs for span in ((key, "key"), (f" {does}  ", ""))]


def _wrapped_line(line: Line, width: int) -> list[Line]:
    """A line over several where it is too long; each span keeps its style."""
    if sum(len(text) for text, _ in line) <= width:
        return [line]
    return [[(part, style)] for text, style in line for part in wrapped(text, width)]
