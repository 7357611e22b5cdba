"""A widget that is a list of lines: the base of everything in the room.

Drawn line by line from spans of text and style names, without child widgets, markup or layout:
several times cheaper than stock widgets, and foreign text can never be anything but text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from warroom.domain.styles import STYLES

Span = tuple[str, str]
"""A text and the names of its styles, separated by spaces: `"down bold"`; empty is plain."""
Line = Sequence[Span]


def width_of(line: Line) -> int:
    """Terminal cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def fitted(line: Line, width: int) -> list[Span]:
    """`line` in exactly `width` cells: cut with an ellipsis, or padded."""
    spans: list[Span] = []
    left = width
    for index, (text, style) in enumerate(line):
        need = cell_len(text)
        if need > left or (need == left and any(t for t, _ in line[index + 1 :])):
            if left > 0 and not text[left:].strip() and text.isascii():
                spans.append((text[:left], style))  # only blanks are cut: nothing to say
            elif left > 0:
                spans.append((set_cell_size(text, left - 1) + "…", style))
            return spans
        spans.append((text, style))
        left -= need
    if left:
        spans.append((" " * left, ""))
    return spans


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells, its cut marked."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def whole_parts(text: str, width: int) -> str:
    """As many of the comma-separated parts of `text` as fit in `width`, the first at least.

    >>> whole_parts("hit 99%, 1.4 MiB, 400 keys", 18)
    'hit 99%, 1.4 MiB'
    """
    while cell_len(text) > width and ", " in text:
        text = text.rpartition(", ")[0]
    return text


def wrapped(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` characters, broken at spaces, nothing left out.

    >>> wrapped("apt install docker.io", 12)
    ['apt install', 'docker.io']
    """
    width = max(8, width)
    pieces: list[str] = []
    for line in text.split("\n"):
        rest = line
        while len(rest) > width:
            cut = rest.rfind(" ", width // 2, width + 1)
            pieces.append(rest[:cut] if cut > 0 else rest[:width])
            rest = rest[cut + 1 :] if cut > 0 else rest[width:]
        pieces.append(rest)
    return pieces


def spread(left: Line, right: Line, width: int, fill: str = " ", style: str = "") -> list[Span]:
    """`left` and `right` at the two ends of `width` cells; the left gives way first."""
    room = width - width_of(right)
    if room < 4:
        return fitted(left, width)
    gap = room - width_of(left)
    if gap < 0:
        return [*fitted(left, room), *right]
    return [*left, (fill * gap, style), *right]


def _paint(colour: str, background: str, text: str, theme: Mapping[str, str]) -> Style:
    """One of STYLES in the colours of a theme; what it does not say stays as it is below."""
    inks = [Color.parse(theme[name]).rich_color if name else None for name in (colour, background)]
    return Style.parse(text) + Style(color=inks[0], bgcolor=inks[1])


class Lines(Widget):
    """Subclasses give `build`; `changed` asks for it again at the next paint."""

    DEFAULT_CSS = "Lines { background: $background; color: $foreground; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._built: list[Line] | None = None
        self._styles_by_name: dict[str, Style] = {}

    def build(self, width: int, height: int) -> list[Line]:
        """The lines to show in `width` by `height` cells."""
        raise NotImplementedError

    def changed(self) -> None:
        """What is shown is no longer true: the lines that differ are drawn anew.

        Over a slow line a room that draws all of itself several times a second is not to be used.
        """
        before, (width, height) = self._built, self.size
        if before is None or not self.region.area:
            self.anew()
            return
        self._built = after = self.build(width, height)
        differ = [y for y in range(height) if before[y : y + 1] != after[y : y + 1]]
        if differ:
            self.refresh(*(Region(0, y, width, 1) for y in differ))

    def anew(self) -> None:
        """Draw everything, even what is the same: how it is to be drawn has changed."""
        self._built = None
        self.refresh()

    @property
    def is_to_be_drawn(self) -> bool:
        """Whether something of it differs from what is on the screen."""
        return self._repaint_required

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal is to get nothing beyond ASCII from us."""
        return bool(getattr(self.app, "ascii_only", False))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_by_name.clear()
        self._built = None

    def on_resize(self) -> None:
        self.anew()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._built is None:
            self._built = self.build(width, height)
        line = self._built[y] if y < len(self._built) else ()
        return self.strip(line, width)

    def strip(self, line: Line, width: int) -> Strip:
        """`line` as a strip of exactly `width` cells."""
        segments = [Segment(text, self.style(name)) for text, name in fitted(line, width) if text]
        return Strip(segments, width)

    def style(self, names: str) -> Style:
        """The style of some names together, from the theme."""
        found = self._styles_by_name.get(names)
        if found is None:
            found = self.rich_style
            for name in names.split():
                found += _paint(*STYLES[name], self.app.theme_variables)
            self._styles_by_name[names] = found
        return found
