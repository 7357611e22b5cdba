"""The journal in a PostgreSQL database: for consoles on several machines.

Sequences are given out under the incident's row lock (`warroom.hold`), so whoever reads sees 1 to
n without a hole. LISTEN and NOTIFY only wake; what was written is read from the tables. A draft
is stored once whatever becomes of the answer, because its id is looked for under the same lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from warroom.config.values import Secret
from warroom.domain.clock import Clock, SystemClock
from warroom.domain.events import Author, Draft, Event, Kind, broken, event_id, packed, plain, seal
from warroom.domain.incident import Status, incident_of
from warroom.domain.readings import Reading
from warroom.domain.text import shorten
from warroom.journal._postgres_lane import Lane, NoSchema, Work
from warroom.journal._postgres_rows import Unreadable, event_of, instant_of, reading_of, row_of
from warroom.journal._postgres_schema import grant as granting
from warroom.journal._postgres_schema import migrations, script, statement, version
from warroom.journal._postgres_watch import POLL_S, Watcher
from warroom.journal.base import (
    PRESENT_S,
    Heading,
    JournalError,
    NoIncident,
    NotSaved,
    Presence,
    importable,
    name_for,
    newest_open,
)

SAVE_S: Final = 2.0
"""How long an append may take before it is not saved: within three seconds people are told."""
READ_S: Final = 10.0
NEWS_S: Final = 3.0
"""How long reading the latest events may take, which is little, before the journal is away."""
ADOPT_S: Final = 60.0
_LEAVE_S: Final = 0.5
_PAGE: Final = 2000
"""Events in one answer: each stays well below the time limit of a statement."""
_FEW: Final = 200
"""Rows that are read into events without a thread of their own."""
_NUMBERED: Final = re.compile(r"INC-([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{3}|[1-9][0-9]{3,5})")
_KEPT_FOR_S: Final = 3600.0
"""How long the row of a console that went stays."""

T = TypeVar("T")


class PostgresJournal:
    """See `journal.base.Journal`. Contacts nothing before it is first used.

    `dsn` as `hosts.postgres.parse_dsn` reads it. The schema is made by whoever writes first.
    """

    def __init__(
        self,
        dsn: Secret | str,
        clock: Clock | None = None,
        *,
        save_s: float = SAVE_S,
        poll_s: float = POLL_S,
    ) -> None:
        secret = Secret(dsn) if isinstance(dsn, str) else dsn
        self.changed = asyncio.Event()
        self._clock = clock or SystemClock()
        self._save_s = save_s
        self._writer, self._reader = Lane(secret, writes=True), Lane(secret, writes=False)
        self._here: set[tuple[int, str]] = set()
        self._watcher = Watcher(Lane(secret, writes=False), self.changed, poll_s)

    async def open_incident(self, draft: Draft) -> Event:
        if draft.kind is not Kind.OPENED:
            raise NotSaved("an incident begins with an event of kind 'opened'")
        draft = self._named(draft)
        event = await self._save(partial(self._open, draft=draft))
        self.changed.set()
        return event

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if any(draft.kind is Kind.OPENED for draft in drafts):
            raise NotSaved("an incident is opened once")
        named = [self._named(draft) for draft in drafts]
        events = await self._save(partial(self._append, incident=incident, drafts=named))
        self.changed.set()
        return events

    async def events(self, incident: str, *, after: int = 0) -> Sequence[Event]:
        async def read(connection: Any) -> list[Event]:
            events: list[Event] = []
            async for rows in _pages(connection, incident, after):
                events += await _events(rows)
            return events

        try:
            return await self._look(read, within=NEWS_S if after else READ_S)
        except NoSchema:
            raise NoIncident(f"there is no incident {incident}") from None

    async def headings(self) -> Sequence[Heading]:
        async def read(connection: Any) -> list[Any]:
            rows: list[Any] = await connection.fetch(statement("events_of_state"))
            return rows

        try:
            rows = await self._look(read)
        except NoSchema:
            return []
        states: dict[str, list[Any]] = {}
        for row in rows:
            states.setdefault(row["known"], []).append(row)
        return [_heading(name, of_state) for name, of_state in states.items()]

    async def current(self) -> str | None:
        return newest_open(await self.headings())

    async def verify(self, incident: str) -> int:
        async def read(connection: Any) -> int:
            rows = [row async for page in _pages(connection, incident, 0) for row in page]
            return await asyncio.to_thread(_broken, rows)

        try:
            return await self._look(read)
        except NoSchema:
            raise NoIncident(f"there is no incident {incident}") from None

    async def adopt(self, events: Sequence[Event], origin: str) -> str:
        importable(events)
        adopted: str = await self._save(
            partial(self._adopt, events=events, origin=origin), within=ADOPT_S
        )
        self.changed.set()
        return adopted

    async def beat(
        self, incident: str, console: str, author: Author, doing: str = ""
    ) -> Sequence[Presence]:
        async def write(connection: Any) -> list[Presence]:
            who = (author.login, author.uid, author.origin)
            number = await connection.fetchval(statement("beat"), incident, console, *who, doing)
            if number is None:
                raise NoIncident(f"there is no incident {incident}")
            await connection.execute(statement("gone"), number, _KEPT_FOR_S)
            self._here = {(number, console)}
            rows = await connection.fetch(statement("present"), number, PRESENT_S)
            return [_presence(row) for row in rows]

        return await self._save(write)

    async def keep(self, incident: str, readings: Sequence[Reading]) -> None:
        async def write(connection: Any) -> None:
            number = await _number(connection, incident)
            rows = [
                (number, r.source, int(r.at.timestamp()), r.at, packed(plain(r.metrics)))
                for r in readings
            ]
            await connection.executemany(statement("keep"), rows)

        await self._save(write)

    async def readings(self, incident: str) -> Sequence[Reading]:
        async def read(connection: Any) -> list[Reading]:
            number = await _number(connection, incident)
            rows = await connection.fetch(statement("readings"), number)
            try:
                return [reading_of(row) for row in rows]
            except Unreadable as error:
                raise JournalError(f"the figures of {incident} cannot be read: {error}") from error

        try:
            return await self._look(read)
        except NoSchema:
            raise NoIncident(f"there is no incident {incident}") from None

    async def prepare(self) -> int:
        """Make the schema or migrate it; its version. Raises JournalError."""

        async def reached(connection: Any) -> int:
            return await version(connection)

        return await self._save(reached, within=ADOPT_S)

    async def grant(self, role: str) -> None:
        """Let a role of the database read the journal and append to it. Raises JournalError."""

        async def write(connection: Any) -> None:
            await connection.execute(granting(role))

        await self._save(write, within=ADOPT_S)

    def watch(self) -> None:
        self._watcher.start()

    async def close(self) -> None:
        await self._watcher.stop()
        with contextlib.suppress(JournalError):  # else it is seen to be gone a little later
            await self._leave()
        await asyncio.gather(self._reader.close(), self._writer.close())

    # What is done within a transaction --------------------------------------------------------

    async def _open(self, connection: Any, *, draft: Draft) -> Event:
        await connection.execute(statement("begin"))
        there = await connection.fetchrow(statement("opening"), draft.id)
        if there is not None:
            return _event(there)
        now = self._clock.now()
        day = f"{now:%Y-%m-%d}"
        of_day = await connection.fetchval(statement("next_of_day"), day)
        name = f"INC-{day}-{of_day:03d}"
        event = seal(draft.id, name, 1, now, draft, "")
        number = await connection.fetchval(
            statement("insert_incident"), name, day, of_day, "", name
        )
        await connection.execute(statement("insert_event"), *row_of(number, event))
        return event

    async def _append(
        self, connection: Any, *, incident: str, drafts: Sequence[Draft]
    ) -> tuple[Event, ...]:
        held = await connection.fetchrow(statement("hold"), incident)
        if held is None:
            raise NoIncident(f"there is no incident {incident}")
        number, seq, previous = held["number"], held["seq"], held["digest"]
        ids = [draft.id for draft in drafts]
        rows = await connection.fetch(statement("events_by_id"), number, json.dumps(ids))
        stored = {row["id"]: _event(row) for row in rows}
        now, fresh = self._clock.now(), []
        for draft in drafts:
            if draft.id not in stored:
                seq += 1
                event = seal(draft.id, held["sealed_as"], seq, now, draft, previous)
                previous, stored[draft.id] = event.digest, event
                fresh.append(row_of(number, event))
        await connection.executemany(statement("insert_event"), fresh)
        return tuple(stored[name] for name in ids)

    async def _adopt(self, connection: Any, *, events: Sequence[Event], origin: str) -> str:
        await connection.execute(statement("begin"))
        own, last = events[0].incident, events[-1]
        here = await connection.fetchval(statement("adopted"), last.id, last.seq, last.digest)
        if here is not None:
            raise NotSaved(f"{own} is here already, as {here}")
        taken = {row["id"] for row in await connection.fetch(statement("names"), own)}
        name = name_for(own, taken.__contains__)
        found = _NUMBERED.fullmatch(name)
        day = found[1] if found else ""
        of_day = int(found[2]) if found else await connection.fetchval(statement("next_of_day"), "")
        row = (name, day, of_day, origin, own)
        number = await connection.fetchval(statement("insert_incident"), *row)
        for begin in range(0, len(events), _PAGE):
            rows = [row_of(number, event) for event in events[begin : begin + _PAGE]]
            await connection.executemany(statement("insert_event"), rows)
        return name

    # ------------------------------------------------------------------------------------------

    async def _leave(self) -> None:
        """Take this console off those who are here, without waiting long."""

        async def write(connection: Any) -> None:
            for number, console in here:
                await connection.execute(statement("leave"), number, console)

        here, self._here = self._here, set()
        if here:
            await self._writer.run(write, within=_LEAVE_S, refusal=NotSaved)

    def _named(self, draft: Draft) -> Draft:
        return draft if draft.id else replace(draft, id=event_id(self._clock.now()))

    async def _save(self, work: Work[T], within: float = 0.0) -> T:
        return await self._writer.run(work, within=within or self._save_s, refusal=NotSaved)

    async def _look(self, work: Work[T], within: float = READ_S) -> T:
        return await self._reader.run(work, within=within, refusal=JournalError)


def schema_sql(roles: Sequence[str] = ()) -> str:
    """What makes an empty journal and lets `roles` append to it, for an owner to read and run."""
    return "\n".join([script(migrations()), *map(granting, roles)])


async def _number(connection: Any, incident: str) -> int:
    number: int | None = await connection.fetchval(statement("number_of_incident"), incident)
    if number is None:
        raise NoIncident(f"there is no incident {incident}")
    return number


async def _pages(connection: Any, incident: str, after: int) -> AsyncIterator[Sequence[Any]]:
    """The rows of an incident's events, by sequence. Raises NoIncident."""
    number = await _number(connection, incident)
    while True:
        rows = await connection.fetch(statement("events_after"), number, after, _PAGE)
        yield rows
        if len(rows) < _PAGE:
            return
        after = rows[-1]["seq"]


def _broken(rows: Sequence[Any]) -> int:
    events: list[Event] = []
    for count, row in enumerate(rows, start=1):
        try:
            events.append(event_of(row))
        except Unreadable:
            return broken(events) or count
    return broken(events)


async def _events(rows: Sequence[Any]) -> list[Event]:
    """Many in a thread: a console with a long incident goes on answering keys."""
    if len(rows) <= _FEW:
        return [_event(row) for row in rows]
    return await asyncio.to_thread(lambda: [_event(row) for row in rows])


def _event(row: Any) -> Event:
    try:
        return event_of(row)
    except Unreadable as error:
        raise JournalError(
            f"entry {row['seq']} of {row['name']} cannot be read: {error}"
        ) from error


def _heading(name: str, rows: Sequence[Any]) -> Heading:
    try:
        incident = incident_of([event_of(row) for row in rows])
    except (Unreadable, ValueError) as error:
        return _unreadable(name, rows[0], f"cannot be read: {shorten(str(error), 200)}")
    return Heading(
        name, incident.title, incident.scheme, incident.severity, incident.status,
        incident.opened_at, rows[0]["events"], rows[0]["imported"],
    )  # fmt: skip


def _unreadable(name: str, row: Any, fault: str) -> Heading:
    at, status = instant_of(row["at"]), Status.INVESTIGATING
    return Heading(name, fault, "", "", status, at, row["events"], row["imported"], fault)


def _presence(row: Any) -> Presence:
    author = Author(row["login"], row["uid"], row["origin"])
    return Presence(row["console"], author, instant_of(row["seen_at"]), row["doing"])
