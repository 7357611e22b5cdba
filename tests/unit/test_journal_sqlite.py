"""The SQLite journal: durable, shared between consoles, and only ever added to."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.chains import draft, opening
from tests.unit.journals import child, ended, open_one, tamper
from warroom.config.settings import JournalSettings, Settings
from warroom.domain.events import Kind
from warroom.journal import _sqlite_schema, default_path, path_for
from warroom.journal.base import JournalError, NewerSchema, NotSaved
from warroom.journal.sqlite import POLL_S, SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    await journal.close()


# Where it is, and who may see it


async def test_nothing_is_touched_before_something_is_written(
    journal: SqliteJournal, path: Path
) -> None:
    assert await journal.current() is None
    assert not path.parent.exists()


async def test_the_file_is_for_its_owner_only(journal: SqliteJournal, path: Path) -> None:
    await open_one(journal)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_in_a_groups_folder_the_file_is_for_the_group(path: Path) -> None:
    for mode, expected in ((0o2770, 0o660), (0o770, 0o600), (0o2777, 0o600), (0o2750, 0o600)):
        folder = path.parent / f"{mode:o}"
        folder.mkdir(parents=True)
        folder.chmod(mode)
        journal = SqliteJournal(folder / "journal.db")
        await open_one(journal)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        await journal.close()
        names = ("journal.db", "journal.db-wal", "journal.db-shm")
        assert modes == dict.fromkeys(names, expected), f"{mode:o}"


def test_the_path_comes_from_the_config_or_the_users_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == path_for(Settings()) == tmp_path / "warroom" / "journal.db"
    settings = Settings(journal=JournalSettings("war.db"), file=Path("/etc/warroom/warroom.toml"))
    assert path_for(settings) == Path("/etc/warroom/war.db")


# Durability


async def test_a_journal_is_the_same_when_it_is_opened_again(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    await journal.append(incident, draft(Kind.NOTE, "before"))
    events = list(await journal.events(incident))
    await journal.close()
    again = SqliteJournal(path)
    assert list(await again.events(incident)) == events
    (event,) = await again.append(incident, draft(Kind.NOTE, "after"))
    assert (event.seq, event.previous) == (3, events[-1].digest)
    assert await again.verify(incident) == 0
    await again.close()


async def test_every_commit_is_synced_to_disk(journal: SqliteJournal, path: Path) -> None:
    await open_one(journal)
    writer = journal._write
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")

    def asked() -> list[Any]:
        connection = writer.store._file._connection
        assert connection is not None
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]

    assert await writer.run(asked) == ["wal", 2, 1, 1]  # 2 is FULL


# Several consoles


async def test_two_consoles_append_at_once_without_gap_or_double(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    both = [child("append", path, incident, login, 200) for login in ("alice", "bob")]
    outputs = [ended(process) for process in both]
    events = await journal.events(incident)
    assert [event.seq for event in events] == list(range(1, 402)), outputs
    wanted = {f"{login} {n}" for login in ("alice", "bob") for n in range(200)}
    assert {event.text for event in events[1:]} == wanted
    assert await journal.verify(incident) == 0


async def test_two_consoles_may_make_the_journal_at_the_same_moment(path: Path) -> None:
    consoles = [SqliteJournal(path) for _ in range(4)]
    opened = await asyncio.gather(*(console.open_incident(opening()) for console in consoles))
    assert len({event.incident for event in opened}) == 4
    await asyncio.gather(*(console.close() for console in consoles))


async def test_another_consoles_note_is_seen_without_asking(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    watching = SqliteJournal(path)
    watching.watch()
    await asyncio.wait_for(watching.changed.wait(), 30)  # once, for what was there before
    watching.changed.clear()
    await journal.append(incident, draft(Kind.NOTE, "hello"))
    await asyncio.wait_for(watching.changed.wait(), 30)
    assert (await watching.events(incident))[-1].text == "hello"
    assert POLL_S <= 0.25  # so that it is on the other screen within half a second
    await watching.close()


async def test_a_journal_that_another_console_makes_is_seen(
    journal: SqliteJournal, path: Path
) -> None:
    journal.watch()
    await asyncio.wait_for(journal.changed.wait(), 30)
    journal.changed.clear()
    other = SqliteJournal(path)
    await open_one(other)
    await asyncio.wait_for(journal.changed.wait(), 30)
    assert await journal.current() is not None
    await other.close()


# Append-only


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET text = 'x'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
        "UPDATE incident SET id = 'x'",
        "DELETE FROM incident",
    ],
)
async def test_rows_can_only_be_added(journal: SqliteJournal, path: Path, statement: str) -> None:
    await open_one(journal)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match=r"append-only|next sequence"):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE event SET text = 'nothing happened' WHERE seq = 3", 3),
        ("UPDATE event SET login = 'bob' WHERE seq = 2", 2),
        ("UPDATE event SET data = '{}' WHERE seq = 1", 1),
        ("UPDATE event SET data = 'no JSON' WHERE seq = 3", 3),
        ("UPDATE event SET kind = 'no such kind' WHERE seq = 4", 4),
        ("UPDATE event SET at = 'yesterday' WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 2", 2),
    ],
)
async def test_a_changed_row_is_found(
    journal: SqliteJournal, path: Path, statement: str, found: int
) -> None:
    incident = await open_one(journal)
    await journal.append(incident, *(draft(Kind.NOTE, f"note {n}") for n in range(3)))
    tamper(path, statement)
    assert await journal.verify(incident) == found


async def test_an_entry_that_cannot_be_read_is_named(journal: SqliteJournal, path: Path) -> None:
    incident = await open_one(journal)
    tamper(path, "UPDATE event SET kind = 'no such kind'")
    with pytest.raises(JournalError, match=rf"journal\.db: entry 1 of {incident} cannot be read"):
        await journal.events(incident)


# Versions


async def test_a_journal_of_a_newer_warroom_can_be_read_but_not_written(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    await journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE event ADD COLUMN mood TEXT")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    older = SqliteJournal(path)
    assert len(await older.events(incident)) == 1
    with pytest.raises(NewerSchema, match="schema 99, known here: 3"):
        await older.append(incident, draft(Kind.NOTE, "no"))
    await older.close()


async def test_an_older_journal_is_brought_up_to_date_and_keeps_its_events(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await open_one(journal)
    await journal.close()
    steps = (*_sqlite_schema.migrations(), "CREATE TABLE evidence (sha256 TEXT);\n")
    monkeypatch.setattr("warroom.journal._sqlite_file.migrations", lambda: steps)
    newer = SqliteJournal(path)
    assert len(await newer.events(incident)) == 1
    await newer.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
    connection.close()


async def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await open_one(journal)
    await journal.close()
    first = _sqlite_schema.migrations()
    steps = (*first, "CREATE TABLE evidence (sha256 TEXT);\nCREATE TABLE event (twice TEXT);\n")
    with monkeypatch.context() as patch:
        patch.setattr("warroom.journal._sqlite_file.migrations", lambda: steps)
        newer = SqliteJournal(path)
        with pytest.raises(NotSaved, match="already exists"):
            await newer.append(incident, draft(Kind.NOTE, "no"))
        await newer.close()
    again = SqliteJournal(path)
    assert len(await again.append(incident, draft(Kind.NOTE, "yes"))) == 1
    await again.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(first),)
    assert (
        connection.execute("SELECT name FROM sqlite_schema WHERE name='evidence'").fetchall() == []
    )
    connection.close()
