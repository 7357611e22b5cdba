"""Opens the team's playbooks beside the panes; what draws them is imported when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import work

from warroom.tui.screens.acts import Acts

if TYPE_CHECKING:
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook


class Playbooks(Acts):
    """A part of the room's screen."""

    docked: int = 0
    """Columns at the right that a playbook has."""
    last_playbook: str = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.left_at: dict[str, int] = {}
        """The line that the cursor was on when a playbook was left."""

    @work(exclusive=True, group="dialog")
    async def action_playbooks(self) -> None:
        if self.room is None:
            return
        if not any(book.runbook.playbooks for book in self.room.shelf.books):
            self.say("no runbook: name one with --runbook FILE or [incident] runbooks", "degraded")
            return
        from warroom.tui.screens.choose_book import ChooseBook

        choice = await self.app.push_screen_wait(ChooseBook(self.room, self.last_playbook))
        if choice is not None:
            self.open_playbook(choice.book, choice.playbook)

    def open_playbook(self, book: Book, playbook: Playbook, line: int = 0) -> None:
        """Show it beside the panes; where there is no room for both, over them. The cursor is on
        what stands on `line` of the file; where none is said, on what it was on before."""
        from warroom.tui.screens.playbook import PlaybookScreen
        from warroom.tui.screens.room import RoomScreen

        assert isinstance(self, RoomScreen)
        assert self.room is not None
        self.last_playbook = f"{book.name}:{playbook.line}"
        line = line or self.left_at.get(self.last_playbook, 0)
        screen = PlaybookScreen(self.room, self, book, playbook)
        places = (i for i, entry in enumerate(screen.entries) if line and entry.line == line)
        screen.at = next(places, screen.at)
        self.app.push_screen(screen)
