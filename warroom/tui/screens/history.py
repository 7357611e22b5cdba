"""What rotation put away: offered beside the logs that are followed, and opened in their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from textual import work

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import HostError
from warroom.tui.screens.counting import Counting
from warroom.tui.screens.dialogs import Option, choose

if TYPE_CHECKING:
    from warroom.config.settings import LogEntry
    from warroom.tui.panes.logs import LogsPane

_MOST: Final = 200
"""Files that are offered."""


class History(Counting):
    """A part of the room's screen."""

    def rows_said(self, word: str, rest: str) -> bool:
        """Do what `:WORD REST` says, if it is one of these words."""
        if word == "open":
            self.open_said(rest)
            return True
        return super().rows_said(word, rest)

    @work(exclusive=True, group="dialog")
    async def action_history(self) -> None:
        """Offer what lies beside the followed files, those of the selected line's log first."""
        pane = self._logs()
        if pane is None or self.room is None:
            return
        self.say("looking beside the logs…")
        found, wrong = await self._beside(pane)
        self.say("")
        if not found:
            self.say(wrong or "no rotated file lies beside a followed one", "degraded")
            return
        options = [
            Option(str(n), harmless(PurePosixPath(path).name),
                   shorten(f"{entry.name}{' on ' + entry.on if entry.on else ''}", 40))
            for n, (entry, path) in enumerate(found[:_MOST])
        ]  # fmt: skip
        chosen = await choose(self, "open an old log", options, hint="enter opens   esc cancel")
        if chosen is not None:
            self._open_old(pane, *found[int(chosen)])

    async def _beside(self, pane: LogsPane) -> tuple[list[tuple[LogEntry, str]], str]:
        """(log, path) of every file there is, and what was wrong with the last that could not be
        looked at."""
        from warroom.logs.history import put_away

        assert self.room is not None
        name = pane.logs.names[pane.selected.source] if pane.selected is not None else ""
        entries = [entry for entry in self.room.settings.logs if entry.path]
        entries.sort(key=lambda entry: entry.name != name)
        found, wrong = [], ""
        for entry in entries:
            try:
                paths = await put_away(self.room.hosts[entry.on], entry.path)
            except HostError as error:
                wrong = f"{entry.name}: {error}"
            else:
                found += [(entry, path) for path in paths]
        return found, wrong

    def open_said(self, text: str) -> None:
        """`:open /var/log/nginx/access.log.2.gz`, `:open web1:/var/log/…`; a name alone is one
        beside a followed file."""
        from warroom.config.settings import LogEntry
        from warroom.config.values import Name
        from warroom.tui.panes.logs import LogsPane

        logs = next((pane for pane in self.panes if isinstance(pane, LogsPane)), None)
        if logs is None or self.room is None:
            self.say("there is no logs pane to show it in", "degraded")
            return
        host, colon, path = text.partition(":")
        if not (colon and host in self.room.settings.hosts):
            host, path = "", text
        entry = LogEntry(Name(shorten(harmless(path), 60)), on=host, path=path)
        if "/" not in path:
            beside = [e for e in self.room.settings.logs if e.path and path.startswith(_stem(e))]
            if beside:
                entry, path = beside[0], str(PurePosixPath(beside[0].path).with_name(path))
        self.action_pane(logs.number)
        self._open_old(logs, entry, path)

    def _open_old(self, pane: LogsPane, entry: LogEntry, path: str) -> None:
        from warroom.config.values import Name
        from warroom.logs.history import OldLog

        assert self.room is not None
        name = Name(shorten(harmless(PurePosixPath(path).name), 60))
        old = OldLog(
            replace(entry, name=name, path=path), self.room.hosts[entry.on], clock=self.room.clock
        )
        before = pane.old
        pane.read_old(old)
        old.start()
        if before is not None:
            self.run_worker(before.stop(), group="old")
        self.say(f"{name}: esc goes back to what is followed")


def _stem(entry: LogEntry) -> str:
    return PurePosixPath(entry.path).stem
