"""The session: what is said is kept, in order, whatever the journal does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.brittle import Brittle, texts
from tests.support.events import ALICE
from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Kind
from warroom.domain.incident import Role, Status
from warroom.domain.severity import SCHEMES
from warroom.engine.session import Session
from warroom.journal.base import NoIncident, NotSaved
from warroom.journal.memory import MemoryJournal

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


async def test_nothing_is_written_before_an_incident_is_open(
    journal: Brittle, clock: ManualClock
) -> None:
    session = Session(journal, clock, ALICE, SCHEMES["P0-P3"])
    with pytest.raises(NoIncident, match="press i"):
        await session.note("too early")
    assert session.unsaved == []
    assert await session.resume() is None


async def test_a_severity_the_scheme_does_not_have_opens_and_changes_nothing(
    session: Session,
) -> None:
    with pytest.raises(KeyError):
        await session.begin("another", "SEV1")
    with pytest.raises(KeyError):
        await session.set_severity("P9")
    assert texts(session) == ["it burns"]


async def test_an_incident_without_a_title_has_one(journal: Brittle, clock: ManualClock) -> None:
    session = Session(journal, clock, ALICE, SCHEMES["P0-P3"])
    incident = await session.begin("  ", "p1")
    assert (incident.title, incident.severity) == ("Untitled incident", "P1")


async def test_what_could_not_be_saved_is_kept_and_goes_in_later_in_order_and_once(
    session: Session, journal: Brittle, clock: ManualClock
) -> None:
    journal.full = True
    for word in ("one", "two", "three"):
        with pytest.raises(NotSaved):
            await session.note(word)
        clock.advance(60)
    assert texts(session) == ["it burns"], "nothing is shown before it is saved"
    await session.save_again()
    assert [draft.text for draft in session.unsaved] == ["one", "two", "three"]
    journal.full = False
    await asyncio.gather(session.save_again(), session.save_again())
    assert texts(session) == ["it burns", "one", "two", "three"]
    assert session.unsaved == []
    said = session.events[1]
    assert said.at == NOON, "when it was said, not when there was room"


async def test_the_session_itself_saves_again_when_it_runs(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    session.start()
    with pytest.raises(NotSaved):
        await session.note("kept")
    journal.full = False
    assert await comes_true(lambda: texts(session) == ["it burns", "kept"])


async def test_what_must_not_be_written_later_is_not_kept(
    session: Session, journal: Brittle
) -> None:
    journal.full = True
    with pytest.raises(NotSaved):
        await session.record_or_nothing(Kind.REQUESTED, "restart api", {"target": "api"})
    assert session.unsaved == []


async def test_what_another_console_wrote_is_taken_in_the_order_of_the_journal(
    session: Session, journal: Brittle, clock: ManualClock
) -> None:
    other = Session(journal, clock, Author("bob", 1001), SCHEMES["P0-P3"])
    await other.resume()
    await other.note("from bob")
    await session.note("from alice")  # does not yet know of bob's
    await session.refresh()
    assert texts(session) == ["it burns", "from bob", "from alice"]
    await session.refresh()
    assert len(session.events) == 3
    await other.set_status(Status.MITIGATING)
    await other.assign(Role.COMMANDER, "bob")
    await session.refresh()
    assert session.incident is not None
    assert (session.incident.status, session.incident.commander) == (Status.MITIGATING, "bob")


async def test_a_running_session_follows_other_consoles_even_after_a_failed_read(
    session: Session, journal: Brittle, clock: ManualClock
) -> None:
    other = Session(journal, clock, Author("bob", 1001), SCHEMES["P0-P3"])
    await other.resume()
    session.start()
    journal.unreadable = 1
    await other.note("from bob")
    assert await comes_true(lambda: "from bob" in texts(session))


async def test_an_incident_that_another_console_opens_is_taken_up(
    journal: Brittle, clock: ManualClock
) -> None:
    waiting = Session(journal, clock, ALICE, SCHEMES["P0-P3"])
    other = Session(journal, clock, Author("bob", 1001), SCHEMES["P0-P3"])
    await other.begin("it burns", "P2")
    await waiting.refresh()
    assert waiting.incident == other.incident


async def test_a_retraction_takes_a_change_back_and_keeps_it_in_the_journal(
    session: Session,
) -> None:
    change = await session.set_severity("P0")
    assert session.incident is not None
    assert session.incident.severity == "P0"
    await session.retract(change.seq, "a slip of the finger")
    assert session.incident.severity == "P1"
    assert change.seq not in [entry.seq for entry in session.timeline().entries]
    assert change in session.events


async def test_an_amendment_says_what_was_meant(session: Session, clock: ManualClock) -> None:
    note = await session.note("pool fulll")
    earlier = (NOON - timedelta(minutes=5)).isoformat()
    await session.record(Kind.AMENDED, "pool full", {"seq": note.seq, "at": earlier})
    entry = session.timeline().entries[0]
    assert (entry.text, entry.at, entry.amended) == ("pool full", NOON - timedelta(minutes=5), True)


async def test_a_handover_names_who_had_it_before(session: Session) -> None:
    await session.assign(Role.COMMANDER, " dana ")
    event = await session.assign(Role.COMMANDER, "ro\x1bbin")
    assert event.text == "incident commander: ro␛bin (was dana)"


async def test_control_characters_are_pictures_before_they_are_stored(session: Session) -> None:
    event = await session.note("a\x1b[31mb\u202e\nsecond line\x00")
    assert event.text == "a␛[31mb␦\nsecond line␀"


async def test_the_timeline_is_projected_again_only_when_something_came(session: Session) -> None:
    first = session.timeline()
    assert session.timeline() is first
    await session.note("more")
    assert session.timeline() is not first


async def test_listeners_hear_of_what_is_saved_and_of_what_is_not(
    session: Session, journal: Brittle
) -> None:
    heard: list[tuple[int, str]] = []
    session.subscribe(lambda: heard.append((len(session.unsaved), session.away)))
    await session.note("saved")
    assert heard == [(0, "")]
    journal.full = True
    with pytest.raises(NotSaved):
        await session.note("not saved")
    assert heard[-1] == (1, "the disk is full")


# Who is here ---------------------------------------------------------------------------------


async def test_consoles_see_who_is_here(
    session: Session, journal: Brittle, clock: ManualClock
) -> None:
    other = Session(journal, clock, Author("bob", 1001), SCHEMES["P0-P3"])
    await other.resume()
    session.start()
    other.start()
    assert await comes_true(lambda: len(other.present) == 2)
    assert {one.author.login for one in other.present} == {"alice", "bob"}
    await other.stop()


async def test_a_console_of_an_imported_incident_writes_where_it_looks(
    session: Session, journal: Brittle, clock: ManualClock
) -> None:
    assert session.incident is not None
    theirs = MemoryJournal(clock)
    far = Session(theirs, clock, Author("carol", 1002), SCHEMES["P0-P3"])
    begun = await far.begin("elsewhere", "P1")
    assert begun.id == session.incident.id
    name = await journal.adopt(far.events, "far.json")
    await session.resume(name)
    await session.note("about theirs")
    assert texts(session) == ["elsewhere", "about theirs"]
    assert [e.text for e in await journal.events(begun.id)] == ["it burns"]
