"""The record in a SQLite journal as one thread sees it: plain calls, each one transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.domain.clock import Clock
from warroom.domain.events import Draft, Event, Kind, broken, event_id, seal
from warroom.domain.incident import incident_of
from warroom.journal._sqlite_file import JournalFile
from warroom.journal._sqlite_rows import Columns, Row, Unreadable, event_of, row_of
from warroom.journal._sqlite_schema import statement
from warroom.journal.base import (
    Heading,
    JournalError,
    NoIncident,
    NotSaved,
    importable,
    name_for,
)

if TYPE_CHECKING:
    import sqlite3

_NUMBERED: Final = re.compile(r"INC-([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{3,6})")


class Store:
    """Appends and reads. `until`: see `JournalFile.saving`."""

    def __init__(self, path: Path, clock: Clock, *, busy_s: float) -> None:
        self._file, self._clock = JournalFile(path, busy_s=busy_s), clock
        self._seen = (0, 0)
        self._last = 0

    def open_incident(self, draft: Draft, until: float) -> Event:
        """Raises NotSaved, NewerSchema."""
        if draft.kind is not Kind.OPENED:
            raise NotSaved("an incident begins with an event of kind 'opened'")
        with self._file.saving(until) as connection:
            found = connection.execute(statement("opening_by_id"), (draft.id,)).fetchone()
            if found is not None:
                return self._event(found[-1], found)
            now = self._clock.now()
            day = f"{now:%Y-%m-%d}"
            (of_day,) = connection.execute(statement("next_of_day"), (day,)).fetchone()
            name = f"INC-{day}-{of_day:03d}"
            row = (name, day, of_day, "", "")
            number = connection.execute(statement("insert_incident"), row).lastrowid or 0
            event = seal(draft.id or event_id(now), name, 1, now, draft, "")
            connection.execute(statement("insert_event"), row_of(number, event))
        return event

    def append(self, incident: str, drafts: Sequence[Draft], until: float) -> tuple[Event, ...]:
        """Raises NotSaved, NoIncident, NewerSchema."""
        if any(draft.kind is Kind.OPENED for draft in drafts):
            raise NotSaved("an incident is opened once")
        events: dict[str, Event] = {}
        with self._file.saving(until) as connection:
            found = connection.execute(statement("end_of_chain"), (incident,)).fetchone()
            if found is None:
                raise NoIncident(f"there is no incident {incident}")
            number, sealed_as, seq, previous = found
            now = self._clock.now()
            ids = [draft.id or event_id(now) for draft in drafts]
            fresh: list[Row] = []
            for name, draft in zip(ids, drafts, strict=True):
                if name in events:
                    continue
                there = draft.id and self._by_id(connection, number, sealed_as, name)
                if not there:
                    seq += 1
                    there = seal(name, sealed_as, seq, now, draft, previous)
                    previous = there.digest
                    fresh.append(row_of(number, there))
                events[name] = there
            connection.executemany(statement("insert_event"), fresh)
        return tuple(events[name] for name in ids)

    def adopt(self, events: Sequence[Event], origin: str, until: float) -> str:
        """Raises NotSaved, NewerSchema."""
        importable(events)
        own, last = events[0].incident, events[-1]
        with self._file.saving(until) as connection:
            same = (last.id, last.seq, last.digest)
            already = connection.execute(statement("here_already"), same).fetchone()
            if already is not None:
                raise NotSaved(f"{own} is here already, as {already[0]}")
            return insert(connection, own, own, origin, events)[0]

    def columns(self, incident: str, after: int, limit: int) -> Columns:
        """The same events before they are parsed, many times as fast. Raises NoIncident,
        JournalError, and Unreadable when they have to be read row by row."""
        import sqlite3

        with self._file.reading() as connection:
            try:
                sealed_as, rows = self._select("columns_after", connection, incident, after, limit)
            except sqlite3.Error as error:
                raise Unreadable(str(error)) from error
        length, last, *arrays = rows[0]
        return Columns(sealed_as, length, last, tuple(arrays))

    def events(self, incident: str, after: int, limit: int) -> list[Event]:
        """Row by row: it tells which one is at fault. Raises NoIncident, JournalError."""
        with self._file.reading() as connection:
            sealed_as, rows = self._select("events_after", connection, incident, after, limit)
        return [self._event(sealed_as, row) for row in rows]

    def headings(self) -> list[Heading]:
        """Raises JournalError."""
        with self._file.reading() as connection:
            if connection is None:
                return []
            known = {row[0]: row[1:] for row in connection.execute(statement("incidents"))}
            rows = connection.execute(statement("events_of_state")).fetchall()
        states: dict[int, list[Event]] = {}
        for row in rows:
            states.setdefault(row[-1], []).append(self._event(known[row[-1]][1], row))
        return [self._heading(known[number], events) for number, events in states.items()]

    def verify(self, incident: str, after: Event | None, limit: int) -> tuple[int, list[Event]]:
        """The first sequence whose digest does not fit, 0 for none, with the events looked at: at
        most `limit` of those that come after one that fits. Raises NoIncident, JournalError."""
        seq = after.seq if after else 0
        with self._file.reading() as connection:
            sealed_as, rows = self._select("events_after", connection, incident, seq, limit)
        events: list[Event] = []
        fault = 0
        for count, row in enumerate(rows, start=seq + 1):
            try:
                events.append(event_of(sealed_as, row))
            except Unreadable:
                fault = count
                break
        return broken(events, after) or fault, events

    def state(self) -> tuple[int, int]:
        """Two numbers that change when another connection has written events, but not for who is
        looking. Raises JournalError."""
        with self._file.reading() as connection:
            if connection is None:
                return 0, 0
            seen = (self._file.opened, *connection.execute("PRAGMA data_version").fetchone())
            if seen != self._seen:
                (self._last,) = connection.execute(statement("last_event")).fetchone()
                self._seen = seen
            return self._file.opened, self._last

    def figures(self) -> dict[str, int]:
        """Raises JournalError."""
        with self._file.reading():
            return self._file.figures()

    def close(self) -> None:
        self._file.close()

    def _by_id(
        self, connection: sqlite3.Connection, number: int, sealed_as: str, name: str
    ) -> Event | None:
        row = connection.execute(statement("event_by_id"), (name, number)).fetchone()
        return None if row is None else self._event(sealed_as, row)

    def _select(
        self,
        query: str,
        connection: sqlite3.Connection | None,
        incident: str,
        after: int,
        limit: int,
    ) -> tuple[str, list[Row]]:
        """The sealed id with what `query` finds."""
        found = None if connection is None else _number(connection, incident)
        if found is None or connection is None:
            raise NoIncident(f"there is no incident {incident}")
        number, sealed_as = found
        parameters = (number, after, limit)
        return sealed_as, connection.execute(statement(query), parameters).fetchall()

    def _event(self, incident: str, row: Row) -> Event:
        try:
            return event_of(incident, row)
        except Unreadable as error:
            raise JournalError(
                f"{self._file.path}: entry {row[0]} of {incident} cannot be read: {error}"
            ) from error

    def _heading(self, known: Row, events: list[Event]) -> Heading:
        name, _, origin, count = known
        try:
            incident = incident_of(events)
        except ValueError as error:
            raise JournalError(f"{self._file.path}: {name} cannot be read: {error}") from error
        return Heading(
            name, incident.title, incident.scheme, incident.severity, incident.status,
            incident.opened_at, count, origin,
        )  # fmt: skip


def insert(
    connection: sqlite3.Connection, own: str, sealed_as: str, origin: str, events: Sequence[Event]
) -> tuple[str, int]:
    """Put a whole incident in, under its `own` id or, where that is taken, another; returns its
    id and its number here. No incident of the day that its id says will take its number."""
    name = name_for(own, lambda taken: _number(connection, taken) is not None)
    found = _NUMBERED.fullmatch(name)
    day, of_day = found.groups() if found else ("", 0)
    if name != f"INC-{day}-{int(of_day):03d}":
        day = ""
        (of_day,) = connection.execute(statement("next_of_day"), ("",)).fetchone()
    row = (name, day, int(of_day), origin, sealed_as if sealed_as != name else "")
    number = connection.execute(statement("insert_incident"), row).lastrowid or 0
    rows = [row_of(number, event) for event in events]
    connection.executemany(statement("insert_event"), rows)
    return name, number


def _number(connection: sqlite3.Connection, incident: str) -> tuple[int, str] | None:
    found: tuple[int, str] | None = connection.execute(
        statement("number_of_incident"), (incident,)
    ).fetchone()
    return found
