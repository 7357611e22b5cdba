"""The SQLite journal: durable, shared between consoles, and plain about what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.chains import draft, opening
from warroom.config.settings import JournalSettings, Settings
from warroom.domain.events import Kind
from warroom.journal import _sqlite_schema, default_path, path_for
from warroom.journal.base import JournalError, NewerSchema, NoIncident, NotSaved
from warroom.journal.sqlite import POLL_S, SqliteJournal

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    await journal.close()


async def open_one(journal: SqliteJournal) -> str:
    return (await journal.open_incident(opening())).incident


def child(*argv: object, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.journal_child", *map(str, argv)],
        cwd=ROOT, env=os.environ | environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=60)[0]


def tamper(path: Path, *statements: str) -> None:
    """As somebody with the file in hand would: past the triggers."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER event_stays")
        connection.execute("DROP TRIGGER event_remains")
        for statement in statements:
            connection.execute(statement)
    connection.close()


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
        connection = writer.store._connection
        assert connection is not None
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]

    assert await writer.run(asked) == ["wal", 2, 1, 1]  # 2 is FULL


async def test_a_killed_writer_loses_nothing_that_was_acknowledged(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    acknowledged: list[str] = []
    for cycle in range(20):
        process = child("append", path, incident, f"run{cycle}", 100_000)
        assert process.stdout is not None
        for _ in range(1 + cycle * 3):
            acknowledged.append(process.stdout.readline().split(maxsplit=2)[2].strip())
        os.kill(process.pid, signal.SIGKILL)
        rest = ended(process).splitlines(keepends=True)
        acknowledged += [x.split(maxsplit=2)[2].strip() for x in rest if x.endswith("\n")]
    stored = [event.text for event in await journal.events(incident, after=1)]
    assert len(set(stored)) == len(stored)
    assert set(acknowledged) <= set(stored)
    assert len(stored) - len(acknowledged) <= 20  # stored, and killed before it could say so
    assert await journal.verify(incident) == 0


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
    await asyncio.wait_for(watching.changed.wait(), 5)  # once, for what was there before
    watching.changed.clear()
    await journal.append(incident, draft(Kind.NOTE, "hello"))
    await asyncio.wait_for(watching.changed.wait(), 5)
    assert (await watching.events(incident))[-1].text == "hello"
    assert POLL_S <= 0.25  # so that it is on the other screen within half a second
    await watching.close()


async def test_a_journal_that_another_console_makes_is_seen(
    journal: SqliteJournal, path: Path
) -> None:
    journal.watch()
    await asyncio.wait_for(journal.changed.wait(), 5)
    journal.changed.clear()
    other = SqliteJournal(path)
    await open_one(other)
    await asyncio.wait_for(journal.changed.wait(), 5)
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
    with pytest.raises(NewerSchema, match="schema 99, known here: 1"):
        await older.append(incident, draft(Kind.NOTE, "no"))
    await older.close()


async def test_an_older_journal_is_brought_up_to_date_and_keeps_its_events(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await open_one(journal)
    await journal.close()
    steps = (*_sqlite_schema.migrations(), "CREATE TABLE evidence (sha256 TEXT);\n")
    monkeypatch.setattr("warroom.journal._sqlite_store.migrations", lambda: steps)
    newer = SqliteJournal(path)
    assert len(await newer.events(incident)) == 1
    await newer.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()


async def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await open_one(journal)
    await journal.close()
    first = _sqlite_schema.migrations()
    steps = (*first, "CREATE TABLE evidence (sha256 TEXT);\nCREATE TABLE event (twice TEXT);\n")
    with monkeypatch.context() as patch:
        patch.setattr("warroom.journal._sqlite_store.migrations", lambda: steps)
        newer = SqliteJournal(path)
        with pytest.raises(NotSaved, match="already exists"):
            await newer.append(incident, draft(Kind.NOTE, "no"))
        await newer.close()
    again = SqliteJournal(path)
    assert len(await again.append(incident, draft(Kind.NOTE, "yes"))) == 1
    await again.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert (
        connection.execute("SELECT name FROM sqlite_schema WHERE name='evidence'").fetchall() == []
    )
    connection.close()


# What goes wrong


@pytest.mark.parametrize("damage", ["not a database at all, " * 200, "SQLite format 3\0" * 300])
async def test_a_damaged_file_is_named_and_its_bytes_are_kept(path: Path, damage: str) -> None:
    path.parent.mkdir()
    path.write_text(damage)
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match=r"journal\.db is damaged \(.*\); nothing in it") as seen:
        await journal.current()
    assert "\n" not in str(seen.value)
    with pytest.raises(NotSaved, match="is damaged"):
        await journal.open_incident(opening())
    await journal.close()
    assert path.read_text() == damage


async def test_a_page_that_was_overwritten_is_damage(journal: SqliteJournal, path: Path) -> None:
    incident = await open_one(journal)
    await journal.append(incident, *(draft(Kind.NOTE, "x" * 500) for _ in range(100)))
    await journal.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * len(data[4096:])
    path.write_bytes(data)
    again = SqliteJournal(path)
    with pytest.raises(JournalError, match="is damaged"):
        await again.events(incident)
    await again.close()
    assert path.read_bytes() == data


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    journal = SqliteJournal(path)
    with pytest.raises(NotSaved, match="is not a journal but another database"):
        await journal.open_incident(opening())
    await journal.close()
    assert path.read_bytes() == before


async def test_a_journal_that_another_holds_is_not_saved_to_and_taken_up_again(
    path: Path,
) -> None:
    journal = SqliteJournal(path, busy_s=0.2)
    incident = await open_one(journal)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotSaved, match="another process is holding it"):
        await journal.append(incident, draft(Kind.NOTE, "held up"))
    assert len(await journal.events(incident)) == 1  # reading goes on
    holder.execute("ROLLBACK")
    holder.close()
    (event,) = await journal.append(incident, draft(Kind.NOTE, "held up"))
    assert event.seq == 2
    await journal.close()


async def test_a_file_size_limit_is_said_and_what_was_acknowledged_stays(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    output = ended(child("append", path, incident, "alice", 1000, 300_000))
    *acknowledged, last = output.splitlines()
    assert last.startswith(f"NotSaved: {path}: input/output error: look at the disk"), output
    assert len(acknowledged) > 10
    events = await journal.events(incident)
    assert len(events) == 1 + len(acknowledged)
    assert (await journal.append(incident, draft(Kind.NOTE, "on we go")))[0].seq == len(events) + 1
    assert await journal.verify(incident) == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_is_said_and_once_there_is_room_the_journal_goes_on(
    tiny_disk: Path,
) -> None:
    journal = SqliteJournal(tiny_disk / "journal.db")
    incident = await open_one(journal)
    ballast = tiny_disk / "ballast"
    with ballast.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        while True:
            stream.write(b"x" * 1024)
    with pytest.raises(NotSaved, match="the disk is full: make room") as seen:
        for _ in range(1000):
            await journal.append(incident, draft(Kind.NOTE, "x" * 1000))
    assert "\n" not in str(seen.value)
    before = len(await journal.events(incident))
    ballast.unlink()
    (event,) = await journal.append(incident, draft(Kind.NOTE, "room again"))
    assert event.seq == before + 1
    assert await journal.verify(incident) == 0
    await journal.close()


@pytest.fixture
def visible() -> Iterator[Path]:
    """A folder that everybody may look into, but only root may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@as_root
async def test_a_folder_that_may_not_be_written_is_said(visible: Path) -> None:
    path = visible / "ours" / "journal.db"
    output = ended(child("append", path, "INC-1", "eve", 1, AS_UID="65534"))
    assert output == f"NotSaved: {path}: Permission denied\n"


@as_root
async def test_a_file_that_may_not_be_written_is_said(visible: Path) -> None:
    journal = SqliteJournal(visible / "journal.db")
    incident = await open_one(journal)
    for file in visible.iterdir():
        file.chmod(0o644)
    output = ended(child("append", journal.path, incident, "eve", 1, AS_UID="65534"))
    assert output.startswith(f"NotSaved: {journal.path}: it may not be written"), output
    await journal.close()


async def test_a_journal_that_was_removed_while_open_is_not_written_into_nowhere(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    away = path.with_name("away.db")
    path.rename(away)
    with pytest.raises(NotSaved, match="was moved or removed while open: put it back"):
        await journal.append(incident, draft(Kind.NOTE, "where to?"))
    away.rename(path)
    assert (await journal.append(incident, draft(Kind.NOTE, "back")))[0].seq == 2


async def test_an_unknown_incident_is_no_reason_to_open_the_file_anew(
    journal: SqliteJournal,
) -> None:
    incident = await open_one(journal)
    with pytest.raises(NoIncident):
        await journal.append("INC-0", draft(Kind.NOTE, "?"))
    assert (await journal.append(incident, draft(Kind.NOTE, "!")))[0].seq == 2
