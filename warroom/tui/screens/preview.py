"""How an update will look where it goes, what else goes along, and what had better not be in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warroom.tui.widgets.lines import Line, Lines, Span, spread, wrapped

if TYPE_CHECKING:
    from warroom.reports.disclosure import Hint


class Preview(Lines):
    """Scrolls where it is too long."""

    def __init__(self) -> None:
        super().__init__(id="preview")
        self.text = ""
        self.pairs: Sequence[tuple[str, str]] = ()
        self.hints: Sequence[Hint] = ()
        self.offset_y = 0

    def show(self, text: str, pairs: Sequence[tuple[str, str]], hints: Sequence[Hint]) -> None:
        """Show another text, with what goes along."""
        self.text, self.pairs, self.hints = text, pairs, hints
        self.changed()

    def scroll_text(self, by: int) -> None:
        """Move what does not fit, by lines."""
        self.offset_y += by
        self.changed()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_text(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_text(-3)

    def build(self, width: int, height: int) -> list[Line]:
        h, v = ("-", "|") if self.ascii_only else ("─", "│")
        title = " as they get it "
        lines = self._lines(width - 2)
        room = height - 1
        self.offset_y = max(0, min(self.offset_y, len(lines) - room))
        shown = lines[self.offset_y : self.offset_y + room]
        below = len(lines) - self.offset_y - len(shown)
        more = f" {below} more below " if below else ""
        top = spread(
            [(h, "frame"), (title, "dim")], [(more, "degraded"), (h, "frame")], width, h, "frame"
        )
        return [top, *([(f"{v} ", "frame"), *line] for line in shown)]

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = [
            [(f"{name}: " if not number else " " * (len(name) + 2), "dim"), (part, "accent")]
            for name, value in self.pairs
            for number, part in enumerate(wrapped(value, width - len(name) - 2))
        ]
        if lines:
            lines.append([])
        warned = dict.fromkeys(hint.what for hint in self.hints)
        if warned:
            said = f"for everybody to read? marked: {', '.join(warned)}"
            lines += [
                [("! ", "degraded bold"), (part, "degraded")] for part in wrapped(said, width - 2)
            ]
            lines.append([])
        return lines + marked(self.text, self.hints, width)


def marked(text: str, hints: Sequence[Hint], width: int) -> list[Line]:
    """`text` in lines of at most `width` characters, what the hints name set off."""
    lines: list[Line] = []
    begin = 0
    for line in text.split("\n"):
        at = begin
        for part in wrapped(line, width):
            at = text.find(part, at) if part else at
            lines.append(_spans(part, at, hints))
            at += len(part)
        begin += len(line) + 1
    return lines


def _spans(part: str, at: int, hints: Sequence[Hint]) -> list[Span]:
    """One line that stands in the text from `at` on."""
    spans: list[Span] = []
    place = 0
    for hint in hints:
        start, end = max(hint.start - at, place), min(hint.end - at, len(part))
        if start < end:
            spans += [(part[place:start], ""), (part[start:end], "alarm")]
            place = end
    return [*spans, (part[place:], "")]
