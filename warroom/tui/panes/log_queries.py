"""What the logs pane lets through: `/`, `!` and a level, matched while lines keep coming."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from warroom.hosts.turns import turn
from warroom.tui.panes.log_moves import LogMoves, others_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.logs.filters import Filter
    from warroom.logs.view import LogView

_FIRST_S: Final = 0.003
_STEP_S: Final = 0.003
_LEVELS: Final = (0, 2, 3, 4, 5)
"""All, info, warn, error, fatal: what `>` goes through."""


class LogQueries(LogMoves):
    """A part of the logs pane. While a text is looked for, `n` and `N` are for that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "match('next_match')", show=False),
        Binding("N", "match('previous_match')", show=False),
    ]
    matcher: asyncio.Task[None] | None = None
    """Who matches what is there already; nobody else needs to meanwhile."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.needle) if action == "match" else True

    async def action_match(self, name: str) -> None:
        await self.screen.run_action(name)

    def filter(self, text: str) -> None:
        view = self.view
        if text == self.wanted and view is not None and view.query and not view.fault:
            return  # Enter after what was typed: that is being matched already
        self.wanted = text
        self._query()

    def exclude(self, text: str) -> None:
        """Hide what contains `text`."""
        self.excluded = text
        self._query()

    def level(self, step: int) -> str:
        """Show only the next worse level from now on, or the one before; its word."""
        from warroom.logs.level import LogLevel

        index = _LEVELS.index(self.least) + step
        self.least = _LEVELS[min(len(_LEVELS) - 1, max(0, index))]
        self._query()
        return LogLevel(self.least).word

    def conditions(self) -> list[str]:
        """What is let through besides the filter, in words."""
        from warroom.logs.level import LogLevel

        words = [f"level {LogLevel(self.least).word} or worse"] if self.least else []
        return [*words, f"without {self.excluded}"] if self.excluded else words

    def find(self, text: str) -> str:
        """Let `text` stand out and `n` go to it; what is wrong with it, or nothing."""
        from warroom.logs.filters import BadFilter, parse_filter

        try:
            if text:
                parse_filter(text, self.logs.names if self.room else ())
        except BadFilter as error:
            return str(error)
        self.needle = text
        self.changed()
        return ""

    def unfilter(self) -> bool:
        had = bool(self.wanted or self.excluded or self.least)
        found = bool(self.needle)
        self.wanted = self.excluded = self.needle = ""
        self.least = 0
        if had:
            self._query()
        elif found:
            self.changed()
        elif self.view is not None and not self.view.following:
            self.ends(last=True)
            return True
        elif (old := self.leave_old()) is not None:
            self.run_worker(old.stop(), group="old")
            return True
        return had or found

    @property
    def filter_text(self) -> str:
        return self.wanted

    def _query(self) -> None:
        from warroom.logs.filters import BadFilter, LevelFilter, Query, parse_filter
        from warroom.logs.level import LogLevel

        if self.view is None or self.room is None:
            return
        names = self.logs.names
        ins: Sequence[Filter] = ()
        try:
            if self.least:
                level = LogLevel(self.least)
                ins = (LevelFilter(f"level:{level.word}", level),)
            if self.wanted:
                ins = (*ins, parse_filter(self.wanted, names, self.logs))
            outs = (parse_filter(self.excluded, names, self.logs),) if self.excluded else ()
        except BadFilter as error:
            self.wrong = str(error)
        else:
            self.wrong = ""
            self.view.filter(Query(tuple(ins), outs))
            self.run_worker(self._match(self.view), group="match", exclusive=True)
            return
        self.changed()

    async def _match(self, view: LogView) -> None:
        """Match what is there already, the newest lines first; the letter that was typed is drawn
        before them, and the next one makes it begin anew."""
        self.matcher = own = asyncio.current_task()
        try:
            await turn()
            working = view.work(_FIRST_S)
            self.changed()
            while working:
                await others_first()
                working = view.work(_STEP_S)
            await turn()
        finally:
            if self.matcher is own:
                self.matcher = None
        self.changed()
