"""A kept picture of the console as SVG: the text as it looked, every column in its place.

The text is text: it can be selected, searched and read aloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from warroom.domain.evidence import Exhibit, Span
from warroom.domain.styles import STYLES
from warroom.reports import svg
from warroom.reports.colours import CELL, of_cells

_CELL: Final = 8.4
_LINE: Final = 18.0
_BASE: Final = 13.5
"""From the top of a line to the foot of its letters."""
_MARGIN: Final = 10.0
LINES: Final = 300
COLUMNS: Final = 400
"""So much of a picture is drawn; no screen shows more."""

_SPACES: Final = {"xml:space": "preserve"}
"""For readers of SVG that know no `white-space`."""
STYLE: Final = ".picture text { white-space: pre; font-size: 14px }"


def style() -> str:
    """The CSS of pictures."""
    return f"{STYLE}\n{of_cells()}"


def picture(exhibit: Exhibit) -> str:
    """The evidence as it looked, as a whole SVG document."""
    lines = [_cut(line) for line in exhibit.evidence.picture[:LINES]]
    columns = max((sum(svg.cells(text) for text, _ in line) for line in lines), default=0)
    width, height = columns * _CELL + 2 * _MARGIN, len(lines) * _LINE + 2 * _MARGIN
    title = f"{exhibit.label}: {exhibit.evidence.title}"
    return svg.document(
        "picture", (width, height), title, "The screen as it looked.", style(),
        svg.element("rect", class_="screen", width=width, height=height, rx=6),
        *(part for number, line in enumerate(lines) for part in _drawn(line, number)),
    )  # fmt: skip


def _cut(line: Sequence[Span]) -> list[Span]:
    kept, left = [], COLUMNS
    for text, styles in line:
        text = svg.clean(text)[:left]
        kept.append((text, styles))
        left -= len(text)
    return kept


def _drawn(line: Sequence[Span], number: int) -> Iterator[str]:
    """The grounds of a line, then its text."""
    top = _MARGIN + number * _LINE
    runs = list(_runs(line))
    for column, text, styles in runs:
        ground = next((name for name in reversed(styles) if _has_ground(name)), "")
        if ground:
            yield svg.element(
                "rect", class_=f"{CELL}{ground}-ground", x=_MARGIN + column * _CELL, y=top,
                width=svg.cells(text) * _CELL, height=_LINE,
            )  # fmt: skip
    spans = [
        svg.element(
            "tspan", svg.text(text), x=_MARGIN + column * _CELL,
            textLength=svg.cells(text) * _CELL, lengthAdjust="spacingAndGlyphs",
            class_=" ".join(f"{CELL}{name}" for name in ("text", *styles)),
        )
        for column, text, styles in runs[: _said(runs)]
    ]  # fmt: skip
    if spans:
        yield svg.element("text", *spans, y=top + _BASE, **_SPACES)


def _said(runs: Sequence[tuple[int, str, list[str]]]) -> int:
    """How many of the runs there are up to the last that is not blank."""
    return max((n for n, (_, text, _) in enumerate(runs, start=1) if text.strip()), default=0)


def _runs(line: Sequence[Span]) -> Iterator[tuple[int, str, list[str]]]:
    """Pieces of one style whose characters are equally wide, each with its first column: so no
    font can move what comes after a wide character."""
    column = 0
    for text, said in line:
        styles = [name for name in said.split() if name in STYLES]
        for _, group in groupby(text, key=_is_wide):
            piece = "".join(group)
            yield column, piece, styles
            column += svg.cells(piece)


def _is_wide(character: str) -> bool:
    return svg.width(character) == 2


def _has_ground(name: str) -> bool:
    return bool(STYLES[name][1]) or name == "reverse"
