"""The session: what is said is kept, in order, whatever the journal does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.events import ALICE
from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.incident import Role, Status
from warroom.domain.severity import SCHEMES
from warroom.engine.outbox import Outbox, Waiting
from warroom.engine.session import Session
from warroom.journal.base import JournalError, NoIncident, NotSaved
from warroom.journal.memory import MemoryJournal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Brittle(MemoryJournal):
    """A journal that can be made to take or tell nothing."""

    full = False
    unreadable = 0
    appends = 0

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        self.appends += 1
        await asyncio.sleep(0)
        if self.full:
            raise NotSaved("the disk is full")
        return await super().append(incident, *drafts)

    async def events(self, incident: str, *, after: int = 0) -> tuple[Event, ...]:
        if self.unreadable:
            self.unreadable -= 1
            raise JournalError("cannot be read just now")
        return tuple(await super().events(incident, after=after))


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


def texts(session: Session) -> list[str]:
    return [event.text for event in session.events]


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
