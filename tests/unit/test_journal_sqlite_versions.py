"""An older journal becomes a newer one wholly or not at all, whenever it is cut short."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.torture.children import Child
from tests.unit.chains import BEGIN, Chain, draft
from warroom.domain.events import Event, Kind, event_id
from warroom.journal import _sqlite_schema as schema
from warroom.journal._sqlite_rows import row_of
from warroom.journal.base import JournalError
from warroom.journal.sqlite import SqliteJournal

STEPS = 34
"""More than opening an old journal has statements: the last runs are not cut short at all."""
NEWEST = len(schema.migrations())


class Interrupted(sqlite3.Connection):
    """Something happens before its statement number `at`."""

    at = 0
    numbers = itertools.count()
    happens: Callable[[], None]

    @classmethod
    def make(cls, at: int, happens: Callable[[], None]) -> Callable[..., sqlite3.Connection]:
        made = type("Made", (cls,), {"at": at, "numbers": itertools.count(), "happens": happens})
        return partial(sqlite3.connect, factory=made)

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if next(self.numbers) == self.at:
            type(self).happens()
        return super().execute(*args)


@pytest.mark.parametrize("before", range(4))
def test_a_journal_that_another_console_makes_meanwhile_is_a_journal(
    tmp_path: Path, before: int
) -> None:
    path = tmp_path / "journal.db"

    def another() -> None:
        schema.migrate(sqlite3.connect(path, isolation_level=None), schema.migrations())

    looking = Interrupted.make(before, another)(path, isolation_level=None)
    assert schema.version(looking) in (0, NEWEST)


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, list[Event]]:
    """A journal as the first version of warroom wrote it, with one incident."""
    path, chain = tmp_path / "journal.db", Chain()
    chain.open()
    for n in range(60):
        chain.add(Kind.NOTE, f"note {n}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    schema.migrate(connection, schema.migrations()[:1])
    connection.execute("INSERT INTO incident VALUES (1, ?, '2026-11-21', 1)", [chain.incident])
    connection.executemany(schema.statement("insert_event"), (row_of(1, e) for e in chain.events))
    assert schema.version(connection) == 1
    connection.close()
    return path, chain.events


def test_some_of_these_are_not_cut_short_at_all(old: tuple[Path, list[Event]]) -> None:
    assert Child(_cut_short, str(old[0]), STEPS - 1).ended() == [1]


def layout(path: Path) -> tuple[int, set[str], list[Any]]:
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    columns = connection.execute("SELECT name FROM pragma_table_info('incident')").fetchall()
    version = schema.version(connection)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return version, names, columns


async def works(path: Path, events: list[Event]) -> None:
    """Whatever it went through, it is a journal of this version now with all that it held."""
    journal = SqliteJournal(path)
    name = events[0].incident
    assert list(await journal.events(name)) == events
    again = replace(draft(Kind.NOTE, "after"), id=event_id(BEGIN))
    first = await journal.append(name, again)
    assert await journal.append(name, again) == first
    assert await journal.verify(name) == 0
    await journal.close()
    assert layout(path)[0] == len(schema.migrations())


async def test_a_journal_of_the_first_version_goes_on(old: tuple[Path, list[Event]]) -> None:
    await works(*old)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise sqlite3.OperationalError("disk I/O error")


def _cut_short(path: str, at: int, pipe: Connection) -> None:
    """A console that is killed before statement `at` of opening its journal."""
    sqlite3.connect = Interrupted.make(at, _die)

    async def read() -> None:
        journal = SqliteJournal(Path(path))
        pipe.send(len(await journal.headings()))
        await journal.close()

    asyncio.run(read())


@pytest.mark.parametrize("at", range(STEPS))
async def test_killed_before_any_statement_it_is_old_or_new(
    old: tuple[Path, list[Event]], at: int
) -> None:
    path, events = old
    before = layout(path)
    said = Child(_cut_short, str(path), at).ended()
    after = layout(path)
    assert after[0] == NEWEST if said else after == before or after[0] == NEWEST
    await works(path, events)


@pytest.mark.parametrize("at", range(STEPS))
async def test_failing_at_any_statement_it_is_old_or_new(
    old: tuple[Path, list[Event]], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events = old
    before = layout(path)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", Interrupted.make(at, _fail))
        journal = SqliteJournal(path)
        try:
            await journal.headings()
        except JournalError as error:
            assert str(error) == f"{path}: disk I/O error"
        await journal.close()
    after = layout(path)
    assert after == before or after[0] == NEWEST
    await works(path, events)


def _migrated(path: str, pipe: Connection) -> None:
    pipe.send("ready")
    pipe.recv()
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrate(connection, schema.migrations())
    pipe.send("migrated")


@pytest.mark.parametrize("moment", range(8))
async def test_killed_at_any_moment_it_is_old_or_new(
    old: tuple[Path, list[Event]], moment: int
) -> None:
    path, events = old
    child = Child(_migrated, str(path))
    child.hear()
    child.tell("go")
    child.process.join(moment * 0.0004)
    child.kill()
    child.ended()
    assert layout(path)[0] in (1, NEWEST)
    await works(path, events)


async def test_two_consoles_that_bring_it_up_to_date_at_once_do_it_once(
    old: tuple[Path, list[Event]],
) -> None:
    path, events = old
    consoles = [Child(_migrated, str(path)) for _ in range(3)]
    for console in consoles:
        console.hear()
    for console in consoles:
        console.tell("go")
    assert [console.ended() for console in consoles] == [["migrated"]] * 3
    await works(path, events)
