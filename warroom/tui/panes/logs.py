"""Logs: every file and container in one stream, filtered while it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from warroom.tui import format as fmt
from warroom.tui.panes.log_graph import graph
from warroom.tui.panes.log_queries import LogQueries
from warroom.tui.panes.log_rows import Look, first_of, gap_line, row_lines, rule
from warroom.tui.widgets.lines import Line, Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warroom.logs.decode import Line as LogLine
    from warroom.logs.fold import Entry
    from warroom.logs.view import LogView

_NAMES_WIDTH: Final = 44
_AGAIN_S: Final = 60.0
"""How long it is told that a log is read again."""
_READ: Final = 200
"""Lines a second that nobody reads any more."""
_RUSHING_S: Final = 0.3
"""How long such lines wait until they are drawn, and a filter's count."""
_WRONG_S: Final = 2.0
"""A clock that is off by less may as well be a line's way."""
_SEARCHES_FROM: Final = 5
"""Rows of a pane from which the searches are worth their place."""
_WORDED: Final = ("re:", "level:", "status:", "source:")
"""What is found by other than its text cannot stand out in it."""


class LogsPane(LogQueries):
    """The newest lines at the bottom; a cursor on one of them once somebody moves."""

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(name, sources)
        self._drawn, self._drawn_at = -1, 0.0
        self._rate = ""
        self._second = 0
        self._states: tuple[object, ...] = ()

    def restless(self) -> bool:
        if self.view is None or self.room is None:
            return False
        working = self.matcher is not None or self.view.work()
        newest = self.view.ring.last
        second, before = int(self.room.clock.now().timestamp()), self._second
        self._second = second
        if second == before and (self._rushing(newest) or self._matching()):
            return False
        fresh, self._drawn = newest != self._drawn or bool(self.view.ring.tails), newest
        self._drawn_at = time.monotonic()
        if fresh and second != before:
            return True  # the title's figures and the course go on while the lines stand still
        turned = self.graphed and second // 10 != before // 10
        turned = turned or (second != before and self._news())
        return working or (fresh and self.view.following) or turned or self._rate_fell(self.view)

    def _rushing(self, newest: int) -> bool:
        """Whether lines come too fast to be read: drawing them costs more than keeping them."""
        passed = time.monotonic() - self._drawn_at
        return passed < _RUSHING_S and newest - self._drawn > _READ * passed

    def _matching(self) -> bool:
        """Whether what a filter lets through is only being counted: the newest lines are drawn."""
        return self.matcher is not None and time.monotonic() - self._drawn_at < _RUSHING_S

    def _news(self) -> bool:
        """Whether something above the lines may have changed without any line."""
        assert self.room is not None
        states = tuple((status.error, status.again) for status in self.logs.status())
        before, self._states = self._states, states
        return bool(self.logs.searches.all) or states != before

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
        names = [status.name for status in self.logs.status()]
        looks = [self.logs.look(index).format for index in range(len(names))]
        told = [
            name if fmt is None else f"{name} ({fmt.name})"
            for name, fmt in zip(names, looks, strict=True)
        ]
        shown = told if len(", ".join(told)) <= _NAMES_WIDTH else names
        return ", ".join(shown[:4]) + ("…" if len(shown) > 4 else "")

    def body(self, width: int, height: int) -> list[Line]:
        if self.room is None or self.view is None:
            return [[(" waiting for the first line…", "dim")]]
        head = [
            *self._graph(width, height),
            *self._found(width, height),
            *first_of(self._faults(), max(1, height // 3)),
        ]
        self._height = max(1, height - len(head) - self.columns)
        self._rows = self.rows(self._height)
        look = replace(self._look(width), clocks=self._clocks_before())
        lines, places = self._drawn_rows(look, head)
        cut = max(0, len(lines) - self._height)
        self._places = [*[None] * len(head), *places[cut:]]
        hidden = next((index for index in places[cut:] if index is not None), 0)
        self._rows = self._rows[hidden:]
        self._places = [None if index is None else index - hidden for index in self._places]
        if not lines:
            lines = [[(f"   {self._empty()}", "dim")]]
        return [*head, *lines[cut:]]

    def _drawn_rows(self, look: Look, head: list[Line]) -> tuple[list[Line], list[int | None]]:
        """The screen lines of every row, and whose each is; names of columns go into `head`."""
        from warroom.logs.decode import decode

        shown = [
            replace(decode(row.newest, partial=row.partial), at=self.moment(row.newest))
            for row in self._rows
        ]
        texts = [self._text(row, one, look) for row, one in zip(self._rows, shown, strict=True)]
        if self.columns:
            title, cells = self._in_columns(look.width - look.lead)
            head.append([(f"{'':{look.lead}}{title}", "dim")])
            texts = [c if c is not None else text for c, text in zip(cells, texts, strict=True)]
        lines: list[Line] = []
        places: list[int | None] = []
        such = bool(self.view and self.view.query)
        for index, (row, one, text) in enumerate(zip(self._rows, shown, texts, strict=True)):
            gap = self._gap(index, look, such=such) if index else None
            if gap is not None:
                lines.append(gap)
                places.append(None)
            drawn = row_lines(row, one, text, look)
            lines += drawn
            places += [index] * len(drawn)
        return lines, places

    def _clocks_before(self) -> Mapping[int, str]:
        """Clocks of lines that were there before; by time, every line has its moment."""
        from warroom.tui.panes.log_clock import clocks

        if self.room is None or self.moments is not None:
            return {}
        return clocks(self._rows, self.logs, self._zone, self.room.clock.now())

    def _text(self, row: Entry, one: LogLine, look: Look) -> str:
        """A line's text beside the clock: wrapped, or beside no clock, it stands there whole."""
        from warroom.logs.stamps import unstamped
        from warroom.tui.panes.log_clock import is_clock

        fmt = self.logs.look(row.newest.source).format
        clock = look.clocks.get(row.last)
        if self.wrap or row.partial or fmt is None or (clock and not is_clock(clock)):
            return one.text
        return unstamped(one.text, row.newest.data, fmt, one.at, self._zone, self.needle)

    def _gap(self, index: int, look: Look, *, such: bool) -> Line | None:
        """What stands between a row and the one before it: how long nothing came."""
        from warroom.tui.panes.log_clock import FOLLOWED, silence

        before, row = self._rows[index - 1], self._rows[index]
        if self.moments is not None:
            passed: float | None = self.moment(row.newest) - self.moment(before.newest)
        else:
            passed = silence(before, row, self.logs)
        return rule(FOLLOWED, look) if passed is None else gap_line(passed, look, such=such)

    def _look(self, width: int) -> Look:
        assert self.room is not None
        needle = "" if self.needle.startswith(_WORDED) else self.needle
        cursor = self.cursor if self.has_focus else None
        names = self.logs.names
        return Look(
            width, self._zone, names, self.wrap, cursor, self.marks, needle, self.ascii_only
        )

    def _graph(self, width: int, height: int) -> Sequence[Line]:
        assert self.room is not None
        now = self.room.clock.now().timestamp()
        histogram = self.logs.histogram if self.graphed else None
        if histogram is None:
            return ()
        return graph(histogram, now, width, height, self._zone, ascii_only=self.ascii_only)

    def _found(self, width: int, height: int) -> Sequence[Line]:
        """How often the saved searches find something."""
        assert self.room is not None
        searches = self.logs.searches.all
        if not searches or height < _SEARCHES_FROM:
            return ()
        from warroom.engine.log_searches import SEARCHES
        from warroom.tui.panes.log_rates import rates

        now = self.room.clock.now().timestamp()
        found = self.room.findings(SEARCHES)
        return rates(searches, found, now, width, height // 5, ascii_only=self.ascii_only)

    def _empty(self) -> str:
        return "no line matches" if self.view and self.view.query else "no line yet"

    def _faults(self) -> list[Line]:
        assert self.room is not None
        lines: list[Line] = []
        mark = "!" if self.ascii_only else "▲"
        now = self.room.clock.now().timestamp()
        for status in self.logs.status():
            if status.error:
                lines.append([(f" {mark} {status.name}: {status.error}", "degraded")])
            elif status.again is not None and now - status.again[0] < _AGAIN_S:
                at = fmt.clock_time(datetime.fromtimestamp(status.again[0], UTC), self._zone)
                told = f"{status.name} is read again since {at}; before: {status.again[1]}"
                lines.append([(f" {told}", "ok")])
        fault = self.wrong or (self.view.fault if self.view else "")
        if fault:
            lines.append([(f" {mark} {fault}", "degraded")])
        return lines

    def _in_columns(self, width: int) -> tuple[str, Sequence[str | None]]:
        """The names of the columns, and each row in them, None where its log is not recognised."""
        from warroom.logs.cells import table

        found = table([self._cells(row) for row in self._rows], width)
        return found.title, found.rows

    def _cells(self, row: Entry) -> Mapping[str, str] | None:
        from warroom.logs.cells import cells_of

        assert self.room is not None
        look = self.logs.look(row.newest.source)
        if row.partial or look.format is None:
            return None
        return cells_of(row.newest.data, look.format, look.trust)

    def notes(self) -> list[Span]:
        if self.view is None or self.room is None or self.folding is None:
            return []
        notes: list[Span] = []
        if self.old is not None:
            read = "an old log" if self.old.whole else "an old log, still being read"
            notes.append((f"{read}: esc goes back", "degraded"))
        if self.least:
            from warroom.logs.level import LogLevel

            notes.append((f"level {LogLevel(self.least).word}", "accent"))
        if self.wanted:
            notes.append((f"/{self.wanted}", "accent"))
        if self.excluded:
            notes.append((f"!{self.excluded}", "accent"))
        if self.needle:
            notes.append((f'"{self.needle}: n N', "accent"))
        if not self.view.following:
            counts = self.view.counts(self.room.clock.now().timestamp())
            newer = f", {counts.newer:,} newer" if counts.newer else ""
            notes.append((f"PAUSED{newer}: G follows", "degraded"))
        modes = (
            ("by time" + self._clocks(), self.moments is not None),
            ("wrap", self.wrap),
            ("columns", self.columns),
            ("unfolded", not self.folding.traces),
            ("each", not self.folding.repeats),
        )
        notes += [(word, "dim") for word, on in modes if on]
        if self.marks:
            notes.append((f"{len(self.marks):,} marked", "mark"))
        return notes

    def _clocks(self) -> str:
        """Logs whose clock is wrong, and by how much."""
        names = self.logs.names if self.room is not None else ()
        wrong = [
            self.moments.wrong_s(index) if self.moments else 0.0 for index in range(len(names))
        ]
        told = [
            f"{name}'s clock {abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead'}"
            for name, seconds in zip(names, wrong, strict=True)
            if abs(seconds) >= _WRONG_S
        ]
        return f": {', '.join(told)}" if told else ""

    # What keys do -----------------------------------------------------------------------------

    def toggle_wrap(self) -> None:
        self.wrap = not self.wrap
        self.changed()

    def toggle_columns(self) -> None:
        """Lines as they stand, or their fields in columns."""
        self.columns = not self.columns
        self.changed()

    def toggle_order(self) -> bool:
        """Rows in the order in which they came, or were written; whether they are the latter."""
        from warroom.logs.moments import Moments

        self.moments = None if self.moments else Moments(self.logs.was_there)
        self.changed()
        return self.moments is not None

    def toggle_graph(self) -> None:
        """The course of lines and errors above the lines, or not."""
        self.graphed = not self.graphed
        self.changed()


def _rate(lines: float) -> str:
    return f"{lines:,.0f} lines/s"
