"""A short list to choose from: severity, status, role, theme, actions, checklist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.dialogs import Option
from warroom.tui.widgets.lines import Line, Lines, Span, shortened, spread, width_of


class ChooseBody(Lines):
    """The options, the cursor on one of them."""

    def __init__(self, title: str, options: Sequence[Option], index: int, hint: str) -> None:
        super().__init__(id="choose")
        self.title, self.options, self.index, self.hint = title, list(options), index, hint

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        lines: list[Line] = [
            spread([(corners[0] + h, "focus"), (f" {self.title} ", "title accent")],
                   [(h + corners[1], "focus")], width, h, "focus")
        ]  # fmt: skip
        room = height - 2
        start = max(0, min(self.index - room // 2, len(self.options) - room))
        for number in range(start, start + room):
            content = self._option(number, width - 4) if number < len(self.options) else ()
            lines.append([(v + " ", "focus"), *spread(content, (), width - 4), (" " + v, "focus")])
        hint = [(corners[2] + h, "focus"), (f" {self.hint} ", "dim")]
        lines.append(spread(hint, [(h + corners[3], "focus")], width, h, "focus"))
        return lines

    def _option(self, number: int, width: int) -> Line:
        option = self.options[number]
        here = number == self.index
        style = "cursor" if here else "dim" if option.why_not else ""
        left: list[Span] = (
            [(f"{option.key:>2} ", style or "key")] if option.key else [("   ", style)]
        )
        if option.mark:
            left.append((f"{option.mark} ", style or "accent"))
        left.append((option.text, style))
        note = option.why_not or option.note
        note = shortened(note, max(width - width_of(left) - 2, width // 3))  # the text comes first
        return spread(left, [(f"  {note}", style or "dim")] if note else [], width, " ", style)

    def height_needed(self) -> int:
        return len(self.options) + 2

    def on_click(self, event: events.Click) -> None:
        room = self.size.height - 2
        start = max(0, min(self.index - room // 2, len(self.options) - room))
        number = start + event.y - 1
        if 0 < event.y < self.size.height - 1 and number < len(self.options):
            self.index = number
            self.changed()
            screen = self.screen
            if isinstance(screen, Choose):
                screen.action_take()


class Choose(Dialog[str | None]):
    """Gives the id of the chosen option, or None. An option's own key chooses it at once."""

    DEFAULT_CSS = """
    Choose { align: center middle; background: $background 60%; }
    Choose > ChooseBody { width: 80%; max-width: 84; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "cancel"),
        Binding("enter", "take", "choose"),
        Binding("j,down,tab", "move(1)", "down"),
        Binding("k,up,shift+tab", "move(-1)", "up"),
        Binding("g,home", "move(-10000)", "first"),
        Binding("G,end", "move(10000)", "last"),
    ]

    def __init__(
        self,
        title: str,
        options: Sequence[Option],
        *,
        at: str = "",
        hint: str = "enter choose   esc cancel",
    ) -> None:
        super().__init__()
        index = next((i for i, option in enumerate(options) if option.id == at), 0)
        self._body = ChooseBody(title, options, index, hint)

    def compose(self) -> ComposeResult:
        self._body.styles.height = min(self._body.height_needed(), max(4, self.app.size.height - 4))
        yield self._body

    def action_move(self, by: int) -> None:
        self._body.index = min(max(self._body.index + by, 0), len(self._body.options) - 1)
        self._body.changed()

    def action_take(self) -> None:
        option = self._body.options[self._body.index] if self._body.options else None
        if option is None or not option.why_not:
            self.dismiss(option.id if option else None)

    def on_key(self, event: events.Key) -> None:
        for number, option in enumerate(self._body.options):
            if option.key and event.character == option.key:
                event.stop()
                self._body.index = number
                self.action_take()
                return
