"""What the room's keys do in the logs: find, go to a time or a mark, fold, show less."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from textual import work

from warroom.tui import format as fmt
from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import ask_line

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.logs.filters import Query
    from warroom.tui.panes.logs import LogsPane


class Following(Acts):
    """A part of the room's screen."""

    settings: Settings

    def _logs(self) -> LogsPane | None:
        from warroom.tui.panes.logs import LogsPane

        if isinstance(self.pane, LogsPane):
            return self.pane
        self.say("that is for the logs pane", "degraded")
        return None

    def rows_said(self, word: str, rest: str) -> bool:
        """Do what `:WORD REST` says, if it is one of these words."""
        match word:
            case "find":
                self.action_find(rest)
            case "at":
                self.action_at_time(rest)
            case "hide":
                self.action_exclude(rest)
            case _:
                return False
        return True

    # What is let through ------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_exclude(self, text: str | None = None) -> None:
        pane = self._logs()
        if pane is None:
            return
        if text is None:
            text = await ask_line(self, "!", pane.excluded, placeholder="hide what contains")
        if text is not None:
            pane.exclude(text)

    def action_worse(self) -> None:
        self._level(1)

    def action_milder(self) -> None:
        self._level(-1)

    def _level(self, step: int) -> None:
        if pane := self._logs():
            word = pane.level(step)
            self.say(f"lines of level {word} or worse" if word else "lines of every level")

    # To a line ----------------------------------------------------------------------------------

    @work(exclusive=True, group="seek")
    async def action_next_error(self) -> None:
        await self._error(1)

    @work(exclusive=True, group="seek")
    async def action_previous_error(self) -> None:
        await self._error(-1)

    async def _error(self, step: int) -> None:
        from warroom.logs.view import ERRORS

        await self._seek(ERRORS, step, "error")

    async def _seek(self, query: Query, step: int, what: str) -> None:
        if (pane := self._logs()) and not await pane.seek(query, step):
            self.say(f"no further {what} " + ("below" if step > 0 else "above"), "degraded")

    @work(exclusive=True, group="dialog")
    async def action_find(self, text: str | None = None) -> None:
        pane = self._logs()
        if pane is None:
            return
        if text is None:
            hint = "a text that stands out; n and N go to the next and the one before"
            text = await ask_line(self, '"', pane.needle, placeholder=hint)
        if text is None:
            return
        wrong = pane.find(text)
        if wrong:
            self.say(wrong, "degraded")
        elif text:
            await self._match(-1)

    @work(exclusive=True, group="seek")
    async def action_next_match(self) -> None:
        await self._match(1)

    @work(exclusive=True, group="seek")
    async def action_previous_match(self) -> None:
        await self._match(-1)

    async def _match(self, step: int) -> None:
        from warroom.logs.filters import Query, parse_filter

        pane = self._logs()
        if pane is None or self.room is None:
            return
        if not pane.needle:
            self.say('nothing is looked for: " looks for a text', "degraded")
            return
        query = Query((parse_filter(pane.needle, pane.logs.names, pane.logs),))
        await self._seek(query, step, f'"{pane.needle}"')

    @work(exclusive=True, group="dialog")
    async def action_at_time(self, text: str = "") -> None:
        from warroom.domain.instants import HELP, NotUnderstood, understand

        pane = self._logs()
        if pane is None or self.room is None:
            return
        text = text or await ask_line(self, "go to", placeholder=HELP) or ""
        if not text:
            return
        zone = ZoneInfo(self.settings.incident.timezone)
        now = self.room.clock.now()
        if pane.old is not None:  # 14:35 is one of its own day
            now = datetime.fromtimestamp(pane.old.newest, UTC)
        try:
            found = understand(text, now, zone)
        except NotUnderstood as error:
            self.say(str(error), "degraded")
            return
        told = pane.to_time(found.at)
        at = fmt.clock_time(found.at, zone)
        self.say(f"{at}{': ' if told or found.note else ''}{told or found.note}")

    def action_mark_line(self) -> None:
        if pane := self._logs():
            marked = pane.toggle_mark()
            if marked is None:
                self.say("no line to mark", "degraded")
            else:
                self.say("marked: { and } go to marks" if marked else "not marked any more")

    def action_next_mark(self) -> None:
        self._mark(1)

    def action_previous_mark(self) -> None:
        self._mark(-1)

    def _mark(self, step: int) -> None:
        if (pane := self._logs()) and (told := pane.to_mark(step)):
            self.say(told, "degraded")

    # How it is shown ----------------------------------------------------------------------------

    def action_unfold(self) -> None:
        if (pane := self._logs()) and not pane.open_row(wide=True):
            self.say("nothing is folded away in this row")

    def action_fold(self) -> None:
        if (pane := self._logs()) and not pane.open_row(wide=False):
            self.say("no row is open")

    def action_traces(self) -> None:
        if pane := self._logs():
            on = pane.toggle_traces()
            self.say("stack traces are one row" if on else "stack traces line by line")

    def action_repeats(self) -> None:
        if pane := self._logs():
            on = pane.toggle_repeats()
            self.say("the same again is counted" if on else "the same again line by line")

    def action_order(self) -> None:
        if pane := self._logs():
            by_time = pane.toggle_order()
            self.say("lines as they were written" if by_time else "lines as they came")

    def action_graph(self) -> None:
        if pane := self._logs():
            pane.toggle_graph()

    def action_wrap(self) -> None:
        if pane := self._logs():
            pane.toggle_wrap()

    def action_columns(self) -> None:
        if pane := self._logs():
            pane.toggle_columns()
