"""Where a playbook points: files beside it open, pages on the web are copied and never fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from warroom.tui.screens.beneath import Beneath
from warroom.tui.screens.dialogs import Option, choose, show_sheet

if TYPE_CHECKING:
    from warroom.engine.room import Room
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Link, Playbook
    from warroom.tui.screens.room import RoomScreen


class Linking(Beneath[None]):
    """A part of the playbook's screen."""

    room: Room
    behind: RoomScreen
    book: Book
    playbook: Playbook

    def tell(self, text: str, style: str = "") -> None:
        raise NotImplementedError

    def action_leave(self) -> None:
        raise NotImplementedError

    @work(exclusive=True, group="dialog")
    async def action_links(self) -> None:
        """The playbook's own links first, then the file's others."""
        found = links(self.book, self.playbook)
        if not found:
            self.tell("no link stands in this file", "degraded")
            return
        options = [
            Option(str(index), link.text or link.target, link.target if link.text else "")
            for index, link in enumerate(found)
        ]
        chosen = await choose(self, f"links of {self.book.name}", options)
        if chosen is not None:
            await self._follow_link(found[int(chosen)])

    async def _follow_link(self, link: Link) -> None:
        from warroom.config.problems import ConfigError
        from warroom.engine.shelf import NoSuchBook
        from warroom.tui.clipboard import copy

        if "://" in link.target or link.target.startswith("mailto:"):
            self.tell(f"{copy(self.app, link.target)}: {link.target}", "ok")
            return
        try:
            book, line = self.room.shelf.follow(self.book, link.target)
        except (NoSuchBook, ConfigError) as error:
            self.tell(str(error), "degraded")
            return
        playbook = at(book, line)
        if playbook is None:
            rows = book.text.split("\n")[line - 1 :]
            await show_sheet(self, f"{book.name}:{line}", [[(row, "")] for row in rows])
            return
        self.action_leave()
        self.behind.open_playbook(book, playbook)


def links(book: Book, playbook: Playbook) -> list[Link]:
    """Every target once: those that stand in `playbook` first."""
    below = [each.line for each in book.runbook.playbooks if each.line > playbook.line]
    until = min(below, default=book.text.count("\n") + 2)
    ordered = sorted(book.runbook.links, key=lambda one: not playbook.line <= one.line < until)
    return list({link.target: link for link in reversed(ordered)}.values())[::-1]


def at(book: Book, line: int) -> Playbook | None:
    """The playbook that holds a line, else the first that is about an incident, else any."""
    every = book.runbook.playbooks
    above = [one for one in every if one.line <= line]
    if line > 1 and above:
        return above[-1]
    return next((one for one in every if one.is_incident), every[0] if every else None)
