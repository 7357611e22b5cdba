"""The figures around an incident: from before it began, on one grid, and never in anybody's way."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.events import ALICE
from warroom.domain.clock import ManualClock
from warroom.domain.events import Kind
from warroom.domain.incident import Status
from warroom.domain.sample import Detail, Health, Sample
from warroom.domain.severity import SCHEMES
from warroom.engine.course import Course, grid
from warroom.engine.monitor import Monitor
from warroom.engine.session import Session
from warroom.journal.memory import MemoryJournal
from warroom.probes.base import ProbeFault

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Gauge:
    """A source whose one figure is how often it was looked at."""

    name, kind, changed = "api", "http", None

    def __init__(self, clock: ManualClock) -> None:
        self._clock, self.looks, self.broken = clock, 0, False

    async def sample(self) -> Sample:
        if self.broken:
            raise ProbeFault("gone")
        self.looks += 1
        metrics = {"looks": float(self.looks)}
        return Sample(self.name, self._clock.now(), Health.OK, "well", metrics=metrics)

    async def detail(self, key: str) -> Detail:
        raise ProbeFault(key)

    async def close(self) -> None:
        return None


class House:
    """A monitor, a session and what keeps figures, on a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.journal = MemoryJournal(self.clock)
        self.session = Session(self.journal, self.clock, ALICE, SCHEMES["P0-P3"])
        self.gauge = Gauge(self.clock)
        self.monitor = Monitor(self.clock)
        self.monitor.add(self.gauge, every=5.0, timeout=1.0)
        self.course = Course(self.session, self.monitor)

    async def looks(self, times: int, every: float = 5.0) -> None:
        for _ in range(times):
            await self.monitor.step()
            self.clock.advance(every)

    async def kept(self) -> list[tuple[float, float]]:
        """Seconds after noon, and the figure."""
        assert self.session.incident is not None
        readings = await self.journal.readings(self.session.incident.id)
        return [((r.at - NOON).total_seconds(), r.metrics["looks"]) for r in readings]


@pytest.fixture
def house() -> House:
    return House()


async def test_figures_begin_a_quarter_of_an_hour_before_the_incident(house: House) -> None:
    await house.looks(12 * 20)  # twenty minutes
    await house.session.begin("it burns", "P1")
    await house.course.keep()
    kept = await house.kept()
    assert kept[0][0] == 5 * 60
    assert kept[-1][0] == 20 * 60
    assert [b[0] - a[0] for a, b in itertools.pairwise(kept)] == [15.0] * (len(kept) - 1)


async def test_while_it_runs_one_figure_is_kept_every_quarter_of_a_minute(house: House) -> None:
    await house.session.begin("it burns", "P1")
    for _ in range(4):
        await house.looks(3)
        await house.course.keep()
        await house.course.keep()
    assert [at for at, _ in await house.kept()] == [0, 15, 30, 45, 60]


async def test_what_is_no_longer_seen_is_not_repeated(house: House) -> None:
    await house.session.begin("it burns", "P1")
    await house.looks(3)
    house.gauge.broken = True
    for _ in range(4):
        await house.looks(3)
        await house.course.keep()
    assert [at for at, _ in await house.kept()] == [0]


async def test_a_second_console_keeps_the_same_seconds_and_changes_nothing(house: House) -> None:
    await house.session.begin("it burns", "P1")
    await house.looks(3)
    await house.course.keep()
    other = House()
    other.journal = house.journal
    other.session = Session(house.journal, house.clock, ALICE, SCHEMES["P0-P3"])
    other.course = Course(other.session, other.monitor)
    await other.session.resume()
    before = await house.kept()
    other.clock.advance(15)
    await other.looks(1)
    await other.course.keep()
    assert await house.kept() == before


async def test_without_an_open_incident_or_a_journal_nothing_is_kept_and_nobody_hears(
    house: House,
) -> None:
    await house.looks(3)
    await house.course.keep()
    await house.session.begin("it burns", "P1")
    await house.session.set_status(Status.CLOSED)
    await house.course.keep()
    assert await house.kept() == []
    await house.session.record(Kind.STATUS, "again", {"status": "investigating"})
    await house.journal.close()
    await house.course.keep()


def test_the_grid_is_the_same_wherever_a_console_began() -> None:
    ats = {grid(NOON + timedelta(seconds=n, microseconds=n)) for n in range(60)}
    assert ats == {NOON + timedelta(seconds=n) for n in (0, 15, 30, 45)}
