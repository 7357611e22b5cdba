"""The fields of the form: a text of many lines that enter saves, and choices to toggle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from warroom.domain.text import harmless
from warroom.tui.commands import FORBIDDEN
from warroom.tui.screens.timeline.content import AUDIENCES, Content, tags_offered
from warroom.tui.widgets.lines import Line, Lines, Span

BREAKS: Final = frozenset({"alt+enter", "shift+enter", "ctrl+j"})
"""Keys that begin a new line; enter saves, as everywhere in the console."""


def _allowed() -> list[BindingType]:
    """Textual's keys for a text, without those that belong to screen, tmux and job control."""
    made: list[BindingType] = []
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in FORBIDDEN]
            if keys:
                made.append(replace(binding, key=",".join(keys)))
    return [*made, Binding("ctrl+underscore", "undo", "undo", show=False)]


class Text(TextArea, inherit_bindings=False):
    """What happened, in as many lines as it takes."""

    BINDINGS: ClassVar[list[BindingType]] = _allowed()

    def __init__(self, text: str, submit: Callable[[], object]) -> None:
        super().__init__(text, id="text", soft_wrap=True, tab_behavior="focus")
        self._submit = submit
        self.highlight_cursor_line = False

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._submit()
        elif event.key in BREAKS and not self.read_only:
            event.stop()
            event.prevent_default()
            self.replace("\n", *self.selection, maintain_selection_offset=False)
        else:
            await super()._on_key(event)


class Choices(Lines, can_focus=True):
    """Tags, audience and star: by number and letter, or with the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"tag({n})", show=False) for n in range(1, 10)),
        Binding("a", "audience", show=False),
        Binding("s,asterisk", "star", show=False),
        Binding("enter", "submit", show=False),
    ]

    class Changed(Message):
        """Something was chosen."""

    def __init__(self, content: Content, submit: Callable[[], object]) -> None:
        super().__init__(id="choices")
        self.content, self._submit = content, submit
        self._spots: list[tuple[int, int, int, str]] = []

    def build(self, width: int, height: int) -> list[Line]:
        """Tags in as many lines as they take, then audience and star; remembers where each is."""
        star = "*" if self.ascii_only else "★"
        offers = [
            (f"tag:{number}", str(number), harmless(tag), tag in self.content.tags)
            for number, tag in enumerate(tags_offered(self.content)[:9], 1)
        ]
        rest = [
            ("audience", "a", f"for {AUDIENCES[self.content.audience]}", True),
            ("star", "s", f"{star} starred" if self.content.starred else "not starred",
             self.content.starred),
        ]  # fmt: skip
        self._spots = []
        lines: list[list[Span]] = [[]]
        x = 0
        for name, key, label, on in [*offers, *rest]:
            tick = ("x" if self.ascii_only else "✓") if on and name.startswith("tag:") else " "
            need = len(key) + len(label) + 3
            if x + need > width or name == "audience":
                lines.append([])
                x = 0
            here = "key" if self.has_focus else "dim"
            lines[-1] += [(key, here), (tick, "mark"), (label, "bold" if on else "dim"), ("  ", "")]
            self._spots.append((len(lines) - 1, x, x + need, name))
            x += need + 1
        return list(lines)

    def rows_needed(self, width: int) -> int:
        """How many lines it takes in that width."""
        return len(self.build(max(20, width), 0))

    def on_focus(self) -> None:
        self.changed()

    def on_blur(self) -> None:
        self.changed()

    def on_click(self, event: events.Click) -> None:
        for y, begin, end, name in self._spots:
            if event.y == y and begin <= event.x < end:
                self._toggle(name)

    def action_tag(self, number: int) -> None:
        if number <= len(tags_offered(self.content)):
            self._toggle(f"tag:{number}")

    def action_audience(self) -> None:
        self._toggle("audience")

    def action_star(self) -> None:
        self._toggle("star")

    def action_submit(self) -> None:
        self._submit()

    def _toggle(self, name: str) -> None:
        if name == "audience":
            self.content = self.content.other_audience()
        elif name == "star":
            self.content = replace(self.content, starred=not self.content.starred)
        else:
            number = int(name.partition(":")[2])
            self.content = self.content.toggled(tags_offered(self.content)[number - 1])
        self.changed()
        self.post_message(self.Changed())


class Said(Lines):
    """A few lines that the form says."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.said: list[Line] = []

    def say(self, lines: list[Line]) -> None:
        self.said = lines
        self.changed()

    def build(self, width: int, height: int) -> list[Line]:
        return self.said[:height]
