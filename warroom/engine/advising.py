"""Keeps which playbooks the live findings speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warroom.domain.sample import Health
from warroom.domain.text import shorten

if TYPE_CHECKING:
    from warroom.engine.advice import Advice, Trouble
    from warroom.engine.room import Room

_WIDTH: Final = 60


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
        from warroom.engine.advice import advise

        found = troubles(self._room)
        now = found, tuple((book.path, book.digest) for book in books)
        if now != self._of:
            self._of, self.advice = now, advise(found, books)


def troubles(room: Room) -> tuple[Trouble, ...]:
    """What is not well in the room now, a source's findings in the order of its checks."""
    from warroom.engine.advice import Trouble

    found: list[Trouble] = []
    for name, sample in room.monitor.latest.items():
        kind, own = room.monitor.kind(name), room.findings(name)
        found += [Trouble(name, kind, f.message, f.check, f.row) for f in own]
        if sample.health in (Health.DOWN, Health.DEGRADED) and not own:
            text, is_down = sample.error or sample.summary, sample.health is Health.DOWN
            found.append(Trouble(name, kind, shorten(text, _WIDTH), is_down=is_down))
    return tuple(found)
