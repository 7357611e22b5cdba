"""Several consoles on one file: who is here, what they hear of each other, and whose turn it is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.chains import BEGIN, ONCALL, draft
from tests.unit.journals import open_one
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Kind, event_id
from warroom.domain.readings import Reading
from warroom.journal.base import PRESENT_S, Journal, NewerSchema, NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.journal.sqlite import SqliteJournal

BOB = Author("bob", 1001)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN)


@pytest.fixture
async def journal(path: Path, clock: ManualClock) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path, clock)
    yield journal
    await journal.close()


def consoles(found: object) -> list[str]:
    return [one.console for one in found]  # type: ignore[attr-defined]


# Who is here


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_console_that_is_silent_is_not_present_any_more(
    kind: str, path: Path, clock: ManualClock
) -> None:
    journal: Journal = MemoryJournal(clock) if kind == "memory" else SqliteJournal(path, clock)
    incident = (
        await journal.open_incident(draft(Kind.OPENED, "", scheme="", severity=""))
    ).incident
    await journal.beat(incident, "a", ONCALL)
    clock.advance(PRESENT_S - 1)
    assert consoles(await journal.beat(incident, "b", BOB)) == ["a", "b"]
    clock.advance(2)
    assert consoles(await journal.beat(incident, "b", BOB)) == ["b"]
    clock.advance(-3600)  # a clock that is set back makes nobody immortal
    assert consoles(await journal.beat(incident, "c", BOB)) == ["c"]
    await journal.close()


async def test_rows_of_those_who_are_gone_do_not_pile_up(
    journal: SqliteJournal, path: Path, clock: ManualClock
) -> None:
    incident = await open_one(journal)
    for n in range(20):
        await journal.beat(incident, f"console {n}", ONCALL)
        clock.advance(PRESENT_S + 1)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM presence").fetchone() == (1,)
    connection.close()


async def test_who_leaves_is_gone_at_once(
    journal: SqliteJournal, path: Path, clock: ManualClock
) -> None:
    incident = await open_one(journal)
    other = SqliteJournal(path, clock)
    assert consoles(await other.beat(incident, "other", BOB)) == ["other"]
    assert consoles(await journal.beat(incident, "own", ONCALL)) == ["other", "own"]
    await other.close()
    assert consoles(await journal.beat(incident, "own", ONCALL)) == ["own"]


async def test_signs_of_life_wake_nobody_and_events_do(journal: SqliteJournal, path: Path) -> None:
    incident = await open_one(journal)
    watching = SqliteJournal(path, poll_s=0.01)
    watching.watch()
    await asyncio.wait_for(watching.changed.wait(), 30)
    watching.changed.clear()
    looks = 0
    state = watching._read.store.state

    def counted() -> tuple[int, int]:
        nonlocal looks
        looks += 1
        return state()

    watching._read.store.state = counted  # type: ignore[method-assign]
    for n in range(10):
        await journal.beat(incident, f"console {n}", ONCALL)
        await journal.keep(incident, [Reading("web", BEGIN, {"p95": float(n)})])
    begun = looks
    while looks < begun + 3:
        await asyncio.sleep(0.01)
    assert not watching.changed.is_set()
    await journal.append(incident, draft(Kind.NOTE, "now"))
    await asyncio.wait_for(watching.changed.wait(), 30)
    await watching.close()


async def test_a_sign_of_life_is_no_error_where_nothing_may_be_written(
    journal: SqliteJournal, path: Path, clock: ManualClock
) -> None:
    incident = await open_one(journal)
    other = SqliteJournal(path, clock)
    await other.beat(incident, "other", BOB)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert consoles(await journal.beat(incident, "own", ONCALL)) == ["other", "own"]
    holder.execute("ROLLBACK")
    holder.execute("PRAGMA user_version = 99")
    holder.close()
    newer = SqliteJournal(path, clock)
    assert consoles(await newer.beat(incident, "own", ONCALL)) == ["other", "own"]
    with pytest.raises(NewerSchema):
        await newer.keep(incident, [])
    await newer.close()
    await other.close()


# Whose turn it is


async def test_a_long_read_lets_short_ones_pass(journal: SqliteJournal) -> None:
    incident = await open_one(journal)
    await journal.append(incident, *(draft(Kind.NOTE, f"{n}") for n in range(10_500)))
    ended: list[str] = []

    async def read(name: str, after: int) -> int:
        count = len(await journal.events(incident, after=after))
        ended.append(name)
        return count

    assert await asyncio.gather(read("long", 0), read("short", 10_500)) == [10_501, 1]
    assert ended == ["short", "long"]


async def test_neighbouring_events_share_what_they_have_in_common(journal: SqliteJournal) -> None:
    incident = await open_one(journal)
    await journal.append(incident, *(draft(Kind.NOTE, f"{n}", n=n) for n in range(3)))
    one, two, three = (await journal.events(incident))[1:]
    assert two.author is three.author
    assert two.previous is one.digest
    assert [e.data for e in (one, two, three)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    with pytest.raises(AttributeError):
        one.text = "changed"  # type: ignore[misc]


QUEUE = 100


async def test_appends_that_queue_up_behind_a_holder_are_all_refused_within_the_limit(
    journal: SqliteJournal, path: Path
) -> None:
    incident = await open_one(journal)
    hurried = SqliteJournal(path, save_s=0.3)
    await hurried.append(incident, draft(Kind.NOTE, "before"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    drafts = [replace(draft(Kind.NOTE, f"{n}"), id=event_id(BEGIN)) for n in range(QUEUE)]
    tries = (hurried.append(incident, one) for one in drafts)
    async with asyncio.timeout(20):  # one after the other they would take 30 s
        refused = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in refused] == [NotSaved] * QUEUE
    holder.execute("ROLLBACK")
    holder.close()
    patient = SqliteJournal(path, save_s=30.0)
    for one in drafts * 2:
        await patient.append(incident, one)
    await patient.close()
    texts = [event.text for event in await journal.events(incident, after=2)]
    assert texts == [f"{n}" for n in range(QUEUE)]
    await hurried.close()
