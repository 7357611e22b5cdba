"""The room: what systems do ends up in the timeline, whoever looks and whenever it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.events import ALICE
from tests.support.staged import NoOptions, Stage, member
from tests.support.waiting import comes_true
from warroom.config.settings import IncidentSettings, LogEntry, Settings
from warroom.domain.clock import ManualClock
from warroom.domain.events import Kind
from warroom.domain.incident import Status
from warroom.domain.sample import Column, Health, Level, Row, Sample
from warroom.engine.checks import Check
from warroom.engine.members import ProbeMember
from warroom.engine.room import Room, _with_sockets
from warroom.engine.session import Session
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.probes.base import ProbeFault

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FULL = Check("pool", "pool", "{value:.0f} of 100 taken", metric="used", warn=80, critical=95)
HOT = Check("cpu", "pool", "{row} is at {value:.0f} %", column="cpu", warn=90, looks=1)


def saw(health: Health, minute: float = 0, used: float = 10, *rows: Row) -> Sample:
    at = NOON + timedelta(minutes=minute)
    columns = (Column("name", "name"), Column("cpu", "cpu", "percent"))
    return Sample("db", at, health, f"{used:.0f} used", {"used": used}, columns, rows)


Opened = Callable[..., Room]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def journal(clock: ManualClock) -> MemoryJournal:
    return MemoryJournal(clock)


@pytest.fixture
async def opened(journal: MemoryJournal, clock: ManualClock) -> AsyncIterator[Opened]:
    """Opens rooms on one journal; nothing looks by itself: `step` does."""
    rooms: list[Room] = []

    def make(
        stage: Stage, checks: Sequence[Check] = (FULL,), settings: Settings | None = None
    ) -> Room:
        settings = settings or Settings()
        probes = (member("db", "pool", stage),)
        rooms.append(Room(settings, probes, (), checks, journal, ALICE, clock=clock))
        return rooms[-1]

    yield make
    for room in rooms:
        await room.close()


async def looks(room: Room, times: int) -> None:
    for _ in range(times):
        await room.monitor.step()
    await room.drain()


def written(room: Room) -> list[str]:
    return [event.text for event in room.session.events if event.kind is not Kind.OPENED]


async def test_a_transition_and_a_finding_are_written_with_when_they_were_seen(
    opened: Opened, clock: ManualClock
) -> None:
    stage = Stage([saw(Health.OK), *[saw(Health.DOWN, m, 97) for m in (1, 2, 3)]])
    room = opened(stage)
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    clock.advance(600)
    await looks(room, 4)
    assert written(room) == ["db down: 97 used (was ok)", "db: 97 of 100 taken"]
    assert [event.at.minute for event in room.session.events[1:]] == [2, 2]
    assert room.health("db") is Health.DOWN
    assert [f.level for f in room.findings()] == [Level.CRITICAL]


async def test_the_end_of_trouble_is_written_too(opened: Opened) -> None:
    ill, well = [saw(Health.OK, 0, 85)] * 2, [saw(Health.OK, 1, 10)] * 2
    room = opened(Stage([*ill, *well]))
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    await looks(room, 4)
    assert written(room) == ["db: 85 of 100 taken", "db: no longer so: 85 of 100 taken"]
    assert room.findings() == ()


async def test_an_incident_opened_while_systems_are_ill_begins_with_what_is_ill(
    opened: Opened, clock: ManualClock
) -> None:
    room = opened(Stage([saw(Health.OK), *[saw(Health.DOWN, 1, 97)] * 2, saw(Health.DOWN, 1, 97)]))
    await room.open(watch=False)
    await looks(room, 4)
    clock.advance(300)
    await room.session.begin("somebody called", "P1")
    await room.drain()
    assert written(room) == ["db down: 97 used (was ok)", "db: 97 of 100 taken"]
    assert room.timeline().durations.detect == 240.0


async def test_what_was_over_before_the_incident_is_not_in_it(opened: Opened) -> None:
    room = opened(Stage([saw(Health.OK, 0, 97)] * 2 + [saw(Health.OK, 1, 10)] * 2))
    await room.open(watch=False)
    await looks(room, 4)
    await room.session.begin("it burns", "P1")
    await room.drain()
    assert written(room) == []


async def test_a_closed_incident_is_left_alone_and_the_next_one_is_told(opened: Opened) -> None:
    room = opened(Stage([saw(Health.OK), *[saw(Health.DOWN, 1)] * 2]))
    await room.open(watch=False)
    await room.session.begin("the first", "P1")
    await room.session.set_status(Status.CLOSED)
    await looks(room, 3)
    assert written(room) == ["status investigating → closed"]
    await room.session.begin("the second", "P1")
    await room.drain()
    assert written(room) == ["db down: 10 used (was ok)"]


async def test_of_two_consoles_one_writes_and_a_reopened_one_does_not_repeat(
    opened: Opened,
) -> None:
    scenes = [saw(Health.DOWN, 1)]
    first = opened(Stage(scenes[:]))
    await first.open(watch=False)
    await first.session.begin("it burns", "P1")
    await looks(first, 2)
    second = opened(Stage(scenes[:]))
    await second.open(watch=False)
    await looks(second, 2)
    assert written(second) == written(first) == ["db down: 10 used"]


async def test_two_consoles_that_see_it_at_the_same_moment_write_it_once(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reads_nothing(_: object) -> None:
        """What the other wrote is not here yet."""

    scenes = [saw(Health.DOWN, 1), *[saw(Health.OK)] * 3, *[saw(Health.DOWN, 1)] * 2]
    rooms = [opened(Stage(scenes[:])) for _ in range(2)]
    for room in rooms:
        await room.open(watch=False)
    await rooms[0].session.begin("it burns", "P1")
    await rooms[1].session.resume()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "refresh", reads_nothing)
        for _ in range(len(scenes)):
            for room in rooms:
                await looks(room, 1)
    for room in rooms:
        await room.session.refresh()
    down, ok = "db down: 10 used", "db ok: 10 used (was down)"
    assert written(rooms[0]) == written(rooms[1]) == [down, ok, f"{down} (was ok)"]


async def test_a_change_the_journal_does_not_take_waits_and_is_written(
    opened: Opened, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = opened(Stage([saw(Health.DOWN)]))
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")

    async def full(*_: object) -> None:
        raise NotSaved("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", full)
        await looks(room, 1)
        assert [draft.text for draft in room.session.unsaved] == ["db down: 10 used"]
    await room.session.save_again()
    assert written(room) == ["db down: 10 used"]


async def test_a_failed_look_is_unknown_and_neither_begins_nor_ends_a_finding(
    opened: Opened,
) -> None:
    room = opened(Stage([saw(Health.OK, 0, 97)] * 2 + [ProbeFault("refused", down=True)]))
    await room.open(watch=False)
    await room.session.begin("it burns", "P1")
    await looks(room, 4)
    assert written(room) == ["db: 97 of 100 taken", "db down: refused (was ok)"]
    assert room.findings("db")


async def test_a_finding_about_a_row_names_it_and_the_worst_comes_first(opened: Opened) -> None:
    rows = (Row("1", "api", ("api", 99.0)), Row("2", "web", ("web", 20.0)))
    room = opened(Stage([saw(Health.OK, 0, 97, *rows)]), (HOT, replace(FULL, looks=1)))
    await room.open(watch=False)
    await looks(room, 1)
    assert [f.message for f in room.findings()] == ["97 of 100 taken", "api is at 99 %"]


async def test_an_open_room_looks_by_itself_tells_listeners_and_closes_everything(
    opened: Opened,
) -> None:
    stage = Stage([saw(Health.OK)])
    room, heard = opened(stage), []
    room.subscribe(heard.append)
    await room.open()
    assert await comes_true(lambda: bool(heard))
    await room.close()
    assert stage.closed


async def test_a_team_has_its_own_checklist_and_others_the_common_one(opened: Opened) -> None:
    assert len(opened(Stage([saw(Health.OK)])).checklist) == 17
    own = Settings(incident=IncidentSettings(checklist=("page the DBA", "after: write it up")))  # type: ignore[arg-type]
    room = opened(Stage([saw(Health.OK)]), (), own)
    assert [item.text for item in room.checklist] == ["page the DBA", "write it up"]


def test_a_containers_log_comes_from_the_engine_that_is_looked_at_on_its_host() -> None:
    def engine(on: str, socket: str) -> ProbeMember:
        made = member(f"docker {on}", "docker", Stage([]), options=NoOptions(socket))
        return replace(made, entry=replace(made.entry, on=on))

    def log(**more: str) -> LogEntry:
        return LogEntry(**{"name": "l", **more})  # type: ignore[arg-type]

    probes = (engine("", "/run/here.sock"), engine("web1", "/run/there.sock"))
    found = _with_sockets(
        (
            log(container="api"),
            log(container="api", on="web1"),
            log(container="api", on="web2"),
            log(container="api", socket="/run/own.sock"),
            log(path="/var/log/api.log"),
        ),
        probes,
    )
    assert [one.socket for one in found] == [
        "/run/here.sock",
        "/run/there.sock",
        "",
        "/run/own.sock",
        "",
    ]
