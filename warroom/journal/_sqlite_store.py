"""A SQLite journal as one thread sees it: plain calls on one connection.

Durability: WAL with `synchronous=FULL`, so every commit is on disk before it returns
(https://sqlite.org/pragma.html#pragma_synchronous). The file is created 0600, a folder that is
not there 0700; those that exist keep the rights that somebody gave them. The file is never
opened but by SQLite: closing any other descriptor of it would drop SQLite's locks
(https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.clock import Clock
from warroom.domain.events import Author, Draft, Event, Kind, broken, event_id, packed, seal
from warroom.domain.incident import incident_of
from warroom.journal._sqlite_schema import NotAJournal, migrate, migrations, statement, version
from warroom.journal.base import Heading, JournalError, NewerSchema, NoIncident, NotSaved

if TYPE_CHECKING:
    import sqlite3

_Row = tuple[Any, ...]
_Inode = tuple[int, int]

_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_REASONS: Final = {
    "SQLITE_BUSY": "another process is holding it; try again",
    "SQLITE_LOCKED": "another process is holding it; try again",
    "SQLITE_FULL": "the disk is full: make room and try again",
    "SQLITE_READONLY": "it may not be written: look at the rights of the file and its folder",
    "SQLITE_PERM": "it may not be opened: look at the rights of the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened: look at the rights of the file and its folder",
    "SQLITE_IOERR": "input/output error: look at the disk, its space and its limits",
}


class _Unreadable(Exception):
    """A row that is no event."""


class Store:
    """One connection, opened when it is first needed, for the thread that uses it."""

    def __init__(self, path: Path, clock: Clock, *, busy_s: float) -> None:
        self._path, self._clock, self._busy_s = path.absolute(), clock, busy_s
        self._connection: sqlite3.Connection | None = None
        self._inode: _Inode = (0, 0)
        self._version = 0
        self._opened = 0

    def open_incident(self, draft: Draft) -> Event:
        """Raises NotSaved, NewerSchema."""
        if draft.kind is not Kind.OPENED:
            raise NotSaved("an incident begins with an event of kind 'opened'")
        with self._saving() as connection:
            now = self._clock.now()
            day = f"{now:%Y-%m-%d}"
            (of_day,) = connection.execute(statement("next_of_day"), (day,)).fetchone()
            name = f"INC-{day}-{of_day:03d}"
            cursor = connection.execute(statement("insert_incident"), (name, day, of_day))
            event = seal(event_id(now), name, 1, now, draft, "")
            connection.execute(statement("insert_event"), _row(cursor.lastrowid or 0, event))
        return event

    def append(self, incident: str, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        """Raises NotSaved, NoIncident, NewerSchema."""
        if any(draft.kind is Kind.OPENED for draft in drafts):
            raise NotSaved("an incident is opened once")
        events: list[Event] = []
        with self._saving() as connection:
            found = connection.execute(statement("end_of_chain"), (incident,)).fetchone()
            if found is None:
                raise NoIncident(f"there is no incident {incident}")
            number, seq, previous = found
            now = self._clock.now()
            for draft in drafts:
                seq += 1
                events.append(seal(event_id(now), incident, seq, now, draft, previous))
                previous = events[-1].digest
            rows = [_row(number, event) for event in events]
            connection.executemany(statement("insert_event"), rows)
        return tuple(events)

    def events(self, incident: str, after: int) -> list[Event]:
        """Raises NoIncident, JournalError."""
        with self._reading() as connection:
            rows = self._rows(connection, incident, after)
            return [self._event(row) for row in rows]

    def headings(self) -> list[Heading]:
        """Raises JournalError."""
        with self._reading() as connection:
            if connection is None:
                return []
            counts = dict(connection.execute(statement("counts")))
            rows = connection.execute(statement("events_of_state")).fetchall()
        states: dict[str, list[Event]] = {}
        for row in rows:
            states.setdefault(row[0], []).append(self._event(row))
        return [self._heading(name, events, counts[name]) for name, events in states.items()]

    def verify(self, incident: str) -> int:
        """Raises NoIncident, JournalError."""
        with self._reading() as connection:
            rows = self._rows(connection, incident, 0)
        events: list[Event] = []
        for number, row in enumerate(rows, start=1):
            try:
                events.append(_event(row))
            except _Unreadable:
                return broken(events) or number
        return broken(events)

    def state(self) -> tuple[int, int]:
        """Two numbers that change when another connection has written. Raises JournalError."""
        with self._reading() as connection:
            if connection is None:
                return 0, 0
            (commits,) = connection.execute("PRAGMA data_version").fetchone()
            return self._opened, commits

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _saving(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is durable when the block has been left, or has not happened."""
        with self._plainly(NotSaved):
            connection = self._connected(create=True)
            assert connection is not None
            self._still_there()
            if self._version > len(migrations()):
                raise NewerSchema(
                    f"{self._path} was written by a newer warroom (schema {self._version}, known "
                    f"here: {len(migrations())}): it can be read but not written; upgrade warroom"
                )
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The connection; None while there is no file. One statement is one consistent look."""
        with self._plainly(JournalError):
            yield self._connected(create=False)

    @contextmanager
    def _plainly(self, refusal: type[JournalError]) -> Iterator[None]:
        """Whatever SQLite or the system says, as one plain line; the connection is opened anew
        after anything but a busy file."""
        import sqlite3

        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if not name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                self._give_up()
            raise refusal(self._reason(name, str(error), refusal)) from error
        except NotAJournal as error:
            self._give_up()
            raise refusal(f"{self._path} is not a journal but another database") from error
        except OSError as error:
            self._give_up()
            raise refusal(f"{self._path}: {error.strerror or error}") from error
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            act = "stored" if refusal is NotSaved else "read"
            raise refusal(f"{self._path}: this cannot be {act}: {error}") from error

    def _reason(self, name: str, message: str, refusal: type[JournalError]) -> str:
        if name.startswith(_DAMAGED):
            return (
                f"{self._path} is damaged ({message}); nothing in it was changed: "
                "keep a copy, then move it away to begin a new journal"
            )
        code = "_".join(name.split("_")[:2])
        reason = _REASONS.get(code, message)
        newer = self._version > len(migrations())
        if newer and refusal is JournalError:
            return f"{self._path} was written by a newer warroom: upgrade to read it"
        return f"{self._path}: {reason}"

    def _give_up(self) -> None:
        import contextlib
        import sqlite3

        with contextlib.suppress(sqlite3.Error):  # it is of no use any more, whatever it says
            self.close()
        self._connection = None

    def _connected(self, *, create: bool) -> sqlite3.Connection | None:
        if self._connection is None:
            if not create and not os.path.lexists(self._path):
                return None
            self._connect()
        return self._connection

    def _connect(self) -> None:
        import sqlite3

        self._create()
        connection = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None)
        try:
            self._version = version(connection)  # before anything that could write
            if self._version <= len(migrations()):
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA recursive_triggers = ON")  # so that REPLACE is a delete
            connection.execute("PRAGMA foreign_keys = ON")
            if self._version < len(migrations()):
                migrate(connection, migrations())
                self._version = version(connection)
        except BaseException:
            connection.close()
            raise
        found = self._path.stat()
        self._connection, self._inode = connection, (found.st_dev, found.st_ino)
        self._opened += 1

    def _create(self) -> None:
        missing = [folder for folder in self._path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return

    def _still_there(self) -> None:
        """SQLite goes on writing to a file that was removed, and all of it would be lost."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self._inode:
            raise NotSaved(f"{self._path} was moved or removed while open: put it back")

    def _rows(self, connection: sqlite3.Connection | None, incident: str, after: int) -> list[_Row]:
        rows: list[_Row] = []
        known = None
        if connection is not None:
            rows = connection.execute(statement("events_after"), (incident, after)).fetchall()
            known = (
                rows or connection.execute(statement("number_of_incident"), (incident,)).fetchone()
            )
        if not known:
            raise NoIncident(f"there is no incident {incident}")
        return rows

    def _event(self, row: _Row) -> Event:
        try:
            return _event(row)
        except _Unreadable as error:
            raise JournalError(
                f"{self._path}: entry {row[1]} of {row[0]} cannot be read: {error}"
            ) from error

    def _heading(self, name: str, events: list[Event], count: int) -> Heading:
        try:
            incident = incident_of(events)
        except ValueError as error:
            raise JournalError(f"{self._path}: {name} cannot be read: {error}") from error
        return Heading(
            name, incident.title, incident.scheme, incident.severity, incident.status,
            incident.opened_at, count,
        )  # fmt: skip


def _row(number: int, event: Event) -> _Row:
    author = event.author
    return (
        number, event.seq, event.id, event.at.isoformat(), event.recorded_at.isoformat(),
        author.login, author.uid, author.origin, event.kind.value, event.text,
        packed(event.data), event.starred, event.internal, event.previous, event.digest,
    )  # fmt: skip


def _event(row: _Row) -> Event:
    (
        incident, seq, name, at, recorded_at, login, uid, origin, kind, text, data,
        starred, internal, previous, digest,
    ) = row  # fmt: skip
    try:
        table = json.loads(data)
        if not isinstance(table, dict):
            raise _Unreadable("its data is not a table")
        return Event(
            name, incident, seq, _instant(at), _instant(recorded_at), Author(login, uid, origin),
            Kind(kind), text, table, bool(starred), bool(internal), previous, digest,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise _Unreadable(str(error)) from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise _Unreadable(f"the time {text} does not say its zone")
    return instant
