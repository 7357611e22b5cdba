"""Damage, a full disk, lost rights and other holders: plainly said, and nothing is lost by them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.unit.chains import draft, opening
from tests.unit.journals import child, ended, open_one
from warroom.domain.events import Kind
from warroom.journal.base import JournalError, NoIncident, NotSaved
from warroom.journal.sqlite import SqliteJournal

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    await journal.close()


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
    journal = SqliteJournal(path, save_s=0.2)
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
