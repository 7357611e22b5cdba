"""What the palette offers of the runbooks: every playbook, step and checklist, by its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand

from warroom.domain.text import shorten

if TYPE_CHECKING:
    from warroom.engine.shelf import Book
    from warroom.tui.screens.room import RoomScreen

_WIDTH: Final = 100
_MOST: Final = 1000
"""Entries; beyond that somebody looks in the files."""


def commands_of_books(room: RoomScreen) -> Iterator[SystemCommand]:
    """Those of every book; what can be run opens where it stands, and runs from there only."""
    if room.room is None:
        return
    every = (one for book in room.room.shelf.books for one in _of_book(room, book))
    yield from islice(every, _MOST)


def _of_book(room: RoomScreen, book: Book) -> Iterator[SystemCommand]:
    for playbook in book.runbook.playbooks:
        show = partial(room.open_playbook, book, playbook)
        where = f"{book.name}:{playbook.line}"
        title = playbook.title.removeprefix("Playbook:").strip()
        yield SystemCommand(f"playbook: {title}", where, show, discover=playbook.is_incident)
        for step in playbook.steps:
            for part in step.runnable:
                text = shorten(" ".join(part.text.split()), _WIDTH)
                about = f"{book.name}:{part.line}, {title}"
                at = partial(room.open_playbook, book, playbook, part.line)
                yield SystemCommand(f"step: {text}", about, at, discover=False)
    for checklist in book.runbook.checklists:
        about = f"{book.name}:{checklist.line}, {len(checklist.items)} to tick"
        yield SystemCommand(
            f"checklist: {checklist.title}", about, room.action_checklist, discover=False
        )
