"""Frames, wrapped spans and rows of entries: pure functions from values to lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.cells import cell_len, chop_cells

from warroom.domain.text import harmless
from warroom.domain.timeline import Entry
from warroom.tui import format as fmt
from warroom.tui.screens.timeline.filters import MACHINE
from warroom.tui.widgets.lines import Line, Span, fitted, shortened, spread, width_of
from warroom.tui.widgets.strips import entry_about, entry_style

TEXT_SHOWN: Final = 20_000
"""Characters of one text that are wrapped; what is longer says so."""
_UTC_WIDTH: Final = 96
_WHO: Final = 10


@dataclass(frozen=True, slots=True)
class Look:
    """How things are written for this reader."""

    zone: ZoneInfo
    ascii_only: bool = False

    def sign(self, pretty: str, plain: str) -> str:
        return plain if self.ascii_only else pretty


def framed(
    title: Line, right: Line, content: Sequence[Line], size: tuple[int, int], look: Look, *,
    focused: bool = False, foot: Line = (),
) -> list[Line]:  # fmt: skip
    """`content` in a frame of exactly `size` cells, one blank column inside at either side."""
    width, height = size
    style = "focus" if focused else "frame"
    h, v, corners = ("-", "|", "++++")
    if not look.ascii_only:
        h, v, corners = ("━", "┃", "┏┓┗┛") if focused else ("─", "│", "┌┐└┘")
    lines: list[Line] = [
        spread([(corners[0] + h, style), *_spaced(title)],
               [*_spaced(right), (h + corners[1], style)], width, h, style)
    ]  # fmt: skip
    for number in range(height - 2):
        inner = content[number] if number < len(content) else ()
        lines.append([(v + " ", style), *fitted(inner, width - 4), (" " + v, style)])
    below = [*_spaced(foot), (h + corners[3], style)]
    lines.append(spread([(corners[2] + h, style)], below, width, h, style))
    return lines


def _spaced(line: Line) -> list[Span]:
    return [(" ", ""), *line, (" ", "")] if any(text for text, _ in line) else []


def folded(spans: Iterable[Span], width: int, indent: str = "") -> list[Line]:
    """Spans as lines of at most `width` cells, broken at spaces where there are any; lines after
    the first begin with `indent`. Line feeds break, too."""
    lines: list[list[Span]] = [[]]
    used = 0
    width = max(4, width)

    def broken() -> None:
        nonlocal used
        lines.append([(indent, "")] if indent else [])
        used = cell_len(indent)

    for text, style in spans:
        for number, part in enumerate(text.split("\n")):
            if number:
                broken()
            for piece in _words(part):
                if used + cell_len(piece.rstrip(" ")) > width and used > cell_len(indent):
                    broken()
                    piece = piece.lstrip(" ")
                while cell_len(piece.rstrip(" ")) > width - used:
                    head = (chop_cells(piece, max(2, width - used)) or [piece])[0]
                    if head == piece:
                        break
                    lines[-1].append((head, style))
                    piece = piece[len(head) :]
                    broken()
                if cell_len(piece) > width - used:
                    piece = piece.rstrip(" ")  # blanks at a line's end are not to be seen
                if piece:
                    lines[-1].append((piece, style))
                    used += cell_len(piece)
    return list(lines)


def _words(text: str) -> list[str]:
    """Words, each with the spaces behind it."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = text.find(" ", start)
        if end < 0:
            pieces.append(text[start:])
            break
        while end < len(text) and text[end] == " ":
            end += 1
        pieces.append(text[start:end])
        start = end
    return pieces


def clipped(text: str) -> str:
    """`text`, harmless, as much of it as is shown at most."""
    shown = harmless(text[:TEXT_SHOWN], lines=True)
    if len(text) <= TEXT_SHOWN:
        return shown
    return f"{shown}…\n({len(text):,} characters; E opens all of it)"


# Rows of the list ----------------------------------------------------------------------------


def day_of(instant: datetime, look: Look) -> str:
    """The date as separators and titles show it."""
    return f"{instant.astimezone(look.zone):%a %d %b %Y}"


@dataclass(frozen=True, slots=True)
class Window:
    """What of a list is in view: for each row the index of its entry, or None for the separator
    above the next row's entry. `top` is the first entry's index."""

    top: int
    rows: tuple[int | None, ...]


def window(days: Sequence[str] | _Days, count: int, cursor: int, top: int, height: int) -> Window:
    """The rows to show, so that the cursor is among them and as little as possible moves.

    A separator stands before the first entry of a day, except on the first row: the frame's title
    names that day.
    """
    if count <= 0 or height <= 0:
        return Window(0, ())
    top = max(0, min(top, cursor, count - 1))
    least, used = cursor, 1
    while least > 0:
        used += 1 + (days[least] != days[least - 1])
        if used > height:
            break
        least -= 1
    top = max(top, least)
    rows = _rows(days, count, top, height)
    while len(rows) < height and top > 0:  # at the end of the list: no empty rows
        more = _rows(days, count, top - 1, height + 2)
        if len(more) > height:
            break
        top, rows = top - 1, more
    return Window(top, tuple(rows[:height]))


def _rows(days: Sequence[str] | _Days, count: int, top: int, height: int) -> list[int | None]:
    rows: list[int | None] = []
    for index in range(top, count):
        if index > top and days[index] != days[index - 1]:
            rows.append(None)
        rows.append(index)
        if len(rows) >= height:
            break
    return rows


class _Days:
    """The day of each entry, worked out when it is asked for."""

    def __init__(self, entries: Sequence[Entry], look: Look) -> None:
        self._entries, self._zone = entries, look.zone

    def __getitem__(self, index: int) -> str:
        return self._entries[index].at.astimezone(self._zone).date().isoformat()


def days_of(entries: Sequence[Entry], look: Look) -> _Days:
    """For `window`."""
    return _Days(entries, look)


def separator(day: str, width: int, look: Look) -> Line:
    """Between two days."""
    bar = look.sign("─", "-")
    return spread([(bar * 3, "frame"), (f" {day} ", "title")], [], width, bar, "frame")


def row(
    entry: Entry, width: int, look: Look, *, here: bool, marked: bool, labels: Sequence[str] = ()
) -> Line:
    """One entry in a line. `labels` are those of its evidence."""
    back = "cursor" if here else ""
    mark = look.sign("✓", "x") if marked else look.sign("›", ">") if here else " "
    star = look.sign("★", "*") if entry.starred else " "
    left: list[Span] = [
        (mark, back or "mark"),
        (star + " ", back or "mark"),
        (fmt.clock_time(entry.at, look.zone) + " ", back or "dim"),
    ]
    if width >= _UTC_WIDTH and look.zone.key != "UTC":
        left.append((f"{entry.at:%H:%M:%S}Z ", back or "dim"))
    who = entry.kind.value if entry.by_machine else entry.author
    left.append((_column(harmless(who), _WHO) + " ", back or "dim"))
    right = _right(entry, labels, width - width_of(left), back)
    text = harmless(entry.text[: width * 2].replace("\n", look.sign(" ⏎ ", " / ")))
    text = entry_about(entry) + text
    style = "bold" if entry.starred and not entry.by_machine else entry_style(entry)
    left.append((text, back or _calm(entry, style)))
    return spread(left, right, width, " ", back)


def _calm(entry: Entry, style: str) -> str:
    """People's words stand out by not being coloured; only what is ill carries colour."""
    return "" if style == "bold" and not entry.starred else style


def _column(text: str, width: int) -> str:
    short = shortened(text, width)
    return short + " " * (width - cell_len(short))


def _right(entry: Entry, labels: Sequence[str], room: int, back: str) -> list[Span]:
    """Rivals, evidence, audience and tags; the last ones give way."""
    parts: list[Span] = []
    if entry.rivals:
        parts.append((f"{len(entry.rivals) + 1} versions", back or "degraded bold"))
    if labels:
        shown = " ".join(labels[:3]) + (f" +{len(labels) - 3}" if len(labels) > 3 else "")
        parts.append((shown, back or "accent"))
    if entry.internal:
        parts.append(("internal", back or "dim"))
    elif entry.data.get("audience") == "external":
        parts.append(("external", back or "dim"))
    parts += [(f"#{shortened(harmless(tag), 16)}", back or "info") for tag in entry.tags]
    spans: list[Span] = []
    used = 0
    for number, (text, style) in enumerate(parts):
        need = cell_len(text) + 2
        if used + need > room * 2 // 5:
            spans.append((f"  +{len(parts) - number}", back or "dim"))
            break
        spans.append(("  " + text, style))
        used += need
    return spans


def who_of(entry: Entry) -> str:
    """The author in full."""
    return MACHINE if entry.by_machine else harmless(entry.author)
