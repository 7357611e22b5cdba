"""A sheet over the room: titled, framed, scrollable lines. Help and details are sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.cells import chop_cells
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.timeline.draw import folded
from warroom.tui.widgets.lines import Line, Lines, spread, width_of

_LONG: Final = 4000
"""Characters from which a text is cut where a line is full, not between words: to look for those
in a line of 64 KiB would hold keys for a second."""


def whole(lines: Sequence[Line], width: int) -> list[Line]:
    """Lines of at most `width` cells with nothing cut: what is too long goes on below its last
    column, or a little to the right where that leaves too little room."""
    found: list[Line] = []
    for line in lines:
        if width_of(line) <= width:
            found.append(line)
            continue
        *before, (text, style) = line
        column = width_of(before)
        indent = (column if column <= width // 2 else 0) or 4
        if len(text) > _LONG and column <= indent:
            first, *rest = chop_cells(text, width - indent)
            found.append([*before, (first, style)])
            found += [[(" " * indent, ""), (piece, style)] for piece in rest]
        else:
            found += folded(line, width, " " * indent)
    return found


class SheetBody(Lines):
    """The framed lines, from `offset` on."""

    def __init__(self, title: str, lines: Sequence[Line], hint: str) -> None:
        super().__init__(id="sheet")
        self.title, self.lines, self.hint = title, list(lines), hint
        self.offset_y = 0
        self._wrapped: tuple[int, list[Line]] = (0, [])

    def put(self, lines: Sequence[Line]) -> None:
        """Other lines, at the same place."""
        self.lines, self._wrapped = list(lines), (0, [])
        self.changed()

    def _every(self, width: int) -> list[Line]:
        """All lines, wrapped once for a width."""
        if self._wrapped[0] != width:
            self._wrapped = width, whole(self.lines, width)
        return self._wrapped[1]

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        room, every = height - 2, self._every(width - 4)
        self.offset_y = max(0, min(self.offset_y, len(every) - room))
        shown = every[self.offset_y : self.offset_y + room]
        more = len(every) > room
        place = f" {self.offset_y + len(shown)}/{len(every)} lines " if more else ""
        top = spread([(corners[0] + h, "focus"), (f" {self.title} ", "title accent")],
                     [(h + corners[1], "focus")], width, h, "focus")  # fmt: skip
        lines: list[Line] = [top]
        for index in range(room):
            content = shown[index] if index < len(shown) else ()
            lines.append([(v + " ", "focus"), *spread(content, (), width - 4), (" " + v, "focus")])
        lines.append(
            spread([(corners[2] + h, "focus"), (f" {self.hint} ", "dim")],
                   [(place, "dim"), (h + corners[3], "focus")], width, h, "focus")
        )  # fmt: skip
        return lines

    def scroll_lines(self, by: int) -> None:
        self.offset_y += by
        self.changed()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)


class Sheet(Dialog[bool | None]):
    """Shown until it is closed with Escape, Enter or q."""

    DEFAULT_CSS = """
    Sheet { align: center middle; background: $background 60%; }
    Sheet > SheetBody { width: 90%; max-width: 130; height: 90%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close"),
        Binding("j,down", "move(1)", "down"),
        Binding("k,up", "move(-1)", "up"),
        Binding("pagedown,space", "page(1)", "page down"),
        Binding("pageup", "page(-1)", "page up"),
        Binding("g,home", "move(-100000)", "first"),
        Binding("G,end", "move(100000)", "last"),
        Binding("y,p", "take", "take"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        take: Callable[[Sequence[Line]], object] | None = None,
    ) -> None:
        """`take` is given the lines when somebody wants to keep them."""
        super().__init__()
        self._take = take
        self._body = SheetBody(title, lines, "esc close   j k scroll" + "   y take" * bool(take))

    def compose(self) -> ComposeResult:
        yield self._body

    def show(self, lines: Sequence[Line]) -> None:
        """Put other lines in their place."""
        self._body.put(lines)

    def action_take(self) -> None:
        if self._take is not None:
            self._take(self._body.lines)

    def action_move(self, by: int) -> None:
        self._body.scroll_lines(by)

    def action_page(self, by: int) -> None:
        self._body.scroll_lines(by * (self._body.size.height - 3))


class Offer(Sheet):
    """A sheet with something to do: gives True when its key `s` is pressed. Without any `doing` it
    is a sheet."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "accept", "accept")]

    def __init__(self, title: str, lines: Sequence[Line], doing: str) -> None:
        super().__init__(title, lines)
        self._doing = doing
        if doing:
            self._body.hint = f"s {doing}   {self._body.hint}"

    def action_accept(self) -> None:
        if self._doing:
            self.dismiss(True)
