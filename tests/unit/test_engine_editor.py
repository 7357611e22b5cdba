"""The editor: what it changes, and that every change can be taken back and done again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, ONCALL
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Kind
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.severity import SCHEMES
from warroom.domain.timeline import Entry, project
from warroom.engine.editor import Editor, EditRefused, audience_of
from warroom.engine.session import Session
from warroom.journal.memory import MemoryJournal


async def a_room(author: Author = ONCALL, journal: MemoryJournal | None = None) -> Session:
    clock = ManualClock(BEGIN)
    session = Session(journal or MemoryJournal(clock), clock, author, SCHEMES["P0-P3"])
    if journal is None:
        await session.begin("Checkout 5xx", "P2")
    else:
        await session.resume()
    return session


def entries(session: Session) -> list[Entry]:
    return list(session.timeline().entries)


def texts(session: Session) -> list[str]:
    return [entry.text for entry in entries(session)]


async def test_an_entry_is_added_where_it_happened() -> None:
    session = await a_room()
    editor = Editor(session)
    at = BEGIN - timedelta(minutes=5)
    await editor.add("first complaint", at=at, tags=["detection"], audience="external")
    entry = entries(session)[0]
    assert (entry.text, entry.at, entry.tags) == ("first complaint", at, ("detection",))
    assert (audience_of(entry), entry.for_outside) == ("external", True)


async def test_a_change_is_undone_and_done_again() -> None:
    session = await a_room()
    editor = Editor(session)
    note = await editor.add("deployd")
    await editor.amend(note.seq, text="deployed", starred=True, tags=["action"])
    assert await editor.undo() == 'changed "deployd"'
    (_, entry) = entries(session)
    assert (entry.text, entry.starred, entry.tags, entry.amended) == ("deployd", False, (), False)
    await editor.redo()
    (_, entry) = entries(session)
    assert (entry.text, entry.starred, entry.tags, entry.amended) == (
        "deployed", True, ("action",), True,
    )  # fmt: skip
    await editor.undo()
    await editor.undo()
    assert texts(session) == ["Checkout 5xx"]
    assert await editor.undo() == ""


async def test_entries_become_one_and_are_several_again() -> None:
    session = await a_room()
    editor = Editor(session)
    first = await editor.add("pool is full", tags=["impact"])
    kept = Evidence(EvidenceKind.ROWS, "postgres", "98 of 100")
    second = await editor.add("98 of 100 connections", starred=True, evidence=[kept])
    await editor.merge([second.seq, first.seq])
    (_, entry) = entries(session)
    assert entry.text == "pool is full\n98 of 100 connections"
    assert (entry.starred, entry.tags) == (True, ("impact",))
    assert [(e.label, e.entry) for e in session.timeline().exhibits] == [("E1", first.seq)]
    await editor.undo()
    assert texts(session) == ["Checkout 5xx", "pool is full", "98 of 100 connections"]
    assert [(e.label, e.entry) for e in session.timeline().exhibits] == [("E1", second.seq)]


async def test_evidence_belongs_to_the_entry_it_was_added_to() -> None:
    session = await a_room()
    editor = Editor(session)
    note = await editor.add("the pool is full")
    await editor.attach(note.seq, Evidence(EvidenceKind.PANE, "postgres", "98/100"))
    assert texts(session) == ["Checkout 5xx", "the pool is full"]
    assert [(e.label, e.entry) for e in session.timeline().exhibits] == [("E1", note.seq)]
    await editor.undo()
    assert session.timeline().exhibits == ()


async def test_two_people_edit_the_same_entry_and_both_versions_stay() -> None:
    anna = await a_room()
    note = await anna.note("db slow")
    bert = await a_room(Author("bert", 1001), anna.journal)  # type: ignore[arg-type]
    seen = bert.projection.base(note.seq)
    await Editor(anna).amend(note.seq, text="the database is slow", base=seen)
    await bert.refresh()
    await Editor(bert).amend(note.seq, text="PostgreSQL is slow", base=seen)
    await anna.refresh()
    for session in (anna, bert):
        (_, entry) = entries(session)
        assert entry.text == "PostgreSQL is slow"
        assert [(v.author, v.text) for v in entry.rivals] == [("oncall", "the database is slow")]
    await Editor(anna).amend(note.seq, text="PostgreSQL, our database, is slow")
    assert entries(anna)[1].rivals == ()


async def test_a_star_and_a_text_at_the_same_time_are_no_conflict() -> None:
    session = await a_room()
    note = await session.note("db slow")
    seen = session.projection.base(note.seq)
    await Editor(session).amend(note.seq, text="the database is slow", base=seen)
    await Editor(session).amend(note.seq, starred=True, base=seen)
    (_, entry) = entries(session)
    assert (entry.text, entry.starred, entry.rivals) == ("the database is slow", True, ())


async def test_what_makes_no_sense_is_refused_in_words() -> None:
    session = await a_room()
    editor = Editor(session)
    note = await editor.add("gone soon")
    with pytest.raises(EditRefused, match="the opening stays"):
        await editor.retract(1, "by mistake")
    with pytest.raises(EditRefused, match="at least two"):
        await editor.merge([note.seq])
    with pytest.raises(EditRefused, match="without text"):
        await editor.amend(note.seq, text="  ")
    await editor.retract(note.seq, "by mistake")
    with pytest.raises(EditRefused, match="no longer there"):
        await editor.amend(note.seq, text="again")


async def test_what_comes_back_with_a_gap_in_it_hides_nothing_of_others() -> None:
    """A batch tried again holds what was stored the first time, and what is stored only now."""
    anna = await a_room()
    first, second = anna.draft(Kind.NOTE, "stored at once"), anna.draft(Kind.NOTE, "stored later")
    bert = await a_room(Author("bert", 1001), anna.journal)  # type: ignore[arg-type]
    await anna.journal.append("INC-2026-11-21-001", first)
    await bert.note("in between")
    await anna.write(first, second)
    await anna.refresh()
    assert texts(anna) == ["Checkout 5xx", "stored at once", "in between", "stored later"]


async def test_what_was_done_in_another_incident_is_not_undone_here() -> None:
    session = await a_room()
    editor = Editor(session)
    await editor.add("of the first")
    await session.begin("another", "P3")
    assert editor.can_undo == ""
    assert await editor.undo() == ""


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "amend", "star", "retract", "merge", "undo", "redo"]),
        st.integers(0, 7),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(OPERATIONS)
async def test_whatever_is_done_the_timeline_is_what_its_events_add_up_to_and_undo_leads_back(
    operations: list[tuple[str, int]],
) -> None:
    session = await a_room()
    editor = Editor(session)
    for name, number in operations:
        await operate(editor, session, name, number)
    now = session.timeline()
    assert now.entries == project(session.events, BEGIN).entries
    assert now.exhibits == project(session.events, BEGIN).exhibits
    assert await session.journal.verify(now.incident.id) == 0
    while await editor.undo():
        pass
    assert texts(session) == ["Checkout 5xx"]


async def operate(editor: Editor, session: Session, name: str, number: int) -> None:
    shown = [entry for entry in entries(session) if entry.kind is not Kind.OPENED]
    chosen = shown[number % len(shown)] if shown else None
    match name:
        case "add":
            at = BEGIN + timedelta(minutes=number - 4)
            kept = [Evidence(EvidenceKind.LINES, "log", f"line {number}")] if number % 2 else []
            await editor.add(f"note {number}", at=at, evidence=kept)
        case "undo" if editor.can_undo:
            await editor.undo()
        case "redo" if editor.can_redo:
            await editor.redo()
        case "amend" if chosen:
            await editor.amend(chosen.seq, text=f"changed {number}")
        case "star" if chosen:
            await editor.amend(chosen.seq, starred=not chosen.starred)
        case "retract" if chosen:
            await editor.retract(chosen.seq, "by mistake")
        case "merge" if len(shown) > 1:
            await editor.merge([entry.seq for entry in shown[: 2 + number % 3]])


async def test_evidence_stays_through_one_merge_after_another() -> None:
    session = await a_room()
    editor = Editor(session)
    first, second = await editor.add("first"), await editor.add("second")
    kept = Evidence(EvidenceKind.ROWS, "redis", "used 1.4 MiB")
    third = await editor.add("third", evidence=[kept])
    await editor.merge([second.seq, third.seq])
    await editor.merge([first.seq, second.seq])
    assert [(one.entry, one.evidence) for one in session.timeline().exhibits] == [(first.seq, kept)]
