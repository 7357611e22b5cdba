"""What every store promises, asked of whichever a test module's `journal` fixture gives.

The fixture's clock is `clock`, which begins at BEGIN.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.chains import BEGIN, ONCALL, Chain, draft, opening
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind, broken, event_id
from warroom.domain.incident import Status, incident_of
from warroom.domain.readings import Reading
from warroom.journal.base import Journal, JournalError, NoIncident, NotSaved


async def open_one(journal: Journal, title: str = "Checkout 5xx") -> str:
    return (await journal.open_incident(opening(title))).incident


def note(text: str, **data: Any) -> Draft:
    return draft(Kind.NOTE, text, **data)


def named(text: str) -> Draft:
    """A draft that brings its own id, as a session's does."""
    return replace(note(text), id=event_id(BEGIN))


def elsewhere(*notes: str, incident: str = "INC-2026-03-01-007") -> list[Event]:
    """An incident as another journal sealed it."""
    chain = Chain(incident=incident)
    chain.open("From another bastion")
    for text in notes:
        chain.add(Kind.NOTE, text)
    return chain.events


class JournalContract:
    """The stories; a test module's class inherits them."""

    async def test_an_empty_journal_has_no_incident(self, journal: Journal) -> None:
        assert list(await journal.headings()) == []
        assert await journal.current() is None
        with pytest.raises(NoIncident, match="there is no incident INC-1"):
            await journal.events("INC-1")
        with pytest.raises(NoIncident):
            await journal.append("INC-1", note("lost?"))
        with pytest.raises(NoIncident):
            await journal.verify("INC-1")

    async def test_incidents_are_numbered_by_utc_day(
        self, journal: Journal, clock: ManualClock
    ) -> None:
        assert await open_one(journal) == "INC-2026-11-21-001"
        assert await open_one(journal) == "INC-2026-11-21-002"
        clock.advance(10.5 * 3600)
        assert await open_one(journal) == "INC-2026-11-22-001"

    async def test_what_is_appended_is_read_back_the_same_and_in_order(
        self, journal: Journal
    ) -> None:
        incident = await open_one(journal)
        first = await journal.append(incident, note("one", figures={"b": 1.5, "a": (1, 2)}))
        rest = await journal.append(incident, note("two"), note("three\nwith ␛[31m ünïcödé 🚨"))
        events = await journal.events(incident)
        assert [e.seq for e in events] == [1, 2, 3, 4]
        assert list(events[1:]) == [*first, *rest]
        assert list(await journal.events(incident, after=2)) == list(rest)
        assert list(await journal.events(incident, after=4)) == []
        assert broken(events) == 0 == await journal.verify(incident)

    async def test_two_times_are_kept_when_it_happened_and_when_it_was_recorded(
        self, journal: Journal, clock: ManualClock
    ) -> None:
        incident = await open_one(journal)
        clock.advance(60)
        earlier = BEGIN - timedelta(minutes=10)
        (event,) = await journal.append(incident, draft(Kind.NOTE, "late", earlier))
        assert (event.at, event.recorded_at) == (earlier, BEGIN + timedelta(minutes=1))

    @pytest.mark.parametrize(
        "text", ["", "\x1b]0;x\x07", "[/x]", "[@click=app.bell]x[/]", "\u202eevil", "\x9b31m"]
    )
    async def test_hostile_text_is_data(self, journal: Journal, text: str) -> None:
        incident = await open_one(journal, text)
        made = Draft(Kind.NOTE, BEGIN, Author(text, 7, text), text, {text: [text]})
        (event,) = await journal.append(incident, made)
        assert (event.text, event.author, dict(event.data)) == (text, made.author, {text: [text]})
        assert list(await journal.events(incident, after=1)) == [event]

    async def test_what_no_store_can_hold_is_replaced_not_refused(self, journal: Journal) -> None:
        incident = await open_one(journal)
        (event,) = await journal.append(incident, note("a\0b\ud800c", value=float("inf")))
        assert event.text == "a\ufffdb\ufffdc"
        assert event.data == {"value": "inf"}
        assert list(await journal.events(incident, after=1)) == [event]

    async def test_a_text_of_ten_megabytes_is_kept_whole(self, journal: Journal) -> None:
        incident = await open_one(journal)
        await journal.append(incident, note("x" * 10_000_000))
        (event,) = await journal.events(incident, after=1)
        assert len(event.text) == 10_000_000

    async def test_several_drafts_are_stored_all_or_none(self, journal: Journal) -> None:
        incident = await open_one(journal)
        with pytest.raises(NotSaved, match="of type object"):
            await journal.append(incident, note("good"), note("bad", thing=object()))
        with pytest.raises(NotSaved, match="does not say its zone"):
            await journal.append(incident, draft(Kind.NOTE, "bad", datetime(2026, 11, 21)))  # noqa: DTZ001
        assert [e.seq for e in await journal.events(incident)] == [1]
        assert await journal.append(incident) == ()

    async def test_an_incident_begins_with_its_opening_once(self, journal: Journal) -> None:
        with pytest.raises(NotSaved, match="begins with an event of kind 'opened'"):
            await journal.open_incident(note("no"))
        incident = await open_one(journal)
        with pytest.raises(NotSaved, match="opened once"):
            await journal.append(incident, opening())

    async def test_headings_say_how_each_incident_stands_newest_first(
        self, journal: Journal
    ) -> None:
        old = await open_one(journal, "Old")
        new = await open_one(journal, "New")
        await journal.append(old, draft(Kind.SEVERITY, "", severity="P0"), note("so"))
        await journal.append(old, draft(Kind.STATUS, "", status="resolved"))
        headings = await journal.headings()
        assert [(h.id, h.title) for h in headings] == [(new, "New"), (old, "Old")]
        heading = headings[1]
        assert (heading.severity, heading.status, heading.events) == ("P0", Status.RESOLVED, 4)
        assert (heading.scheme, heading.opened_at) == ("P0-P3", BEGIN)

    async def test_headings_and_incidents_agree_on_corrections(self, journal: Journal) -> None:
        incident = await open_one(journal)
        (closed,) = await journal.append(incident, draft(Kind.STATUS, "", status="closed"))
        assert await journal.current() is None
        await journal.append(incident, draft(Kind.RETRACTED, "too early", seq=closed.seq))
        await journal.append(incident, draft(Kind.AMENDED, "Checkout 502", seq=1))
        assert await journal.current() == incident
        heading = (await journal.headings())[0]
        state = incident_of(await journal.events(incident))
        assert (heading.title, heading.status) == (state.title, state.status)
        assert heading.title == "Checkout 502"

    async def test_current_is_the_newest_incident_that_is_not_closed(
        self, journal: Journal
    ) -> None:
        first, second, third = [await open_one(journal) for _ in range(3)]
        await journal.append(third, draft(Kind.STATUS, "", status="closed"))
        await journal.append(second, draft(Kind.STATUS, "", status="resolved"))
        assert await journal.current() == second
        await journal.append(second, draft(Kind.STATUS, "", status="closed"))
        assert await journal.current() == first

    async def test_appends_at_the_same_time_neither_skip_nor_share_a_sequence(
        self,
        journal: Journal,
    ) -> None:
        incident = await open_one(journal)
        await asyncio.gather(*(journal.append(incident, note(f"{n}")) for n in range(50)))
        assert [e.seq for e in await journal.events(incident)] == list(range(1, 52))
        assert await journal.verify(incident) == 0

    async def test_whoever_waits_is_told_of_an_append(self, journal: Journal) -> None:
        incident = await open_one(journal)
        journal.changed.clear()
        await journal.append(incident, note("news"))
        assert journal.changed.is_set()

    async def test_a_closed_journal_says_so(self, journal: Journal) -> None:
        incident = await open_one(journal)
        await journal.close()
        await journal.close()
        with pytest.raises(JournalError, match="the journal is closed"):
            await journal.append(incident, note("late"))
        with pytest.raises(JournalError, match="the journal is closed"):
            await journal.events(incident)

    async def test_times_come_back_in_utc(self, journal: Journal) -> None:
        incident = await open_one(journal)
        (event,) = await journal.events(incident)
        assert event.at.tzinfo is UTC
        assert event.author == ONCALL

    # Stored once

    async def test_a_draft_that_is_appended_again_is_stored_once(self, journal: Journal) -> None:
        incident = await open_one(journal)
        again = named("the answer was lost")
        first = await journal.append(incident, again)
        assert await journal.append(incident, again) == first
        both = await journal.append(incident, note("before"), again, note("after"))
        assert [(e.seq, e.text) for e in both] == [
            (3, "before"),
            (2, "the answer was lost"),
            (4, "after"),
        ]
        assert await journal.append(incident, again, again) == (first[0], first[0])
        assert [e.seq for e in await journal.events(incident)] == [1, 2, 3, 4]
        assert await journal.verify(incident) == 0

    async def test_what_several_consoles_work_out_alike_is_stored_once(
        self, journal: Journal
    ) -> None:
        incident = await open_one(journal)
        overdue = named("response is overdue")
        found = await asyncio.gather(*(journal.append(incident, overdue) for _ in range(20)))
        assert all(events == found[0] for events in found)
        assert [e.id for e in await journal.events(incident, after=1)] == [overdue.id]

    async def test_the_same_id_in_another_incident_is_another_event(self, journal: Journal) -> None:
        one, other = await open_one(journal), await open_one(journal)
        twice = named("in both")
        (here,), (there,) = await journal.append(one, twice), await journal.append(other, twice)
        assert (here.incident, there.incident) == (one, other)

    async def test_an_opening_that_is_tried_again_opens_one_incident(
        self, journal: Journal
    ) -> None:
        again = replace(opening(), id=event_id(BEGIN))
        first = await journal.open_incident(again)
        await journal.append(first.incident, note("meanwhile"))
        assert await journal.open_incident(again) == first
        assert len(await journal.headings()) == 1

    # From elsewhere

    async def test_an_imported_incident_is_the_same_and_says_where_it_is_from(
        self, journal: Journal
    ) -> None:
        events = elsewhere("one", "two")
        assert await journal.adopt(events, "export.json") == "INC-2026-03-01-007"
        assert list(await journal.events("INC-2026-03-01-007")) == events
        assert list(await journal.events("INC-2026-03-01-007", after=2)) == events[2:]
        assert await journal.verify("INC-2026-03-01-007") == 0
        (heading,) = await journal.headings()
        assert (heading.title, heading.events) == ("From another bastion", 3)
        assert heading.origin == "export.json"

    async def test_an_imported_incident_can_be_gone_on_with(self, journal: Journal) -> None:
        events = elsewhere("one")
        name = await journal.adopt(events, "export.json")
        (more,) = await journal.append(name, note("two"))
        assert (more.seq, more.incident, more.previous) == (3, name, events[-1].digest)
        assert await journal.verify(name) == 0

    async def test_an_incident_is_imported_once(self, journal: Journal) -> None:
        events = elsewhere("one", "two")
        name = await journal.adopt(events, "export.json")
        with pytest.raises(NotSaved, match=rf"is here already, as {name}"):
            await journal.adopt(events, "the same.json")
        await journal.append(name, note("and on"))
        with pytest.raises(NotSaved, match="is here already"):
            await journal.adopt(events[:2], "an earlier export.json")
        own = await open_one(journal)
        with pytest.raises(NotSaved, match=rf"is here already, as {own}"):
            await journal.adopt(await journal.events(own), "our own.json")
        assert len(await journal.headings()) == 2

    async def test_an_import_whose_id_is_taken_is_called_otherwise_and_sealed_the_same(
        self, journal: Journal
    ) -> None:
        own = await open_one(journal)
        events = elsewhere("theirs", incident=own)
        name = await journal.adopt(events, "export.json")
        assert name == f"{own}-2"
        third = elsewhere("yet another", incident=own)
        assert await journal.adopt(third, "other.json") == f"{own}-3"
        assert list(await journal.events(name)) == events
        assert len(await journal.events(own)) == 1
        (more,) = await journal.append(name, note("goes on"))
        assert (more.incident, more.previous) == (own, events[-1].digest)
        assert await journal.verify(name) == await journal.verify(own) == 0
        origins = {heading.id: heading.origin for heading in await journal.headings()}
        assert origins == {own: "", name: "export.json", f"{own}-3": "other.json"}

    async def test_an_imported_incident_takes_no_number_of_its_day_twice(
        self, journal: Journal
    ) -> None:
        await journal.adopt(elsewhere(incident="INC-2026-11-21-004"), "export.json")
        assert await open_one(journal) == "INC-2026-11-21-005"

    async def test_notes_go_into_no_imported_incident_by_themselves(self, journal: Journal) -> None:
        own = await open_one(journal)
        await journal.adopt(elsewhere(), "export.json")
        assert await journal.current() == own
        await journal.append(own, draft(Kind.STATUS, "", status="closed"))
        assert await journal.current() is None

    async def test_what_was_changed_outside_is_not_imported(self, journal: Journal) -> None:
        events = elsewhere("one", "two", "three")
        changed = [*events[:2], events[2]._replace(text="nothing happened"), events[3]]
        with pytest.raises(NotSaved, match="entry 3 of INC-2026-03-01-007 is not as it was"):
            await journal.adopt(changed, "x")
        with pytest.raises(NotSaved, match=r"entry 2 of .* is not as it was"):
            await journal.adopt([events[0], *events[2:]], "x")
        for nothing in ([], events[1:]):
            with pytest.raises(NotSaved, match="begins with an event of kind 'opened'"):
                await journal.adopt(nothing, "x")
        with pytest.raises(NotSaved, match="none that an incident can have"):
            await journal.adopt(elsewhere(incident="../../etc/passwd"), "x")
        assert list(await journal.headings()) == []

    # Beside the record

    async def test_consoles_see_each_other(self, journal: Journal) -> None:
        incident = await open_one(journal)
        bob = Author("[/x]\x1b[31m", 1001)
        (alone,) = await journal.beat(incident, "console-1", ONCALL)
        assert (alone.console, alone.author) == ("console-1", ONCALL)
        both = await journal.beat(incident, "console-2", bob)
        assert [(p.console, p.author) for p in both] == [("console-1", ONCALL), ("console-2", bob)]
        assert len(await journal.beat(incident, "console-1", ONCALL)) == 2
        other = await open_one(journal)
        assert len(await journal.beat(other, "console-3", ONCALL)) == 1
        assert [e.seq for e in await journal.events(incident)] == [1]
        with pytest.raises(NoIncident):
            await journal.beat("INC-1", "console-1", ONCALL)

    async def test_figures_are_kept_and_the_first_of_a_second_stays(self, journal: Journal) -> None:
        incident = await open_one(journal)
        late = BEGIN + timedelta(seconds=5, microseconds=7)
        web = Reading("web", late, {"p95": 12.5, "lost": float("inf")})
        rest = [Reading("db", BEGIN, {"tps": 3.0}), Reading("api", late, {})]
        await journal.keep(incident, [web, *rest])
        await journal.keep(incident, [Reading("web", BEGIN + timedelta(seconds=5), {"p95": 99.0})])
        assert list(await journal.readings(incident)) == [rest[0], rest[1], web]
        assert list(await journal.readings(await open_one(journal))) == []
        for nowhere in (journal.keep("INC-1", [web]), journal.readings("INC-1")):
            with pytest.raises(NoIncident):
                await nowhere
