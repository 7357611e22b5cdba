"""What every store promises, asked of whichever a test module's `journal` fixture gives.

The fixture's clock is `clock`, which begins at BEGIN.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.chains import BEGIN, ONCALL, draft, opening
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Kind, broken
from warroom.domain.incident import Status, incident_of
from warroom.journal.base import Journal, JournalError, NoIncident, NotSaved


async def open_one(journal: Journal, title: str = "Checkout 5xx") -> str:
    return (await journal.open_incident(opening(title))).incident


def note(text: str, **data: Any) -> Draft:
    return draft(Kind.NOTE, text, **data)


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
