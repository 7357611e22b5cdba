"""How one moves over the logs: rows, pages, errors, a text, marks, a time; and opens what is
folded."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from textual import events

from warroom.hosts.turns import turn
from warroom.tui.panes.log_state import LogState

if TYPE_CHECKING:
    from warroom.logs.filters import Query
    from warroom.logs.ring import Raw
    from warroom.logs.view import LogView

_REST_S: Final = 0.005
_BUSY_S: Final = 0.001
_MARKS: Final = 1000
_EARLY: Final = 5000
"""Of the oldest lines so many may be from before following began."""


class LogMoves(LogState):
    """A part of the logs pane. `_places` has the row of each screen line, None where none is."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self._places: list[int | None] = []

    # Rows and pages -----------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """Move the cursor; at an edge the view moves."""
        if self.view is None or not self._rows:
            return
        numbers = [row.number for row in self._rows if not row.partial]
        if self.cursor not in numbers:
            self.cursor = numbers[-1] if numbers else None
            if by < 0:
                self.view.pause()
        elif 0 <= (index := numbers.index(self.cursor) + by) < len(numbers):
            self.cursor = numbers[index]
            if by < 0 and self.view.following:
                self.view.pause()
        else:
            self._scroll(by)
            self._rows = self.rows(self._height)
            edge = self._rows[-1 if by > 0 else 0] if self._rows else None
            self.cursor = edge.number if edge else None
        self.changed()

    def _scroll(self, by: int) -> None:
        """Move by that many rows, down when positive; the newest row follows again."""
        from warroom.logs.entries import above, below

        view, folding, height = self.view, self.folding, self._height
        if view is None or folding is None:
            return
        bottom = view.ring.last if view.bottom is None else view.bottom
        if by < 0:
            found = above(view, height - by, folding, bottom)
            if found:
                index = max(min(height, len(found)) - 1, len(found) - 1 + by)
                view.pause(found[index].last)
            return
        found = below(view, by + 1, folding, bottom)
        if len(found) <= by:
            view.follow()
        else:
            view.pause(found[by - 1].last)

    def page(self, by: int) -> None:
        self._scroll(by * max(1, self._height - 1))
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

    def on_click(self, event: events.Click) -> None:
        line = event.y - 1
        index = self._places[line] if 0 <= line < len(self._places) else None
        if index is not None and index < len(self._rows):
            self.cursor = self._rows[index].number
            if self.view is not None and self.view.following:
                self.view.pause()
            self.changed()

    def on_mouse_scroll_up(self) -> None:
        self.page_lines(-3)

    def on_mouse_scroll_down(self) -> None:
        self.page_lines(3)

    def page_lines(self, by: int) -> None:
        """Scroll by rows, the cursor staying where it is."""
        self._scroll(by)
        self.changed()

    # To a line ----------------------------------------------------------------------------------

    async def seek(self, query: Query, step: int) -> bool:
        """Put the cursor on the next line that `query` keeps, down when `step` is 1, up when it is
        -1; whether there is one. Keys are answered meanwhile."""
        view = self.view
        if view is None:
            return False
        seek = view.seek(query, self._from(step), step)
        while seek.resume is not None:
            await others_first()
            seek = view.seek(query, seek.resume, step)
        if seek.number is None:
            return False
        self.show(seek.number)
        return True

    def _from(self, step: int) -> int:
        """The first line beyond the chosen row; without a cursor, beyond the screen's lowest."""
        assert self.view is not None
        row = next((row for row in self._rows if row.number == self.cursor), None)
        if row is not None:
            numbers = [raw.number for raw in (*row.heads, *row.more)]
            return max(numbers) + 1 if step > 0 else min(numbers) - 1
        newest = self.view.ring.last if self.view.bottom is None else self.view.bottom
        return newest + 1 if step > 0 else newest

    def show(self, number: int) -> None:
        """Stand still with the cursor on the row of a line, a third of the screen below it."""
        view = self.view
        if view is None:
            return
        under = view.below(number, self._height // 3)
        view.pause(under[-1].number if under else number)
        self._rows = self.rows(self._height)
        row = next(
            (
                row
                for row in reversed(self._rows)
                if any(raw.number == number for raw in (*row.heads, *row.more))
            ),
            None,
        )
        self.cursor = row.number if row else number
        self.changed()

    def to_time(self, at: datetime) -> str:
        """Go to the first line shown of that time or later; what to say where that is not quite
        what was wanted."""
        view = self.view
        if view is None:
            return ""
        wanted = at.timestamp()
        if self.old is not None:
            return self._to_written(view, wanted)
        oldest, found = view.oldest(), view.since(wanted)
        if oldest is None:
            return "no line is shown"
        if wanted < oldest.at:
            return self._before_following(view, wanted, oldest)
        if found is None:
            self.ends(last=True)
            return "no line has come since"
        self.show(found.number)
        return ""

    def _to_written(self, view: LogView, wanted: float) -> str:
        """Lines of an old log came in pieces, each as of the last time in it: the line is looked
        for in the piece."""
        from warroom.logs.fold import own_time

        found = view.since(wanted)
        if found is None:
            self.ends(last=True)
            return "no line is of that time or later"
        for raw in view.below(found.number - 1, _EARLY):
            said = own_time(raw)
            if said is not None and said >= wanted:
                self.show(raw.number)
                return ""
        self.show(found.number)
        return ""

    def _before_following(self, view: LogView, wanted: float, oldest: Raw) -> str:
        """Lines from before following began came all at once: their own times are looked at."""
        from warroom.logs.fold import own_time

        for raw in view.below(0, _EARLY):
            said = own_time(raw)
            if said is not None and said >= wanted:
                self.show(raw.number)
                if raw.number == oldest.number:
                    return f"the oldest line kept is of {self._when(min(said, raw.at))}"
                return "by the time that the line says; it came later"
        self.show(oldest.number)
        return f"the oldest line kept is of {self._when(oldest.at)}"

    def _when(self, at: float) -> str:
        there = datetime.fromtimestamp(at, UTC).astimezone(self._zone)
        assert self.room is not None
        today = there.date() == self.room.clock.now().astimezone(self._zone).date()
        return f"{there:%H:%M:%S}" if today else f"{there:%Y-%m-%d %H:%M:%S}"

    # Marks --------------------------------------------------------------------------------------

    def toggle_mark(self) -> bool | None:
        """Mark the chosen row's line, or not any more; whether it is marked now."""
        row = self.chosen
        if row is None or row.partial:
            return None
        marked = self.marks & {raw.number for raw in (*row.heads, *row.more)}
        if marked:
            self.marks -= marked
        elif len(self.marks) < _MARKS:
            self.marks.add(row.last)
        self.changed()
        return not marked

    def to_mark(self, step: int) -> str:
        """Go to the next marked line that is shown; what to say where there is none."""
        view = self.view
        if view is None or not self.marks:
            return "no line is marked: * marks one"
        self.marks = {number for number in self.marks if view.ring.get(number) is not None}
        start = self._from(step)
        ahead = sorted(n for n in self.marks if (n >= start if step > 0 else n <= start))
        for number in ahead if step > 0 else reversed(ahead):
            if view.shows(number):
                self.show(number)
                return ""
        hidden = f", {len(ahead):,} behind the filter" if ahead else ""
        return f"no further mark {'below' if step > 0 else 'above'}{hidden}"

    # What is folded -----------------------------------------------------------------------------

    def open_row(self, *, wide: bool) -> bool:
        """Show the chosen row line by line, or as one row again; whether there was more to it."""
        row = self.chosen
        if row is None or self.folding is None:
            return False
        opened = self.folding.opened
        if wide:
            if not row.folds:
                return False
            opened.add(row.number)
        else:
            if not opened:
                return False
            number = max((one for one in opened if one <= row.number), default=min(opened))
            opened.discard(number)
            self.cursor = number
        if wide:
            self.cursor = row.number
            if self.view is not None:
                self.view.pause(self.view.bottom)
        self.changed()
        return True

    def toggle_traces(self) -> bool:
        """Stack traces as one row, or line by line."""
        assert self.folding is not None
        self.folding.traces = not self.folding.traces
        self.changed()
        return self.folding.traces

    def toggle_repeats(self) -> bool:
        """A line that came again as one row with a count, or each."""
        assert self.folding is not None
        self.folding.repeats = not self.folding.repeats
        self.changed()
        return self.folding.repeats


async def others_first() -> None:
    """Between two steps of work on the ring: keys are answered, and who has much to do gets time
    for it."""
    began = time.thread_time()  # not what other programs took
    await turn()
    if time.thread_time() - began > _BUSY_S:
        await asyncio.sleep(_REST_S)
