"""When the room cannot be opened: why, and what is left of a damaged journal."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from textual import work

from warroom.tui.screens.acts import Acts
from warroom.tui.widgets.lines import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from warroom.journal.salvage import Salvage
    from warroom.tui.app import WarroomApp
    from warroom.tui.widgets.header import HeaderStrip

_WIDTH: Final = 76


class Salvaging(Acts):
    """A part of the room's screen."""

    header: HeaderStrip

    @work(exclusive=True, group="dialog")
    async def room_failed(self, reason: str, damaged: Path | None) -> None:
        """Say why, and offer to read what is left of a `damaged` journal."""
        title, lines = "the room could not be opened", [reason]
        if damaged is None:
            await self._shown_until_left(title, lines, "")
            return
        lines += ["", "The damaged file is copied aside, byte for byte, and never written."]
        lines.append("Leave every other console on it first.")
        if await self._shown_until_left(title, lines, "reads what is left"):
            await self._salvage(damaged)

    async def _salvage(self, damaged: Path) -> None:
        from warroom.journal.base import JournalError
        from warroom.journal.salvage import beside, lost, salvage, told

        self._said("reading what is left of the journal…")
        try:
            found = await asyncio.to_thread(salvage, damaged, _free(beside(damaged)))
        except JournalError as error:
            self._said(str(error))
            await self._shown_until_left("nothing was salvaged", [str(error)], "")
            return
        self._said("the journal is damaged")
        lines = [*told(found), *lost(found, damaged), "", f"the new journal: {found.new}"]
        lines.append(f"the damaged files as they are: {found.aside}")
        if await self._shown_until_left("what is left of the journal", lines, "goes on with it"):
            await self._go_on(found, damaged)

    async def _go_on(self, found: Salvage, damaged: Path) -> None:
        from warroom.journal.base import JournalError
        from warroom.journal.salvage import go_on_with

        app = cast("WarroomApp", self.app)
        await app.close_unopened()
        try:
            await asyncio.to_thread(go_on_with, found, damaged)
        except JournalError as error:
            self._said(str(error))
            await self._shown_until_left("the new journal is not in its place", [str(error)], "")
            return
        self._said("")
        app.open_again()

    def _said(self, text: str) -> None:
        """In the header, while there is no room."""
        self.header.failed = text
        self.header.changed()

    async def _shown_until_left(self, title: str, texts: Iterable[str], doing: str) -> bool:
        """Show a sheet until it is left; whether its key `s`, which is for `doing`, was pressed."""
        from warroom.tui.screens.sheet import Offer

        width = min(_WIDTH, self.app.size.width * 9 // 10 - 4)
        lines = [[(part, "")] for text in texts for part in (wrapped(text, width) or [""])]
        answer = await self.app.push_screen_wait(Offer(title, lines, doing))
        return answer is True


def _free(path: Path) -> Path:
    """`path`, or the same with a number: somebody may have read what is left before."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return path if not path.exists() else next(one for one in numbered if not one.exists())
