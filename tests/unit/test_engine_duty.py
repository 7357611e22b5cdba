"""What warroom does by itself, on one console or on several at once: written once, by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.duties import DOWN, NOON, Rooms, duty, looks, of, saw
from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock, SteadyClock
from warroom.domain.events import Event, Kind
from warroom.domain.incident import Status
from warroom.domain.timers import Timer, timers
from warroom.engine import promises
from warroom.engine.room import Room
from warroom.journal.base import NotSaved


class Machine:
    """A wall clock that can be set, and a count that cannot."""

    def __init__(self) -> None:
        self.wall, self.count = NOON, 0.0

    def runs(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.count += seconds

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.count)


@pytest.fixture
async def opened() -> AsyncIterator[Rooms]:
    """Makes rooms on one journal; nothing happens by itself: `duty` and `looks` do it."""
    rooms = Rooms()
    yield rooms
    await rooms.close()


@pytest.fixture
def clock(opened: Rooms) -> ManualClock:
    return opened.clock


# Deadlines -----------------------------------------------------------------------------------


async def test_what_is_overdue_is_written_once_by_two_consoles_and_after_a_restart(
    opened: Rooms, clock: ManualClock
) -> None:
    one, two = opened(), opened()
    for room in (one, two):
        await room.open(watch=False)
    await one.session.begin("it burns", "P1")
    clock.advance(15 * 60 + 7)
    for _ in range(3):
        await duty(one, two)
    again = opened()
    await again.open(watch=False)
    await duty(again, one)
    (event,) = of(one, Kind.OVERDUE)
    assert event.text == "overdue: response (engineering and management)"
    assert event.data == {"timer": "response", "due": (NOON + timedelta(minutes=15)).isoformat()}
    assert (event.at, event.author.login) == (NOON + timedelta(minutes=15), "warroom")


async def test_each_console_rings_once_for_what_is_overdue(
    opened: Rooms, clock: ManualClock
) -> None:
    one, two = opened(), opened()
    for room in (one, two):
        await room.open(watch=False)
    await one.session.begin("it burns", "P1")
    await duty(one, two)
    assert one.duty.heard() == []
    clock.advance(16 * 60)
    await duty(one, two)
    await duty(one, two)
    for room in (one, two):
        assert room.duty.heard() == ["overdue: response (engineering and management)"]
        assert room.duty.heard() == []


async def test_what_was_snoozed_rings_again_when_the_snooze_is_over_and_is_written_once(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened()
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    clock.advance(16 * 60)
    await duty(room)
    assert len(room.duty.heard()) == 1
    timer = next(t for t in timers_of(room) if t.id == "response")
    await promises.snooze(room.session, timer, 5, clock.now())
    clock.advance(4 * 60)
    await duty(room)
    assert room.duty.heard() == []
    clock.advance(2 * 60)
    await duty(room)
    assert len(room.duty.heard()) == 1
    assert len(of(room, Kind.OVERDUE)) == 1


async def test_a_snooze_is_taken_back_and_a_promise_kept_by_hand(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened()
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    clock.advance(31 * 60)
    update = next(t for t in timers_of(room) if t.id == "update")
    await promises.snooze(room.session, update, 10, clock.now())
    assert not next(t for t in timers_of(room) if t.id == "update").overdue
    assert await promises.wake(room.session, update)
    assert next(t for t in timers_of(room) if t.id == "update").overdue
    assert await promises.wake(room.session, update) is None
    for timer in timers_of(room):
        await promises.keep(room.session, timer, "by telephone")
    left = {timer.id for timer in timers_of(room) if timer.overdue}
    assert left == set()
    assert "told status page by hand: by telephone" in [e.text for e in of(room, Kind.UPDATE)]
    with pytest.raises(promises.CannotBeKept, match="e exports it"):
        await room.session.set_status(Status.RESOLVED)
        due = next(t for t in timers_of(room) if t.id == "post-mortem")
        await promises.keep(room.session, due)


def timers_of(room: Room) -> tuple[Timer, ...]:
    assert room.session.incident is not None
    return timers(room.session.incident, room.scheme, room.clock.now())


async def test_what_cannot_be_written_now_is_written_in_a_later_round(
    opened: Rooms, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = opened()
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    clock.advance(16 * 60)

    async def full(*_: object) -> tuple[Event, ...]:
        raise NotSaved("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(opened.journal, "append", full)
        await duty(room)
    assert of(room, Kind.OVERDUE) == []
    assert room.session.unsaved == []
    await duty(room)
    assert len(of(room, Kind.OVERDUE)) == 1


# The machine's clock -------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "way"), [(3600.0, "ahead"), (-3600.0, "back")])
async def test_a_clock_that_is_set_fires_no_deadline_hides_none_and_is_said_once(
    opened: Rooms, step: float, way: str
) -> None:
    machine = Machine()
    room = opened(clock=machine.clock())
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    machine.runs(600)
    machine.wall += timedelta(seconds=step)
    await duty(room)
    await duty(room)
    assert of(room, Kind.OVERDUE) == [], "ten minutes are no quarter of an hour"
    said = f"this machine's clock was set {way} by 1h00m; deadlines did not move"
    assert room.duty.heard() == [said]
    assert room.duty.notice() == f"CLOCK SET {way.upper()} 1h00m"
    (note,) = of(room, Kind.NOTE)
    assert note.text.startswith(said)
    machine.runs(301)
    await duty(room)
    assert [event.data["timer"] for event in of(room, Kind.OVERDUE)] == ["response"]
    assert room.duty.notice() == "", "said long enough"


async def test_a_console_whose_clock_is_behind_the_record_says_so(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened()
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    late = opened(clock=ManualClock(NOON - timedelta(hours=2)))
    await late.open(watch=False)
    await duty(late)
    assert late.duty.heard() == ["this machine's clock is 2h00m behind the last entry"]
    await duty(late)
    assert late.duty.heard() == []


# The suggestion ------------------------------------------------------------------------------


async def test_a_severity_is_suggested_with_its_reason_and_never_set(
    opened: Rooms, clock: ManualClock
) -> None:
    room = opened([DOWN])
    await room.open(watch=False)
    await looks(room, 1)
    await duty(room)
    clock.advance(5)
    await duty(room)
    suggestion = room.duty.suggestion
    assert suggestion is not None
    assert (suggestion.level, suggestion.reason, room.duty.down) == ("P0", "api down", 1)
    assert room.duty.worse == suggestion
    await room.session.begin("it burns", "P2")
    await duty(room)
    assert room.duty.worse == suggestion
    assert room.session.incident is not None
    assert room.session.incident.severity == "P2"
    await room.session.set_severity("P0")
    assert room.duty.worse is None


async def test_a_defect_of_its_own_is_said_once_and_ends_nothing(
    opened: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = opened()
    monkeypatch.setattr("warroom.engine.duty.EVERY_S", 0.01)
    monkeypatch.setattr(room.monitor, "kind", lambda source: 1 / 0)
    await looks_without_judging(room)
    room.duty.start()
    heard: list[str] = []

    def hears() -> bool:
        heard.extend(room.duty.heard())
        return bool(heard)

    assert await comes_true(hears)
    assert heard == ["deadlines are not watched: ZeroDivisionError: division by zero"]
    monkeypatch.undo()
    assert await comes_true(lambda: room.duty.down == 1)
    assert room.duty.heard() == []


async def looks_without_judging(room: Room) -> None:
    """A sample is there, whatever the room makes of it."""
    room.monitor.latest["api"] = saw(DOWN)
