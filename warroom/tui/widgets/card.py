"""The text of a card: everything that an action will do, what it says while it runs, what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from warroom.mitigations.base import Card, Output, Risk
from warroom.tui.widgets.lines import Line, Lines, Span, spread, wrapped

RISK_STYLE: Final = {Risk.READ: "ok", Risk.CHANGE: "degraded", Risk.DESTROY: "down"}
STATE_STYLE: Final = {"done": "ok", "failed": "down", "UNKNOWN": "unknown", "refused": "degraded"}
VERDICT_STYLE: Final = {"worked": "ok", "no effect": "degraded", "worse": "down"}
_OUTPUT: Final = 200
"""Lines of output that can be scrolled through; the record keeps what its kind keeps."""


class CardBody(Lines):
    """`foot` gives the lines that are always in view; `notes` are what the record says; `output`
    takes the place of the hits while there is some."""

    def __init__(
        self, card: Card, notes: Callable[[], Sequence[str]], foot: Callable[[int], list[Line]]
    ) -> None:
        super().__init__(id="card")
        self.card, self.notes, self.foot = card, notes, foot
        self.output: Output | None = None
        self.offset_y = self.seen = 0
        self.at_end = True

    def text(self, width: int) -> list[Line]:
        """What the card says of the action; scrolls where it is too long."""
        card = self.card
        risk = RISK_STYLE[card.risk]
        target: list[Span] = [(card.target.label, "bold"), ("  ", ""), (card.target.id, "dim")]
        head: Line = spread(
            [(card.title, "bold")], [(f" {card.risk.value} ", f"{risk} bold")], width
        )
        if self.output is not None and self.output.lines:
            said = list(self.output.lines)[-_OUTPUT:]
            parts = [part for line in said for part in wrapped(line, width)]
            return [head, _labelled("target", [target])[0], [], *([(p, "")] for p in parts)]
        commands = [part for one in card.command for part in wrapped(one, width - 9)]
        lines: list[Line] = [
            head,
            [],
            *_labelled("target", [target]),
            *_labelled("on", [[(card.host or "this machine", "")]]),
            *_labelled("runs", [[(part, "accent")] for part in commands]),
            *_labelled("hits", [[(f"{what}: ", "dim"), (much, "")] for what, much in card.hits]),
            *_labelled("undo", [[(part, "")] for part in wrapped(card.undo, width - 9)]),
        ]
        for warning in (*self.notes(), *card.warnings):
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
        self.at_end = False
        self.changed()

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        style = RISK_STYLE[self.card.risk]
        foot = self.foot(width - 4)
        content = self._window(width - 4, height - 2 - len(foot) - 1)
        lines: list[Line] = [[(corners[0] + h * (width - 2) + corners[1], style)]]
        for inner in [*content, [], *foot]:
            lines.append([(v + " ", style), *spread(inner, (), width - 4), (" " + v, style)])
        lines.append([(corners[2] + h * (width - 2) + corners[3], style)])
        return lines

    def _window(self, width: int, room: int) -> list[Line]:
        """The part of the text that fits; its last line says where there is more. Output is
        followed until somebody scrolls."""
        text = self.text(width)
        if len(text) <= room:
            self.seen = len(text)
            return [*text, *([[]] * (room - len(text)))]
        room = max(1, room - 1)
        last = len(text) - room
        if self.output is not None and self.output.lines and self.at_end:
            self.offset_y = last
        self.offset_y = max(0, min(self.offset_y, last))
        self.at_end = self.offset_y == last
        self.seen = max(self.seen, self.offset_y + room)
        below = last - self.offset_y
        arrows = "up and down" if self.ascii_only else "↑ ↓"
        more = (
            f"{below} more lines below: {arrows} scroll" if below else f"the end: {arrows} scroll"
        )
        return [*text[self.offset_y : self.offset_y + room], [(more, "degraded")]]


def _labelled(label: str, parts: Sequence[Line]) -> list[Line]:
    """Lines with a label before the first."""
    labels = [label, *[""] * len(parts)][: len(parts)]
    return [[(f"{name:<9}", "dim"), *part] for name, part in zip(labels, parts, strict=True)]
