"""How one row of the logs is drawn: its time, source, mark, text, and what is folded away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from rich.cells import cell_len, chop_cells, set_cell_size

from warroom.tui import format as fmt
from warroom.tui.widgets.lines import Line, Span, shortened, width_of

if TYPE_CHECKING:
    from warroom.logs.decode import Line as LogLine
    from warroom.logs.fold import Entry

_WIDEST_TAG: Final = 10
GAP_S: Final = 30.0
"""So long without a line is said between the lines."""
_LEVELS: Final = ("", "dim", "", "degraded", "down", "down bold")
"""Styles by LogLevel: none, debug, info, warn, error, fatal."""
_ERROR: Final = 4
"""LogLevel.ERROR, which is not imported before the first line."""
_TAGS: Final = ("info", "accent", "unknown", "ok", "degraded")
_WRAP_LIMIT: Final = 40
"""Screen lines that one wrapped log line may take."""


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are drawn now. `cursor` is the number of a row, `marks` those of lines, `needle`
    what is found in the text."""

    width: int
    zone: ZoneInfo
    names: Sequence[str]
    wrap: bool = False
    cursor: int | None = None
    marks: Collection[int] = ()
    needle: str = ""
    ascii_only: bool = False
    clocks: Mapping[int, str] = field(default_factory=dict)
    """What stands for a clock, by the number of the line, where that is not when it came."""

    @property
    def tag_width(self) -> int:
        """Cells of a source's name: no more than the names need; a single one is in the title."""
        widest = max(map(cell_len, self.names), default=0)
        return 0 if len(self.names) == 1 else min(_WIDEST_TAG, widest)

    @property
    def lead(self) -> int:
        """Cells before a line's text."""
        return self.tag_width + (11 if self.tag_width else 10)


def row_lines(row: Entry, one: LogLine, text: str, look: Look) -> list[Line]:
    """The screen lines of `row`, for which `one` stands and `text` is shown."""
    here = look.cursor is not None and row.number == look.cursor and not row.partial
    lead = _lead(row, one, look, here=here)
    style = "cursor" if here else _LEVELS[one.level]
    room = look.width - look.lead
    folded = _folded(row, look, here=here)
    if not look.wrap or room < 10:
        text = shortened(text, max(8, room - width_of(folded))) if folded else text
        rest: Line = [(" " * look.width, "cursor")] if here else []
        return [[*lead, *_found(text, style, look.needle), *folded, *rest]]
    pieces, left = _wrapped(text, room)
    if left:
        folded = [*folded, (f"  {left:,} more characters: enter", "cursor" if here else "accent")]
    blank: Span = (" " * look.lead, "")
    first: Line = [*lead, *_found(pieces[0] if pieces else "", style, look.needle)]
    rest_of = [[blank, *_found(piece, style, look.needle)] for piece in pieces[1:]]
    lines: list[Line] = [first, *rest_of]
    return [*lines, [blank, *folded]] if folded else lines


def _wrapped(text: str, room: int) -> tuple[list[str], int]:
    """`text` in pieces of at most `room` cells, and how many characters no piece has."""
    head = text[: room * _WRAP_LIMIT]
    if head.isascii():
        pieces = [head[i : i + room] for i in range(0, len(head), room)]
    else:
        pieces = chop_cells(head, room)[:_WRAP_LIMIT]
    return pieces, len(text) - sum(map(len, pieces))


def _lead(row: Entry, one: LogLine, look: Look, *, here: bool) -> list[Span]:
    at = look.clocks.get(one.number) or fmt.clock_time(
        datetime.fromtimestamp(one.at, UTC), look.zone
    )
    name = look.names[one.source] if one.source < len(look.names) else "?"
    marked = any(raw.number in look.marks for raw in (*row.heads, *row.more))
    sign, kind = (("*" if look.ascii_only else "◆"), "mark") if marked else _bad(one, look)
    lead = [(sign, "cursor" if here else kind), (f"{at} ", "cursor" if here else "dim")]
    if not look.tag_width:
        return lead
    tag = "cursor" if here else _TAGS[one.source % len(_TAGS)]
    return [*lead, (set_cell_size(shortened(name, look.tag_width), look.tag_width) + " ", tag)]


def _bad(one: LogLine, look: Look) -> tuple[str, str]:
    """The sign of an error: colour alone says nothing on a screen without any."""
    return ("!" if look.ascii_only else "✖", "down") if one.level >= _ERROR else (" ", "")


def _folded(row: Entry, look: Look, *, here: bool) -> list[Span]:
    """`+23 lines ×412`, and of a line too long to be kept whole its `10,000,004 bytes`."""
    words = []
    if row.newest.length > len(row.newest.data):
        words.append(f"{row.newest.length:,} bytes")
    if row.more:
        words.append(f"+{len(row.more):,} line{'' if len(row.more) == 1 else 's'}")
    if row.times > 1:
        sign = "x" if look.ascii_only else "×"
        words.append(f"{sign}{row.times:,}{'+' if row.at_least else ''}")
    return [("  " + " ".join(words), "cursor" if here else "accent")] if words else []


def _found(text: str, style: str, needle: str) -> list[Span]:
    """`text` with every place where `needle` stands in reverse; small letters find either case."""
    if not needle:
        return [(text, style)]
    where = text if needle != needle.lower() else text.lower()
    if len(where) != len(text):  # a letter that grows when it is made small
        return [(text, style)]
    spans: list[Span] = []
    done, at = 0, where.find(needle)
    while at >= 0:
        end = at + len(needle)
        spans += [(text[done:at], style), (text[at:end], f"{style} reverse".strip())]
        done, at = end, where.find(needle, end)
    return [*spans, (text[done:], style)]


def gap_line(seconds: float, look: Look, *, such: bool) -> Line | None:
    """What stands between two rows when none (or no `such` one) came for so long."""
    if seconds < GAP_S:
        return None
    return rule(f"{_long(seconds)} without {'such a' if such else 'a'} line", look)


def first_of(lines: Sequence[Line], most: int) -> Sequence[Line]:
    """The first lines, at most `most`; the last of them counts those that have no place."""
    if len(lines) <= most:
        return lines
    shown = lines[: most - 1]
    left = len(lines) - len(shown)
    words = f"… and {left} more" if shown else f"{left} faults: make the pane higher, with z"
    return [*shown, [(f" {words}", "degraded")]]


def rule(words: str, look: Look) -> Line:
    """Words between two rows that are about neither."""
    words = f" {words} "
    stroke = "-" if look.ascii_only else "—"
    side = max(1, min(8, (look.width - cell_len(words)) // 2 - 1))
    return [(" " + stroke * side + words + stroke * side, "dim")]


def _long(seconds: float) -> str:
    """A length as people say it.

    >>> _long(42.4), _long(600), _long(5400)
    ('42 s', '10 min', '1 h 30 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
