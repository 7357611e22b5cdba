"""Keeps which playbooks the live findings speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warroom.engine.advice import Advice
    from warroom.engine.room import Room


class Advising:
    """`advice` is what is suggested now, the best first; worked out when something changes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._of: object = None
        self.advice: tuple[Advice, ...] = ()

    def step(self) -> None:
        """Look at what is not well now, and at the books as they are."""
        books = self._room.shelf.books
        if not books:
            return
        from warroom.engine.advice import advise, troubles

        found = troubles(self._room)
        now = found, tuple((book.path, book.digest) for book in books)
        if now != self._of:
            self._of, self.advice = now, advise(found, books)
