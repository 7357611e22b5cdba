"""What the logs pane knows: its view, its modes, the rows on the screen and which is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from warroom.tui.panes.base import Pane
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.logs.decode import Line as LogLine
    from warroom.logs.engine import LogEngine
    from warroom.logs.entries import Folding
    from warroom.logs.fold import Entry
    from warroom.logs.history import OldLog
    from warroom.logs.moments import Moments
    from warroom.logs.ring import Raw
    from warroom.logs.view import LogView

_LIVE: Final = (
    "view", "folding", "moments", "wanted", "excluded", "wrong", "needle", "least", "cursor",
    "marks", "graphed",
)  # fmt: skip
"""What is put aside while an old log is shown."""
_LATE: Final = 100
"""Rows by which a line may come too late and stand in its place all the same."""


class LogState(Pane):
    """The base of the logs pane's parts."""

    title = "logs"
    kinds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(name, sources)
        self.view: LogView | None = None
        self.folding: Folding | None = None
        self.wanted, self.excluded, self.wrong = "", "", ""
        self.needle = ""
        """What `n` and `N` go to, and what stands out in the lines."""
        self.least = 0
        """The LogLevel below which nothing is shown."""
        self.marks: set[int] = set()
        self.wrap = self.columns = False
        self.graphed = True
        self.moments: Moments | None = None
        """Times that lines say themselves, while rows stand in their order."""
        self.cursor: int | None = None
        """Number of the row under the cursor, if somebody moved."""
        self.old: OldLog | None = None
        """The old log that is shown in place of those that are followed."""
        self._live: dict[str, object] = {}
        self._rows: list[Entry] = []
        self._height = 10
        self._zone = ZoneInfo("UTC")

    @property
    def logs(self) -> LogEngine:
        """What is shown: the logs that are followed, or an old one. There must be a room."""
        assert self.room is not None
        return self.old or self.room.logs

    def read_old(self, old: OldLog) -> None:
        """Show an old log in place of those that are followed; they go on meanwhile."""
        from warroom.logs.entries import Folding
        from warroom.logs.moments import Moments
        from warroom.logs.view import LogView

        if self.old is None:
            self._live = {name: getattr(self, name) for name in _LIVE}
        self.old = old
        self.view, self.folding, self.moments = LogView(old.ring), Folding(), Moments()
        self.wanted = self.excluded = self.wrong = self.needle = ""
        self.least, self.cursor, self.marks, self.graphed = 0, None, set(), False
        self.changed()

    def leave_old(self) -> OldLog | None:
        """Show what is followed again, as it was; the old log that was shown, if one was."""
        old, self.old = self.old, None
        if old is not None:
            for name, value in self._live.items():
                setattr(self, name, value)
            self.changed()
        return old

    def opened(self) -> None:
        from warroom.logs.entries import Folding
        from warroom.logs.view import LogView

        assert self.room is not None
        self.view, self.folding = LogView(self.room.logs.ring), Folding()
        self._zone = ZoneInfo(self.room.settings.incident.timezone)

    def rows(self, height: int) -> list[Entry]:
        """The rows where the view stands."""
        from warroom.logs.entries import rows

        if self.view is None or self.folding is None:
            return []
        if self.moments is None:
            return rows(self.view, height, self.folding, at=self.view.bottom)
        from warroom.logs.moments import in_time

        bottom = self.view.bottom
        around = rows(self.view, height + _LATE, self.folding, at=bottom)
        if bottom is not None:  # what fills a screen from below is not asked for twice
            around = [row for row in around if row.number <= bottom]
            if len(around) < height:
                around = rows(self.view, height, self.folding, at=bottom)
        return in_time(around, self.moments)[-height:]

    def moment(self, raw: Raw) -> float:
        """When a line came, or was written by its own word; seconds since the epoch."""
        return raw.at if self.moments is None else self.moments.of(raw)

    @property
    def chosen(self) -> Entry | None:
        """The row under the cursor, else the newest."""
        found = next((row for row in self._rows if row.number == self.cursor), None)
        return found or (self._rows[-1] if self._rows else None)

    @property
    def selected(self) -> LogLine | None:
        """The line that stands for the chosen row."""
        lines = self.selected_lines()
        return lines[0] if lines else None

    def selected_lines(self) -> list[LogLine]:
        """All lines of the chosen row, the newest time that it came."""
        from warroom.logs.decode import decode

        row = self.chosen
        return [decode(raw, partial=row.partial) for raw in row.lines] if row else []

    def lines_shown(self) -> list[LogLine]:
        """The lines of every row on the screen."""
        from warroom.logs.decode import decode

        return [decode(raw, partial=row.partial) for row in self._rows for raw in row.lines]

    def detail(self) -> tuple[str, str, str, list[Line]] | None:
        from warroom.tui.screens.logline import lines_of

        row, one = self.chosen, self.selected
        if row is None or one is None or self.room is None:
            return None
        name = self.logs.names[one.source]
        look = self.logs.look(one.source)
        there = self.logs.was_there(row.newest)
        told = lines_of(one, row.newest.data, look, self._zone, there=there)
        if row.more:
            title = f"With {len(row.more):,} more lines"
            told += [[], [(title, "title accent")]]
            told += [[(f"  {more.text}", "")] for more in self.selected_lines()[1:]]
        return f"{name}: line {one.number:,}", "", "", told

    def picked(self) -> tuple[str, str]:
        lines = self.selected_lines()
        if not lines or self.room is None:
            return "", ""
        return self.logs.names[lines[0].source], "\n".join(one.text for one in lines)
