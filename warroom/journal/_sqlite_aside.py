"""What a SQLite journal holds beside the record: who is looking, and the figures around an
incident. One thread's connection of its own, so that it never holds up what people write.

It does not wait for the disk: figures of the last seconds may be lost when the power fails.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.domain.clock import Clock
from warroom.domain.events import Author
from warroom.domain.readings import Reading
from warroom.journal._sqlite_file import JournalFile
from warroom.journal._sqlite_rows import Unreadable, reading_of, reading_row
from warroom.journal._sqlite_schema import statement
from warroom.journal.base import (
    PRESENT_S,
    JournalError,
    NewerSchema,
    NoIncident,
    NotSaved,
    Presence,
)

if TYPE_CHECKING:
    import sqlite3

_PATIENCE_S: Final = 0.5
"""How long a sign of life waits for another process; the next one is on its way anyway."""


class Aside:
    """Presence and readings."""

    def __init__(self, path: Path, clock: Clock, *, busy_s: float) -> None:
        self._file, self._clock = JournalFile(path, busy_s=busy_s, durable=False), clock
        self._here: set[tuple[int, str]] = set()

    def beat(self, incident: str, console: str, author: Author, doing: str = "") -> list[Presence]:
        """Raises NoIncident. Whatever else is wrong with the file is for those who write the
        record to say: then those are present whose rows can be read, and this console."""
        own = Presence(console, author, self._clock.now(), doing)
        try:
            others = self._present(incident, own.seen_at.timestamp())
        except NoIncident:
            raise
        except JournalError:
            others = []
        with contextlib.suppress(NotSaved, NewerSchema):  # it may be there to be read only
            self._sign(incident, own)
        rest = (one for one in others if one.console != console)
        return sorted((own, *rest), key=lambda one: one.console)

    def keep(self, incident: str, readings: Sequence[Reading], until: float) -> None:
        """Raises NotSaved, NoIncident, NewerSchema."""
        with self._file.saving(until) as connection:
            number = _number(connection, incident)
            rows = [reading_row(number, reading) for reading in readings]
            connection.executemany(statement("keep"), rows)

    def readings(self, incident: str) -> list[Reading]:
        """Raises NoIncident, JournalError."""
        with self._file.reading() as connection:
            number = _number(connection, incident)
            assert connection is not None
            rows = connection.execute(statement("readings"), (number,)).fetchall()
        try:
            return [reading_of(row) for row in rows]
        except (Unreadable, ValueError, TypeError, AttributeError) as error:
            raise JournalError(
                f"{self._file.path}: figures of {incident} cannot be read: {error}"
            ) from error

    def close(self) -> None:
        """Whoever leaves is not present any more."""
        if self._here:
            with contextlib.suppress(NotSaved, NewerSchema):  # then it is so within PRESENT_S
                self._leave()
            self._here.clear()
        self._file.close()

    def _leave(self) -> None:
        with self._file.saving(time.monotonic() + _PATIENCE_S) as connection:
            connection.executemany(statement("leave"), sorted(self._here))

    def _sign(self, incident: str, own: Presence) -> None:
        who, now = own.author, own.seen_at.timestamp()
        with self._file.saving(time.monotonic() + _PATIENCE_S) as connection:
            number = _number(connection, incident)
            row = (number, own.console, who.login, who.uid, who.origin, now, own.doing)
            connection.execute(statement("gone"), (now - PRESENT_S, now + PRESENT_S))
            connection.execute(statement("beat"), row)
        self._here.add((number, own.console))

    def _present(self, incident: str, now: float) -> list[Presence]:
        with self._file.reading() as connection:
            number = _number(connection, incident)
            assert connection is not None
            span = (number, now - PRESENT_S, now + PRESENT_S)
            rows = connection.execute(statement("present"), span).fetchall()
        return [
            Presence(
                console, Author(login, uid, origin), datetime.fromtimestamp(seen_at, UTC), doing
            )
            for console, login, uid, origin, seen_at, doing in rows
        ]


def _number(connection: sqlite3.Connection | None, incident: str) -> int:
    found = None
    if connection is not None:
        found = connection.execute(statement("number_of_incident"), (incident,)).fetchone()
    if found is None:
        raise NoIncident(f"there is no incident {incident}")
    number: int = found[0]
    return number
