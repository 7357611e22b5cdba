"""The monitor: patient with the sick, deaf to none, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock
from warroom.domain.sample import Column, Detail, Health, Row, Sample
from warroom.engine.monitor import BACK_OFF_LIMIT_S, HISTORY, Monitor, Watch
from warroom.hosts.base import HostUnreachable
from warroom.probes.base import ProbeFault

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROWS = (Row("1", "api", ("api",), Health.OK), Row("2", "web", ("web",), Health.DOWN))
WELL = Sample("it", NOON, Health.OK, "fine", {"load": 1.0}, (Column("n", "name"),), ROWS)


async def well() -> Sample:
    return WELL


def failing(error: Exception) -> Callable[[], Awaitable[Sample]]:
    async def look() -> Sample:
        raise error

    return look


async def hanging() -> Sample:
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class Scripted:
    """A probe that does as it is told; counts its looks and how many were under way at once."""

    look: Callable[[], Awaitable[Sample]] = well
    name: str = "it"
    kind: str = "test"
    changed: asyncio.Event | None = None
    looks: int = 0
    now: int = 0
    most: int = 0
    closed: int = 0
    asked: list[str] = field(default_factory=list)
    detail_error: Exception | None = None

    async def sample(self) -> Sample:
        self.looks += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self.look()
        finally:
            self.now -= 1

    async def detail(self, key: str) -> Detail:
        self.asked.append(key)
        if self.detail_error:
            raise self.detail_error
        return Detail(key, ())

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    monitor = Monitor(ManualClock(NOON))
    yield monitor
    await monitor.stop()


@pytest.mark.parametrize(
    ("error", "health", "reason"),
    [
        (ProbeFault("connection refused", down=True), Health.DOWN, "connection refused"),
        (ProbeFault("who knows"), Health.UNKNOWN, "who knows"),
        (HostUnreachable("web1: no route"), Health.UNKNOWN, "web1: no route"),
        (KeyError("version"), Health.UNKNOWN, "KeyError: 'version'"),
        (ValueError("\x1b]0;owned\x07" + "x" * 10_000), Health.UNKNOWN, "ValueError: ␛]0;owned␇"),
    ],
)
async def test_whatever_a_look_raises_becomes_a_sample_with_the_reason(
    monitor: Monitor, error: Exception, health: Health, reason: str
) -> None:
    monitor.add(Scripted(failing(error)), every=5, timeout=5)
    await monitor.step("it")
    sample = monitor.latest["it"]
    assert (sample.health, sample.at) == (health, NOON)
    assert sample.error.startswith(reason)
    assert len(sample.error) <= 300
    assert sample.summary == sample.error


async def test_a_look_that_takes_too_long_is_ended_and_named(monitor: Monitor) -> None:
    probe = Scripted(hanging)
    monitor.add(probe, every=5, timeout=0.02)
    await monitor.step("it")
    assert monitor.latest["it"].error == "no answer within 0.02 s"
    assert monitor.latest["it"].health is Health.DOWN
    assert probe.now == 0, "the look goes on behind our back"


async def test_one_that_hangs_holds_up_no_other(monitor: Monitor) -> None:
    stuck = Scripted(hanging, name="stuck")
    monitor.add(stuck, every=0.01, timeout=3600)
    other = Scripted(name="other")
    monitor.add(other, every=0.01, timeout=5)
    monitor.start()
    assert await comes_true(lambda: other.looks >= 5)
    assert stuck.looks == stuck.now == 1


async def test_a_probe_is_never_asked_twice_at_once(monitor: Monitor) -> None:
    async def slow() -> Sample:
        for _ in range(10):
            await asyncio.sleep(0)
        return WELL

    probe = Scripted(slow)
    monitor.add(probe, every=0.001, timeout=5)
    monitor.start()
    for _ in range(10):
        await asyncio.gather(*(monitor.step("it") for _ in range(3)))
    assert probe.looks > 30
    assert probe.most == 1


async def test_a_sick_target_is_asked_less_and_less_often_and_a_well_one_as_before(
    monitor: Monitor,
) -> None:
    probe = Scripted(failing(ProbeFault("refused", down=True)))
    watch = Watch(probe, every=1.0, timeout=1.0)
    delays = []
    for watch.failures in range(8):
        delays.append(watch.delay(0.0))
    assert delays == [1, 2, 4, 8, 15, 15, 15, 15]
    assert max(delays) == BACK_OFF_LIMIT_S
    monitor.add(probe, every=1.0, timeout=1.0)
    watch = monitor._watches["it"]
    await monitor.step("it")
    await monitor.step("it")
    assert watch.failures == 2
    probe.look = well
    await monitor.step("it")
    assert watch.failures == 0


def test_a_long_interval_is_not_shortened_by_sickness_and_jitter_stays_small() -> None:
    watch = Watch(Scripted(), every=60.0, timeout=5.0)
    watch.failures = 3
    assert watch.delay(0.0) == 60.0
    assert (watch.delay(-1.0), watch.delay(1.0)) == (54.0, 66.0)


async def test_a_failed_look_still_shows_the_last_rows_as_old_and_of_no_known_health(
    monitor: Monitor,
) -> None:
    probe = Scripted()
    monitor.add(probe, every=5, timeout=5)
    await monitor.step("it")
    probe.look = failing(ProbeFault("gone", down=True))
    for _ in range(2):  # what was carried over is carried on
        await monitor.step("it")
        sample = monitor.latest["it"]
        assert (sample.stale, sample.columns) == (True, WELL.columns)
        assert [(row.name, row.health) for row in sample.rows] == [("api", None), ("web", None)]
    probe.look = well
    await monitor.step("it")
    assert monitor.latest["it"] is WELL


async def test_a_system_that_pushes_is_looked_at_before_its_interval_is_over(
    monitor: Monitor,
) -> None:
    probe = Scripted(changed=asyncio.Event())
    monitor.add(probe, every=3600, timeout=5)
    monitor.start()
    assert await comes_true(lambda: probe.looks == 1)
    assert probe.changed is not None
    probe.changed.set()
    assert await comes_true(lambda: probe.looks == 2)
    assert not probe.changed.is_set()


async def test_the_course_of_a_metric_is_remembered_within_bounds(monitor: Monitor) -> None:
    probe = Scripted()
    monitor.add(probe, every=5, timeout=5)
    for _ in range(HISTORY + 10):
        await monitor.step("it")
    assert len(monitor.course("it", "load")) == HISTORY
    assert monitor.course("it", "nothing") == ()
    assert monitor.course("nobody", "load") == ()


async def test_every_sample_is_told_and_everything_is_closed_in_the_end(monitor: Monitor) -> None:
    probe, heard = Scripted(), []
    monitor.add(probe, every=5, timeout=5)
    monitor.subscribe(heard.append)
    await monitor.step()
    assert heard == [WELL]
    monitor.start()
    await monitor.stop()
    assert probe.closed == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProbeFault("no such container"), "no such container"),
        (HostUnreachable("web1: no route"), "web1: no route"),
        (TimeoutError(), "no answer within 5 s"),
        (KeyError("State"), "KeyError: 'State'"),
    ],
)
async def test_a_detail_that_cannot_be_had_says_why_and_breaks_nothing(
    monitor: Monitor, error: Exception, reason: str
) -> None:
    probe = Scripted(detail_error=error)
    monitor.add(probe, every=5, timeout=5)
    with pytest.raises(ProbeFault) as seen:
        await monitor.detail("it", "1")
    assert str(seen.value) == reason
    probe.detail_error = None
    assert (await monitor.detail("it", "1")).title == "1"
