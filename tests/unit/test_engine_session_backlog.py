"""What the session does while the journal takes nothing: nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.brittle import Brittle, texts
from tests.support.events import ALICE
from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock
from warroom.domain.events import Draft, Kind
from warroom.domain.severity import SCHEMES
from warroom.engine.outbox import Outbox, Waiting
from warroom.engine.session import Session
from warroom.journal.base import NotSaved

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def journal(clock: ManualClock) -> Brittle:
    return Brittle(clock)


@pytest.fixture
async def session(journal: Brittle, clock: ManualClock) -> AsyncIterator[Session]:
    session = Session(journal, clock, ALICE, SCHEMES["P0-P3"])
    await session.begin("it burns", "P1")
    yield session
    await session.stop()


# The order of what is said -------------------------------------------------------------------


async def test_what_is_said_while_older_words_wait_waits_behind_them(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    with pytest.raises(NotSaved, match="the disk is full"):
        await session.note("one")
    journal.full = False
    with pytest.raises(NotSaved, match="1 before it wait for the journal, too"):
        await session.note("two")
    await session.save_again()
    await session.note("three")
    assert texts(session) == ["it burns", "one", "two", "three"]


async def test_words_said_at_once_while_the_journal_fails_keep_their_order(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    notes = (session.note(f"{n}") for n in range(5))
    results = await asyncio.gather(*notes, return_exceptions=True)
    assert all(isinstance(one, NotSaved) for one in results)
    journal.full = False
    await session.save_again()
    assert texts(session) == ["it burns", "0", "1", "2", "3", "4"]


async def test_what_waits_goes_into_its_own_incident_whichever_is_open(
    session: Session, journal: Brittle
) -> None:
    first = session.incident
    assert first is not None
    journal.full = True
    with pytest.raises(NotSaved):
        await session.note("of the first")
    second = await session.begin("another", "P2")
    journal.full = False
    await session.save_again()
    assert session.unsaved == []
    assert texts(session) == ["another"]
    assert [e.text for e in await journal.events(first.id)] == ["it burns", "of the first"]
    assert second.id != first.id


async def test_what_belongs_to_an_incident_that_is_gone_holds_up_no_other(
    session: Session, journal: Brittle
) -> None:
    lost = Draft(Kind.NOTE, NOON, ALICE, "of nowhere", id="x")
    session.backlog.add(Waiting("INC-1999-01-01-001", lost))
    with pytest.raises(NotSaved):
        await session.note("of here")
    await session.save_again()
    assert texts(session) == ["it burns", "of here"]
    assert [draft.text for draft in session.unsaved] == ["of nowhere"]


async def test_a_note_whose_answer_nobody_waited_for_is_kept_and_stored_once(
    session: Session, journal: Brittle
) -> None:
    task = asyncio.create_task(session.note("half said"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [draft.text for draft in session.unsaved] == ["half said"]
    await session.save_again()
    await session.save_again()
    assert texts(session) == ["it burns", "half said"]


async def test_what_no_journal_would_ever_take_holds_up_nothing(session: Session) -> None:
    with pytest.raises(NotSaved, match="of type object"):
        await session.record(Kind.NOTE, "bad", {"thing": object()})
    assert session.unsaved == []
    await session.note("good")


async def test_a_request_goes_behind_what_waits_or_not_at_all(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    with pytest.raises(NotSaved):
        await session.note("before")
    with pytest.raises(NotSaved):
        await session.record_or_nothing(Kind.REQUESTED, "restart api", {"target": "api"})
    journal.full = False
    await session.record_or_nothing(Kind.REQUESTED, "restart api", {"target": "api"})
    assert texts(session) == ["it burns", "before", "restart api"]


async def test_the_same_deadline_found_again_and_again_waits_once(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    for _ in range(3):
        with pytest.raises(NotSaved):
            await session.record(Kind.OVERDUE, "response is overdue", id="derived")
    assert len(session.unsaved) == 1


# On this machine's disk ----------------------------------------------------------------------


def with_outbox(journal: Brittle, clock: ManualClock, folder: Path) -> Session:
    async def name() -> str:
        return "the journal"

    def outbox(console: str) -> Outbox:
        return Outbox(name, console, folder)

    return Session(journal, clock, ALICE, SCHEMES["P0-P3"], outbox=outbox)


async def test_what_waits_is_on_disk_and_the_next_console_puts_it_into_the_journal(
    journal: Brittle, clock: ManualClock, tmp_path: Path
) -> None:
    first = with_outbox(journal, clock, tmp_path)
    await first.begin("it burns", "P1")
    journal.full = True
    for word in ("one", "two"):
        with pytest.raises(NotSaved):
            await first.note(word)
    assert first.backlog.kept == 2
    await first.stop()
    assert first.backlog.parting().splitlines() == [
        f"not in the journal yet, but kept in {tmp_path}: the next console that reaches the "
        "journal puts it there:",
        "one",
        "two",
    ]
    journal.full = False
    second = with_outbox(journal, clock, tmp_path)
    await second.resume()
    second.start()
    assert await comes_true(lambda: texts(second) == ["it burns", "one", "two"])
    assert await comes_true(lambda: not list(tmp_path.iterdir()))
    await second.stop()


async def test_a_text_that_only_the_console_has_is_named_first_on_leaving(
    journal: Brittle, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    session = with_outbox(journal, clock, tmp_path / "file")
    await session.begin("it burns", "P1")
    journal.full = True
    with pytest.raises(NotSaved, match="the disk is full"):
        await session.note("precious")
    assert session.backlog.kept == 0
    assert "file" in session.backlog.not_kept
    assert session.backlog.parting() == "NOT SAVED; keep it somewhere else:\nprecious"
    await session.stop()
