"""The card of an armed action: everything it will do, before it does it, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from warroom.mitigations.base import Risk
from warroom.tui.geometry import readable
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, Span, spread, wrapped

if TYPE_CHECKING:
    from warroom.engine.executor import Armed, Outcome
    from warroom.engine.room import Room

DEAF_S: Final = 0.4
"""Keys that were typed before the card could be read do not confirm it."""
_RISK_STYLE: Final = {Risk.READ: "ok", Risk.CHANGE: "degraded", Risk.DESTROY: "down"}
_STATE_STYLE: Final = {"done": "ok", "failed": "down", "UNKNOWN": "unknown", "refused": "degraded"}


class CardBody(Lines):
    """The card's text."""

    def __init__(self, armed: Armed) -> None:
        super().__init__(id="card")
        self.armed = armed
        self.running_since: float | None = None
        self.outcome: Outcome | None = None
        self.wrong = ""
        self.offset_y = self.seen = 0

    def text(self, width: int) -> list[Line]:
        """What the card says of the action; scrolls where it is too long."""
        card = self.armed.card
        risk = _RISK_STYLE[card.risk]
        target: list[Span] = [(card.target.label, "bold"), ("  ", ""), (card.target.id, "dim")]
        commands = [part for one in card.command for part in wrapped(one, width - 9)]
        lines: list[Line] = [
            spread([(card.title, "bold")], [(f" {card.risk.value} ", f"{risk} bold")], width),
            [],
            *_labelled("target", [target]),
            *_labelled("on", [[(card.host or "this machine", "")]]),
            *_labelled("runs", [[(part, "accent")] for part in commands]),
            *_labelled("hits", [[(f"{what}: ", "dim"), (much, "")] for what, much in card.hits]),
            *_labelled("undo", [[(part, "")] for part in wrapped(card.undo, width - 9)]),
        ]
        for warning in card.warnings:
            parts = wrapped(warning, width - 2)
            lines += [[("! ", "degraded bold"), (part, "degraded")] for part in parts]
        return lines

    @property
    def unread(self) -> bool:
        """Whether there is more below that has not been on the screen."""
        return self.seen < len(self.text(self.size.width - 4))

    def scroll_text(self, by: int) -> None:
        """Move what does not fit, by lines."""
        self.offset_y += by
        self.changed()

    def foot(self, width: int) -> list[Line]:
        """What can be done now, or what came of it; always in view."""
        card = self.armed.card
        if self.outcome is not None:
            style = _STATE_STYLE[self.outcome.state.value]
            lines: list[Line] = [[(f"{self.outcome.state.value}: ", f"{style} bold")]]
            lines += [[(part, "")] for part in wrapped(self.outcome.text, width)]
            if not self.outcome.saved:
                lines.append([("NOT SAVED: the outcome is kept and will be written", "alarm")])
            return [*lines, [], [("enter", "key"), (" close", "")]]
        if self.running_since is not None:
            seconds = time.monotonic() - self.running_since
            return [
                [
                    ("running… ", "accent bold"),
                    (f"{seconds:.0f} s of at most {self.armed.action.spec.timeout:.0f} s", "dim"),
                ]
            ]
        cancel: list[Span] = [("esc", "key"), (" cancel", "")]
        if card.word:
            confirm: list[Span] = [("   or type ", ""), (card.word, "bold down"), (" and ", "")]
            return [[*cancel, *confirm, ("enter", "key"), (" to run", "")], [(self.wrong, "down")]]
        return [[*cancel, ("   ", ""), ("enter", "key"), (" run", "")], [(self.wrong, "down")]]

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        style = _RISK_STYLE[self.armed.card.risk]
        foot = self.foot(width - 4)
        content = self._window(width - 4, height - 2 - len(foot) - 1)
        lines: list[Line] = [[(corners[0] + h * (width - 2) + corners[1], style)]]
        for inner in [*content, [], *foot]:
            lines.append([(v + " ", style), *spread(inner, (), width - 4), (" " + v, style)])
        lines.append([(corners[2] + h * (width - 2) + corners[3], style)])
        return lines

    def _window(self, width: int, room: int) -> list[Line]:
        """The part of the text that fits; its last line says where there is more."""
        text = self.text(width)
        if len(text) <= room:
            self.seen = len(text)
            return [*text, *([[]] * (room - len(text)))]
        room = max(1, room - 1)
        self.offset_y = max(0, min(self.offset_y, len(text) - room))
        self.seen = max(self.seen, self.offset_y + room)
        below = len(text) - self.offset_y - room
        arrows = "up and down" if self.ascii_only else "↑ ↓"
        more = (
            f"{below} more lines below: {arrows} scroll" if below else f"the end: {arrows} scroll"
        )
        return [*text[self.offset_y : self.offset_y + room], [(more, "degraded")]]


def _labelled(label: str, parts: Sequence[Line]) -> list[Line]:
    """Lines with a label before the first."""
    labels = [label, *[""] * (len(parts) - 1)]
    return [[(f"{name:<9}", "dim"), *part] for name, part in zip(labels, parts, strict=True)]


class CardScreen(Dialog[bool]):
    """Gives True when the action was run, whatever came of it."""

    DEFAULT_CSS = """
    CardScreen { align: center middle; background: $background 60%; }
    CardScreen > Vertical { width: 92%; max-width: 104; height: auto; background: $surface; }
    CardScreen CardBody { width: 100%; background: $surface; }
    CardScreen Input { border: tall $down; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("enter", "confirm", "run"),
        Binding("down", "scroll(1)", "down"),
        Binding("up", "scroll(-1)", "up"),
        Binding("pagedown", "scroll(5)", "further"),
        Binding("pageup", "scroll(-5)", "back"),
    ]

    def __init__(self, room: Room, armed: Armed) -> None:
        super().__init__()
        self._room, self._armed = room, armed
        self._body = CardBody(armed)
        self._shown_at = 0.0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._body
            if self._armed.card.word:
                yield Input(placeholder=f"type {self._armed.card.word} to confirm", id="word")

    def on_mount(self) -> None:
        self._shown_at = time.monotonic()
        self._fit()
        self.set_interval(0.5, self._body.changed)

    def _fit(self) -> None:
        width = min(104, self.app.size.width * 92 // 100) - 4
        room = self.app.size.height - (3 if self.query(Input) else 0)
        needed = len(self._body.text(width)) + len(self._body.foot(width)) + 3
        self._body.styles.height = min(needed, room)
        self._body.changed()

    def on_resize(self) -> None:
        self._fit()

    def action_scroll(self, by: int) -> None:
        self._body.scroll_text(by)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._confirmed(event.value.strip())

    def action_confirm(self) -> None:
        if self._body.outcome is not None:
            self.dismiss(True)
        elif not self._armed.card.word:
            self._confirmed("")

    def action_cancel(self) -> None:
        if self._body.running_since is None:
            self.app.run_worker(self._room.executor.disarm(self._armed))  # outlives this screen
            self.dismiss(False)
        elif self._body.outcome is not None:
            self.dismiss(True)

    def _confirmed(self, typed: str) -> None:
        if self._body.outcome is not None:
            self.dismiss(True)
            return
        if self._body.running_since is not None:
            return
        if not readable(*self.app.size):
            self._body.wrong = "the screen is too small to read this: make it larger"
        elif time.monotonic() - self._shown_at < DEAF_S:
            self._body.wrong = "typed before the card was shown: read it, then press again"
        elif self._body.unread:
            self._body.wrong = "there is more to read below: scroll to the end, then press again"
        elif typed != self._armed.card.word:
            self._body.wrong = f'"{typed}" is not "{self._armed.card.word}"'
        else:
            self._body.wrong = ""
            self._body.running_since = time.monotonic()
            for box in self.query(Input):
                box.disabled = True
            self._run(typed)
        self._body.changed()

    @work
    async def _run(self, typed: str) -> None:
        self._body.outcome = await self._room.run(self._armed, typed)
        for box in self.query(Input):
            await box.remove()
        self._fit()
