"""What is left of a damaged journal: every entry that is intact, and the truth about the rest."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.cli import Shell
from tests.unit.chains import BEGIN, Chain, draft, opening
from tests.unit.journals import child
from warroom.domain.clock import SystemClock
from warroom.domain.events import Event, Kind, broken
from warroom.domain.readings import Reading
from warroom.journal._sqlite_schema import migrations
from warroom.journal.base import JournalError
from warroom.journal.salvage import Salvage, Salvaged, beside, salvage
from warroom.journal.sqlite import SqliteJournal

PAGE = 4096


class _Afternoon(SystemClock):
    """Goes on from BEGIN, so that the incidents are called after its day, whatever day it is."""

    def __init__(self) -> None:
        self._before = super().now() - BEGIN

    def now(self) -> datetime:
        return super().now() - self._before


async def filled(path: Path, count: int = 400) -> dict[str, list[Event]]:
    """A journal of three incidents, one of them imported under another id; its events by id."""
    journal = SqliteJournal(path, _Afternoon())
    one = (await journal.open_incident(opening("One"))).incident
    notes = [
        draft(Kind.NOTE, f"note {n} [/x] \x1b[31m" + "x" * (n * 37 % 300)) for n in range(count)
    ]
    await journal.append(one, *notes[: count // 2])
    two = (await journal.open_incident(opening("Two"))).incident
    await journal.append(two, draft(Kind.NOTE, "long " * 5000), draft(Kind.NOTE, "short"))
    await journal.append(one, *notes[count // 2 :])
    chain = Chain(incident=one)
    chain.open("From elsewhere")
    chain.add(Kind.NOTE, "theirs")
    three = await journal.adopt(chain.events, "export.json")
    await journal.keep(one, [Reading("web", BEGIN, {"p95": 1.5})])
    events = {name: list(await journal.events(name)) for name in (one, two, three)}
    await journal.close()
    return events


async def opened(found: Salvage) -> dict[str, list[Event]]:
    journal = SqliteJournal(found.new)
    names = [heading.id for heading in await journal.headings()]
    events = {name: list(await journal.events(name)) for name in names}
    for one in found.incidents:
        assert await journal.verify(one.incident) == one.fault
        if not one.fault:
            await journal.append(one.incident, draft(Kind.NOTE, "and on"))
    await journal.close()
    return events


def overwrite(path: Path, begin: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(data)


def honest(before: Sequence[Event], after: Sequence[Event], said: Salvaged) -> None:
    """What is there is as it was sealed, and whatever is not is said not to be."""
    gone = {seq for gap in said.missing for seq in gap}
    for event in after[: said.known]:
        if event.seq in gone:
            assert (event.digest, event.data) == ("", {"lost": True})
            assert str(event.seq) in event.text
        elif event.seq not in said.changed:
            assert event == before[event.seq - 1]


async def test_nothing_is_lost_from_a_file_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before = await filled(path)
    content = path.read_bytes()
    found = salvage(path, beside(path))
    assert await opened(found) == before
    assert [(one.found, one.known, one.fault) for one in found.incidents] == [
        (401, 401, 0),
        (3, 3, 0),
        (2, 2, 0),
    ]
    assert found.whole
    assert path.read_bytes() == content == (found.aside / "journal.db").read_bytes()
    journal = SqliteJournal(found.new)
    origins = {heading.id: heading.origin for heading in await journal.headings()}
    assert origins["INC-2026-11-21-001-2"] == "export.json"
    assert list(await journal.readings("INC-2026-11-21-001")) == [
        Reading("web", BEGIN, {"p95": 1.5})
    ]
    await journal.close()


async def test_a_journal_whose_beginning_is_gone_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before = await filled(path)
    overwrite(path, 0, bytes(PAGE))
    with pytest.raises(JournalError, match=r"`warroom journal salvage .*journal\.db`"):
        await SqliteJournal(path).headings()
    assert await opened(salvage(path, beside(path))) == before


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_page_is_damaged_what_is_read_is_true_and_what_is_not_is_said(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "journal.db"
    before = await filled(path)
    rng = random.Random(seed)
    pages = path.stat().st_size // PAGE
    for page in rng.sample(range(pages), 1 + seed % 5):
        length = rng.choice([PAGE, 512, 16, 1])
        at = page * PAGE + rng.randrange(PAGE - length + 1)
        overwrite(path, at, rng.choice([bytes(length), rng.randbytes(length), b"\xff" * length]))
    damaged = path.read_bytes()
    found = salvage(path, beside(path))
    assert path.read_bytes() == damaged
    after = await opened(found)
    for one in found.incidents:
        gone = sum(len(gap) for gap in one.missing)
        assert one.found + gone == one.known
        assert broken(after[one.incident]) == one.fault
        if one.incident in before:
            honest(before[one.incident], after[one.incident], one)
    assert sum(one.found for one in found.incidents) > 200


async def test_a_gap_stands_in_the_timeline_and_its_neighbours_are_as_they_were(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    before = (await filled(path))["INC-2026-11-21-001"]
    content = path.read_bytes()
    marked = content.index(b"note 200 ") // PAGE * PAGE
    overwrite(path, marked, b"\xff" * PAGE)
    found = salvage(path, beside(path))
    one = found.incidents[0]
    assert one.known == 401
    (gap,) = one.missing
    assert 202 in gap
    assert one.fault == gap.start
    after = (await opened(found))["INC-2026-11-21-001"]
    honest(before, after, one)
    assert [event.seq for event in after] == list(range(1, 402))
    assert (
        after[gap.start - 1].text == f"entry {gap.start} could not be read from the damaged journal"
    )


async def test_an_incident_whose_name_is_lost_gets_it_back_from_its_digests(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    before = await filled(path)
    connection = sqlite3.connect(path)
    roots = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'incident' AND rootpage > 0"
    ).fetchall()
    connection.close()
    for (page,) in roots:
        overwrite(path, (page - 1) * PAGE, bytes(PAGE))
    after = await opened(salvage(path, beside(path)))
    assert after["INC-2026-11-21-001"] == before["INC-2026-11-21-001"]
    assert after["INC-2026-11-21-002"] == before["INC-2026-11-21-002"]


async def test_the_log_counts_and_a_log_that_lost_its_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before = await filled(path)
    writer = child("append", path, "INC-2026-11-21-001", "alice", 100_000)
    assert writer.stdout is not None
    for _ in range(50):
        writer.stdout.readline()
    writer.kill()
    writer.communicate()
    log = path.with_name("journal.db-wal")
    assert log.stat().st_size > 20 * PAGE
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", tmp_path / f"whole.db{ending}")
    found = salvage(tmp_path / "whole.db", tmp_path / "new.db")
    assert found.whole
    assert found.incidents[0].found >= 401 + 50
    assert found.incidents[0].fault == 0

    overwrite(log, log.stat().st_size // 2, b"\xff" * PAGE)
    cut = salvage(path, beside(path))
    assert not cut.whole
    assert cut.incidents[0].found > 401
    after = (await opened(cut))["INC-2026-11-21-001"]
    assert after[:401] == before["INC-2026-11-21-001"]


async def test_nothing_is_written_when_there_is_nothing_to_read_or_no_place(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(random.Random(1).randbytes(100_000))
    with pytest.raises(JournalError, match="no entry of any incident can be read in it"):
        salvage(path, beside(path))
    with pytest.raises(JournalError, match="there is no such file"):
        salvage(tmp_path / "nowhere.db", tmp_path / "new.db")
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="is there already"):
        salvage(path, path)
    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]


# From the command line


async def test_the_command_says_what_is_in_and_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    config = tmp_path / "warroom.toml"
    config.write_text(f'[journal]\npath = "{path}"\n')
    one = next(iter(await filled(path)))
    warroom = Shell(tmp_path, config)
    assert warroom("journal", "path").out == f"{path}\n"
    whole = warroom("journal", "verify").out
    assert f"{one}: 401 entries, the chain holds" in whole
    stands = warroom("journal", "status", "--json").json
    assert (stands["incidents"], stands["events"], stands["schema"]) == (3, 406, len(migrations()))
    assert stands["free_bytes"] > 0 < stands["size_bytes"]

    overwrite(path, path.read_bytes().index(b"note 200 ") // PAGE * PAGE, b"\xff" * PAGE)
    refused = warroom("incident", "show", one, status=1)
    assert f"`warroom journal salvage {path}`" in refused.err
    told = warroom("journal", "salvage", status=1)
    assert "INC-2026-11-21-002: 3 of 3 entries, the chain holds" in told.out
    assert "  missing: " in told.out
    assert f"written: {beside(path)}" in told.err
    config.write_text(f'[journal]\npath = "{beside(path)}"\n')
    assert "could not be read from the damaged journal" in warroom("incident", "show", one).out
    assert "is not as it was written" in warroom("journal", "verify", status=1).out
