"""One line of input at the lower edge: notes, filters, the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.reactive import Reactive
from textual.suggester import Suggester
from textual.widgets import Input, Label

from warroom.tui.screens.dialog import Dialog

BREAK: Final = " ⏎ "
"""What stands for a line's end in the one line there is."""


class Line(Input):
    """An input whose text may grow without everything being arranged and drawn anew, twice for
    each letter: in one line, nothing else moves."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))


class Typed(Line):
    """Takes every line of what is pasted, where Textual's own takes the first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+enter,shift+enter,ctrl+j", "break_line", "new line", show=False)
    ]

    def action_break_line(self) -> None:
        self.replace(BREAK, *sorted(self.selection))

    def _on_paste(self, event: events.Paste) -> None:
        text = BREAK.join(event.text.strip("\n").splitlines())
        self.replace(text, *sorted(self.selection))
        event.prevent_default()
        event.stop()


class Prompt(Dialog[str | None]):
    """Gives the text, or None when it was left with Escape. `live` is told of every change.

    `lines` are told apart by BREAK while they are typed, and come back as lines. A `guess` is
    taken by Enter, and replaced by whatever is typed. What is `hidden` is not shown. `said` stands
    beside it until more is typed.
    """

    DEFAULT_CSS = """
    Prompt { background: transparent; align: left bottom; }
    Prompt > Horizontal { height: 1; width: 100%; background: $bar; }
    Prompt Label { width: auto; color: $accent; text-style: bold; background: $bar; }
    Prompt Input { border: none; height: 1; padding: 0; background: $bar; color: $bar-foreground;
        width: 1fr; }
    Prompt Input:focus { border: none; }
    Prompt .note { color: $degraded; text-style: none; max-width: 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel"),
        Binding("tab", "complete", "complete", show=False),
    ]

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        placeholder: str = "",
        live: Callable[[str], None] | None = None,
        suggester: Suggester | None = None,
        lines: bool = False,
        guess: bool = False,
        hidden: bool = False,
        said: str = "",
    ) -> None:
        super().__init__()
        self._hidden, self._noted = hidden, said
        self._lines, self._guess = lines, guess
        self._label, self._value, self._placeholder = label, value, placeholder
        self._live, self._suggester = live, suggester

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label(f" {self._label} ", markup=False)
            yield (Typed if self._lines else Line)(
                self._value,
                placeholder=self._placeholder,
                suggester=self._suggester,
                select_on_focus=self._guess,
                password=self._hidden,
            )
            yield Label(f" {self._noted} " if self._noted else "", markup=False, classes="note")

    def note(self, text: str) -> None:
        """Say something beside what is typed, until more is typed."""
        if text != self._noted:
            self._noted = text
            self.query_one(".note", Label).update(f" {text} " if text else "")

    def action_complete(self) -> None:
        """Take what is suggested, as the right arrow does: shells have it on this key."""
        typed = self.query_one(Input)
        if typed.cursor_at_end:
            typed.action_cursor_right()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.value != self._value:
            self.note("")
        if self._live is not None:
            self._live(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value
        self.dismiss(text.replace(BREAK, "\n") if self._lines else text)
