"""What warroom does by itself, on one console or on several at once: written once, by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.events import ALICE
from tests.support.hostile import CORPUS
from tests.support.staged import Stage, member
from warroom.config.settings import IncidentSettings, Settings
from warroom.config.values import Seconds
from warroom.domain.checklist import Item, Phase
from warroom.domain.clock import Clock, ManualClock, SteadyClock
from warroom.domain.events import Event, Kind
from warroom.domain.incident import Role, Status
from warroom.domain.sample import Health, Sample
from warroom.domain.timers import Timer, timers
from warroom.engine import promises
from warroom.engine.room import Room
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OK, DOWN, DEGRADED = Health.OK, Health.DOWN, Health.DEGRADED


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
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def journal(clock: ManualClock) -> MemoryJournal:
    return MemoryJournal(clock)


Opened = Callable[..., Room]


@pytest.fixture
async def opened(journal: MemoryJournal, clock: ManualClock) -> AsyncIterator[Opened]:
    """Opens rooms on one journal; nothing happens by itself: `duty.step` and `looks` do it."""
    rooms: list[Room] = []

    def make(
        healths: Sequence[Health] = (), *, settings: Settings | None = None,
        clock: Clock = clock, source: str = "api",
    ) -> Room:  # fmt: skip
        samples = [saw(source, health) for health in healths or (OK,)]
        probes = (member(source, "http", Stage(list(samples))),)
        room = Room(settings or Settings(), probes, (), (), journal, ALICE, clock=clock)
        rooms.append(room)
        return room

    yield make
    for room in rooms:
        await room.close()


def saw(source: str, health: Health, why: str = "") -> Sample:
    return Sample(source, NOON, health, why or ("200" if health is OK else "502"))


async def looks(room: Room, times: int) -> None:
    for _ in range(times):
        await room.monitor.step()
    await room.drain()


async def duty(*rooms: Room) -> None:
    """One round on each console; then each reads what the others wrote."""
    for room in rooms:
        await room.session.refresh()
        await room.duty.step()
    for room in rooms:
        await room.session.refresh()


def of(room: Room, kind: Kind) -> list[Event]:
    return [event for event in room.session.events if event.kind is kind]


# Deadlines -----------------------------------------------------------------------------------


async def test_what_is_overdue_is_written_once_by_two_consoles_and_after_a_restart(
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = opened()
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    clock.advance(16 * 60)

    async def full(*_: object) -> tuple[Event, ...]:
        raise NotSaved("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", full)
        await duty(room)
    assert of(room, Kind.OVERDUE) == []
    assert room.session.unsaved == []
    await duty(room)
    assert len(of(room, Kind.OVERDUE)) == 1


# The machine's clock -------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "way"), [(3600.0, "ahead"), (-3600.0, "back")])
async def test_a_clock_that_is_set_fires_no_deadline_hides_none_and_is_said_once(
    opened: Opened, step: float, way: str
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
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock
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


# The watch -----------------------------------------------------------------------------------


async def resolved(room: Room, clock: ManualClock) -> None:
    await room.session.begin("it burns", "P1")
    clock.advance(60)
    await room.session.set_status(Status.RESOLVED)


def status(room: Room) -> Status:
    assert room.session.incident is not None
    return room.session.incident.status


async def test_what_comes_back_during_the_watch_reopens_once_on_every_console(
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock, before: list[Health], after: list[Health]
) -> None:
    room = opened([*before, *after])
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    await looks(room, len(before))
    await room.session.set_status(Status.RESOLVED)
    await looks(room, len(after))
    await duty(room)
    assert status(room) is Status.RESOLVED


@pytest.mark.parametrize("watch", [1800.0, 0.0])
async def test_after_the_watch_or_without_one_nothing_reopens(
    opened: Opened, clock: ManualClock, watch: float
) -> None:
    settings = Settings(incident=IncidentSettings(watch=Seconds(watch)))
    room = opened([OK, DOWN, DOWN], settings=settings)
    await room.open(watch=False)
    await looks(room, 1)
    await resolved(room, clock)
    clock.advance(1801)
    change = saw("api", DOWN)
    late = Sample(change.source, clock.now(), change.health, change.summary)
    room.monitor._watches["api"].probe._stage.scenes[1:] = [late, late]  # type: ignore[attr-defined]
    await looks(room, 2)
    await duty(room)
    assert [event.data["after"] for event in of(room, Kind.HEALTH)] == ["down"]
    assert status(room) is Status.RESOLVED


async def test_somebody_who_takes_the_reopening_back_is_not_fought(
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock, name: str
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
    opened: Opened, clock: ManualClock
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
    opened: Opened, clock: ManualClock
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


async def test_evidence_ticks_that_it_was_kept(opened: Opened) -> None:
    room = opened()
    room._checklist = OWN
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    await room.session.record(Kind.EVIDENCE, "api: a log line", {"source": "api"})
    await duty(room)
    assert [e.data["item"] for e in of(room, Kind.CHECKLIST)] == ["kept"]
