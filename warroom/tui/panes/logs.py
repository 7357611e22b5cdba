"""Logs: every file and container in one stream, filtered while it runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from textual import events

from warroom.tui import format as fmt
from warroom.tui.panes.base import Pane
from warroom.tui.widgets.lines import Line, Span, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warroom.logs.decode import Line as LogLine
    from warroom.logs.view import LogView

TAG_WIDTH: Final = 10
_LEVELS: Final = ("", "dim", "", "degraded", "down", "down bold")
"""Styles by LogLevel: none, debug, info, warn, error, fatal."""
_TAGS: Final = ("info", "accent", "unknown", "ok", "degraded")
MATCH_REST_S: Final = 0.005
"""Between two steps of matching what is there already: keys are answered meanwhile."""
_NAMES_WIDTH: Final = 44
_WRAP_LIMIT: Final = 40
"""Screen lines that one wrapped log line may take."""


class LogsPane(Pane):
    """The newest lines at the bottom; a cursor on one of them once somebody moves."""

    title = "logs"
    kinds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(name, sources)
        self.view: LogView | None = None
        self.wanted, self.excluded, self.wrong = "", "", ""
        self.wrap = False
        self.columns = False
        self.cursor: int | None = None
        self._shown: list[LogLine] = []
        self._places: list[int] = []
        self._drawn = -1
        self._rate = ""
        self._height = 10
        self._zone = ZoneInfo("UTC")

    def opened(self) -> None:
        from warroom.logs.view import LogView

        assert self.room is not None
        self.view = LogView(self.room.logs.ring)
        self._zone = ZoneInfo(self.room.settings.incident.timezone)

    def restless(self) -> bool:
        if self.view is None:
            return False
        working = self.view.work()
        newest = self.view.ring.last
        fresh, self._drawn = newest != self._drawn or bool(self.view.ring.tails), newest
        return working or (fresh and self.view.following) or self._rate_fell(self.view)

    def _rate_fell(self, view: LogView) -> bool:
        """No line tells that none comes any more: a rate that is shown has to be looked after."""
        now = self.room.clock.now().timestamp() if self.room is not None else 0.0
        return self._rate not in ("", _rate(0.0)) and self._rate != _rate(view.rate(now))

    # What is shown --------------------------------------------------------------------------

    def state(self) -> Line:
        if self.room is None or self.view is None:
            return [("waiting", "dim")]
        counts = self.view.counts(self.room.clock.now().timestamp())
        spans: list[Span] = [(self._names(), "dim")]
        self._rate = _rate(counts.rate)
        spans.append((f"  {self._rate}", ""))
        if self.view.query:
            more = "" if counts.complete else "…"
            spans.append((f"  {counts.matched:,}{more} of {counts.total:,}", "accent"))
        if counts.dropped:
            spans.append((f"  {counts.dropped:,} dropped", "degraded"))
        return spans

    def _names(self) -> str:
        """The sources, and what each was recognised as while that does not make it long."""
        assert self.room is not None
        names = [status.name for status in self.room.logs.status()]
        looks = [self.room.logs.look(index).format for index in range(len(names))]
        told = [
            name if fmt is None else f"{name} ({fmt.name})"
            for name, fmt in zip(names, looks, strict=True)
        ]
        shown = told if len(", ".join(told)) <= _NAMES_WIDTH else names
        return ", ".join(shown[:4]) + ("…" if len(shown) > 4 else "")

    def body(self, width: int, height: int) -> list[Line]:
        if self.room is None or self.view is None:
            return [[(" waiting for the first line…", "dim")]]
        head = self._faults()[: max(1, height // 3)]
        self._height = max(1, height - len(head) - self.columns)
        self._shown = self.view.lines(self._height)
        lines: list[Line] = []
        self._places = []
        texts = [one.text for one in self._shown]
        if self.columns:
            title, texts = self._in_columns(width - TAG_WIDTH - 11)
            head.append([(f"{'':{TAG_WIDTH + 11}}{title}", "dim")])
        for index, (one, text) in enumerate(zip(self._shown, texts, strict=True)):
            drawn = self._line(one, text, width)
            lines += drawn
            self._places += [index] * len(drawn)
        cut = max(0, len(lines) - self._height)
        self._places = [0] * len(head) + self._places[cut:]
        if not lines:
            lines = [[(f"   {self._empty()}", "dim")]]
        return [*head, *lines[cut:]]

    def _empty(self) -> str:
        return "no line matches" if self.view and self.view.query else "no line yet"

    def _faults(self) -> list[Line]:
        assert self.room is not None
        lines: list[Line] = []
        mark = "!" if self.ascii_only else "▲"
        for status in self.room.logs.status():
            if status.error:
                lines.append([(f" {mark} {status.name}: {status.error}", "degraded")])
        fault = self.wrong or (self.view.fault if self.view else "")
        if fault:
            lines.append([(f" {mark} {fault}", "degraded")])
        return lines

    def _in_columns(self, width: int) -> tuple[str, list[str]]:
        """The names of the columns, and each line that is shown in them, or as it stands where its
        log is not recognised."""
        from warroom.logs.cells import table

        found = table([self._cells(one) for one in self._shown], width)
        rows = zip(self._shown, found.rows, strict=True)
        return found.title, [one.text if row is None else row for one, row in rows]

    def _cells(self, one: LogLine) -> Mapping[str, str] | None:
        from warroom.logs.cells import cells_of

        assert self.room is not None and self.view is not None
        raw = None if one.partial else self.view.ring.get(one.number)
        look = self.room.logs.look(one.source)
        if raw is None or look.format is None:
            return None
        return cells_of(raw.data, look.format, look.trust)

    def _line(self, one: LogLine, text: str, width: int) -> list[Line]:
        assert self.room is not None
        here = self.has_focus and one.number == self.cursor and not one.partial
        at = fmt.clock_time(datetime.fromtimestamp(one.at, UTC), self._zone)
        names = self.room.logs.names
        name = names[one.source] if one.source < len(names) else "?"
        tag = "cursor" if here else _TAGS[one.source % len(_TAGS)]
        lead: list[Span] = [
            (f" {at} ", "cursor" if here else "dim"),
            (f"{shortened(name, TAG_WIDTH):<{TAG_WIDTH}} ", tag),
        ]
        style = "cursor" if here else _LEVELS[one.level]
        room = width - TAG_WIDTH - 11
        if not self.wrap or room < 10:
            return [[*lead, (text, style), *([(" " * width, "cursor")] if here else [])]]
        pieces = [text[i : i + room] for i in range(0, len(text), room)][:_WRAP_LIMIT]
        blank: Span = (" " * (TAG_WIDTH + 11), "")
        first: Line = [*lead, (pieces[0] if pieces else "", style)]
        return [first, *([blank, (piece, style)] for piece in pieces[1:])]

    def notes(self) -> list[Span]:
        if self.view is None or self.room is None:
            return []
        notes: list[Span] = []
        if self.wanted:
            notes.append((f"/{self.wanted}", "accent"))
        if self.excluded:
            notes.append((f"!{self.excluded}", "accent"))
        if not self.view.following:
            counts = self.view.counts(self.room.clock.now().timestamp())
            newer = f", {counts.newer:,} newer" if counts.newer else ""
            notes.append((f"PAUSED{newer}: G follows", "degraded"))
        if self.wrap:
            notes.append(("wrap", "dim"))
        if self.columns:
            notes.append(("columns", "dim"))
        return notes

    # What keys do -----------------------------------------------------------------------------

    @property
    def selected(self) -> LogLine | None:
        """The line under the cursor, else the newest."""
        found = next((one for one in self._shown if one.number == self.cursor), None)
        return found or (self._shown[-1] if self._shown else None)

    def move(self, by: int) -> None:
        """Move the cursor; at an edge the view moves."""
        if self.view is None or not self._shown:
            return
        numbers = [one.number for one in self._shown if not one.partial]
        if self.cursor not in numbers:
            self.cursor = numbers[-1] if numbers else None
            if by < 0:
                self.view.pause()
        elif 0 <= (index := numbers.index(self.cursor) + by) < len(numbers):
            self.cursor = numbers[index]
            if by < 0 and self.view.following:
                self.view.pause()
        else:
            self.view.scroll(by, self._height)
            self._shown = self.view.lines(self._height)
            edge = self._shown[-1 if by > 0 else 0] if self._shown else None
            self.cursor = edge.number if edge else None
        self.changed()

    def page(self, by: int) -> None:
        if self.view is not None:
            self.view.scroll(by * max(1, self._height - 1), self._height)
            self.cursor = None
            self.changed()

    def ends(self, *, last: bool) -> None:
        if self.view is not None:
            if last:
                self.view.follow()
            else:
                self.view.top(self._height)
            self.cursor = None
            self.changed()

    def mark(self) -> None:
        """Pause, or follow again."""
        if self.view is not None:
            if self.view.following:
                self.view.pause()
            else:
                self.ends(last=True)
            self.changed()

    def filter(self, text: str) -> None:
        self.wanted = text
        self._query()

    def exclude(self, text: str) -> None:
        """Hide what contains `text`."""
        self.excluded = text
        self._query()

    def unfilter(self) -> bool:
        had = bool(self.wanted or self.excluded)
        self.wanted = self.excluded = ""
        if had:
            self._query()
        elif self.view is not None and not self.view.following:
            self.ends(last=True)
            return True
        return had

    @property
    def filter_text(self) -> str:
        return self.wanted

    def _query(self) -> None:
        from warroom.logs.filters import BadFilter, Query, parse_filter

        if self.view is None or self.room is None:
            return
        names = self.room.logs.names
        try:
            ins = (parse_filter(self.wanted, names),) if self.wanted else ()
            outs = (parse_filter(self.excluded, names),) if self.excluded else ()
        except BadFilter as error:
            self.wrong = str(error)
        else:
            self.wrong = ""
            self.view.filter(Query(ins, outs))
            self.run_worker(self._match(self.view), group="match", exclusive=True)
        self.changed()

    async def _match(self, view: LogView) -> None:
        """Match what is there already, the newest lines at once."""
        working = view.work()
        self.changed()
        while working:
            await asyncio.sleep(MATCH_REST_S)
            working = view.work()
        self.changed()

    def next_error(self, step: int) -> bool:
        """Put the cursor on the next line of level error in that direction; whether there is."""
        if self.view is None:
            return False
        newest = self.view.ring.last + 1 if self.view.bottom is None else self.view.bottom
        start = (newest if self.cursor is None else self.cursor) + step
        seek = self.view.next_error(start, step)
        while seek.resume is not None:
            seek = self.view.next_error(seek.resume, step)
        if seek.number is None:
            return False
        self.cursor = seek.number
        self.view.pause(seek.number)
        self.changed()
        return True

    def toggle_wrap(self) -> None:
        self.wrap = not self.wrap
        self.changed()

    def toggle_columns(self) -> None:
        """Lines as they stand, or their fields in columns."""
        self.columns = not self.columns
        self.changed()

    def detail(self) -> tuple[str, str, str, list[Line]] | None:
        from warroom.tui.screens.logline import lines_of

        one = self.selected
        if one is None or self.room is None:
            return None
        name = self.room.logs.names[one.source]
        raw = None if one.partial or self.view is None else self.view.ring.get(one.number)
        data = one.text.encode() if raw is None else raw.data
        told = lines_of(one, data, self.room.logs.look(one.source), self._zone)
        return f"{name}: line {one.number:,}", "", "", told

    def picked(self) -> tuple[str, str]:
        one = self.selected
        if one is None or self.room is None:
            return "", ""
        return self.room.logs.names[one.source], one.text

    def on_click(self, event: events.Click) -> None:
        row = event.y - 1
        if 0 <= row < len(self._places) and self._shown:
            self.cursor = self._shown[self._places[row]].number
            if self.view is not None and self.view.following:
                self.view.pause()
            self.changed()

    def on_mouse_scroll_up(self) -> None:
        self.page_lines(-3)

    def on_mouse_scroll_down(self) -> None:
        self.page_lines(3)

    def page_lines(self, by: int) -> None:
        """Scroll by lines, the cursor staying where it is."""
        if self.view is not None:
            self.view.scroll(by, self._height)
            self.changed()


def _rate(lines: float) -> str:
    return f"{lines:,.0f} lines/s"
