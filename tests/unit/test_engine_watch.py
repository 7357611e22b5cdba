"""The watch after a resolution, and items that tick themselves: once, never against a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.duties import DEGRADED, DOWN, NOON, OK, Rooms, duty, looks, of, saw, status
from tests.support.hostile import CORPUS
from warroom.config.settings import IncidentSettings, Settings
from warroom.config.values import Seconds
from warroom.domain.checklist import Item, Phase
from warroom.domain.clock import ManualClock
from warroom.domain.events import Kind
from warroom.domain.incident import Role, Status
from warroom.domain.sample import Health
from warroom.engine.room import Room


@pytest.fixture
async def opened() -> AsyncIterator[Rooms]:
    """Makes rooms on one journal; nothing happens by itself: `duty` and `looks` do it."""
    rooms = Rooms()
    yield rooms
    await rooms.close()


@pytest.fixture
def clock(opened: Rooms) -> ManualClock:
    return opened.clock


# The watch -----------------------------------------------------------------------------------


async def resolved(room: Room, clock: ManualClock) -> None:
    await room.session.begin("it burns", "P1")
    clock.advance(60)
    await room.session.set_status(Status.RESOLVED)


async def test_what_comes_back_during_the_watch_reopens_once_on_every_console(
    opened: Rooms, clock: ManualClock
) -> None:
    one = opened([DOWN, DOWN, OK, OK, OK, DOWN, DOWN])
    two = opened()
    for room in (one, two):
        await room.open(watch=False)
    await one.session.begin("it burns", "P1")
    await looks(one, 5)
    await one.session.set_status(Status.RESOLVED)
    await duty(one, two)
    assert one.duty.watch_left() == pytest.approx(1800)
    await looks(one, 1)
    await duty(one, two)
    assert status(one) is Status.RESOLVED, "one bad look is no regression"
    await looks(one, 1)
    await duty(one, two)
    await duty(one, two)
    assert (status(one), status(two)) == (Status.INVESTIGATING, Status.INVESTIGATING)
    reopening = of(two, Kind.STATUS)[-1]
    assert reopening.text == "reopened: api is down again: 502"
    assert reopening.author.login == "warroom"
    assert len(of(two, Kind.STATUS)) == 2
    assert one.duty.watch_left() is None
    for room in (one, two):
        assert room.duty.heard() == [reopening.text]
    assert two.session.incident is not None
    assert two.session.incident.resolved_at is None


@pytest.mark.parametrize(
    ("before", "after"),
    [([OK], [DEGRADED] * 3), ([DOWN, DOWN], [DOWN] * 3), ([DOWN, DOWN], [OK] * 4 + [DOWN] * 2)],
    ids=["degraded is not down", "it was down then, too", "it was down then, and came and went"],
)
async def test_what_is_no_regression_reopens_nothing(
    opened: Rooms, clock: ManualClock, before: list[Health], after: list[Health]
) -> None:
    room = opened([*before, *after])
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    await looks(room, len(before))
    await room.session.set_status(Status.RESOLVED)
    await looks(room, len(after))
    await duty(room)
    assert status(room) is Status.RESOLVED


async def test_what_was_seen_just_before_the_resolution_reopens_after_it(
    opened: Rooms, clock: ManualClock
) -> None:
    early = NOON + timedelta(seconds=59)
    room = opened.showing([saw(OK), saw(DOWN, early), saw(DOWN, early)])
    await room.open(watch=False)
    await looks(room, 1)
    await resolved(room, clock)
    await looks(room, 2)
    await duty(room)
    first, second = of(room, Kind.STATUS)
    assert second.text == "reopened: api is down: 502"
    assert second.at == first.at, "not before what it takes back"


@pytest.mark.parametrize("watch", [1800.0, 0.0])
async def test_after_the_watch_or_without_one_nothing_reopens(
    opened: Rooms, clock: ManualClock, watch: float
) -> None:
    settings = Settings(incident=IncidentSettings(watch=Seconds(watch)))
    late = NOON + timedelta(seconds=60 + 1801)
    room = opened.showing([saw(OK), saw(DOWN, late), saw(DOWN, late)], settings)
    await room.open(watch=False)
    await looks(room, 1)
    await resolved(room, clock)
    clock.advance(1801)
    await looks(room, 2)
    await duty(room)
    assert [event.data["after"] for event in of(room, Kind.HEALTH)] == ["down"]
    assert status(room) is Status.RESOLVED


async def test_somebody_who_takes_the_reopening_back_is_not_fought(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened([OK, DOWN, DOWN])
    await room.open(watch=False)
    await looks(room, 1)
    await resolved(room, clock)
    await looks(room, 2)
    await duty(room)
    assert status(room) is Status.INVESTIGATING
    await room.session.retract(of(room, Kind.STATUS)[-1].seq, "a planned restart")
    for _ in range(3):
        await duty(room)
    assert status(room) is Status.RESOLVED
    assert len(of(room, Kind.STATUS)) == 2


@pytest.mark.parametrize("name", CORPUS)
async def test_a_reason_from_outside_is_harmless_in_the_reopening(
    opened: Rooms, clock: ManualClock, name: str
) -> None:
    room = opened([OK])
    await room.open(watch=False)
    await looks(room, 1)
    await resolved(room, clock)
    data = {"source": f"a{CORPUS[name]}", "row": "", "before": "ok", "after": "down"}
    await room.session.record(Kind.HEALTH, f"a{CORPUS[name]} down: {CORPUS[name]} (was ok)", data)
    await duty(room)
    text = of(room, Kind.STATUS)[-1].text
    assert text.startswith("reopened: a")
    assert text.replace("\n", "").isprintable()


# Ticks ---------------------------------------------------------------------------------------

OWN = (
    Item("lead", Phase.COMMUNICATE, "Name a commander", "commander named"),
    Item("well", Phase.VERIFY, "api is back", "api ok"),
    Item("kept", Phase.MITIGATE, "Keep logs", "evidence pinned"),
)


async def test_an_item_that_can_be_seen_ticks_itself_once_and_says_why(
    opened: Rooms, clock: ManualClock
) -> None:
    one, two = opened(), opened()
    for room in (one, two):
        room._checklist = OWN
        await room.open(watch=False)
    await one.session.begin("it burns", "P1")
    await one.session.assign(Role.COMMANDER, "anna")
    for _ in range(3):
        await duty(one, two)
    (tick,) = of(two, Kind.CHECKLIST)
    assert (tick.text, tick.author.login) == ("done: Name a commander (anna is)", "warroom")
    await two.session.tick("lead", "Name a commander", done=False)
    for _ in range(3):
        await duty(one, two)
    assert one.session.incident is not None
    assert one.session.incident.ticked == frozenset(), "what a person unticks stays unticked"


async def test_what_is_to_be_verified_ticks_itself_only_after_the_mitigation(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened([OK])
    room._checklist = OWN
    await room.open(watch=False)
    await looks(room, 1)
    await room.session.begin("it burns", "P1")
    await duty(room)
    clock.advance(60)
    await duty(room)
    assert of(room, Kind.CHECKLIST) == []
    await room.session.set_status(Status.MONITORING)
    await duty(room)
    assert [event.text for event in of(room, Kind.CHECKLIST)] == ["done: api is back (api is ok)"]


async def test_evidence_ticks_that_it_was_kept(opened: Rooms) -> None:
    room = opened()
    room._checklist = OWN
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    kept = {"evidence": [{"kind": "rows", "title": "api: a log line", "text": "504"}]}
    await room.session.record(Kind.EVIDENCE, "api: a log line", kept)
    await duty(room)
    assert [e.data["item"] for e in of(room, Kind.CHECKLIST)] == ["kept"]
