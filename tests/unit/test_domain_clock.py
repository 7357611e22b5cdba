"""The clock that nobody can set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warroom.domain.clock import SteadyClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Machine:
    """A wall clock that can be set, and a count that cannot."""

    def __init__(self) -> None:
        self.wall, self.count = NOON, 100.0

    def runs(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.count += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> SteadyClock:
    return SteadyClock(lambda: machine.wall, lambda: machine.count)


def test_it_begins_with_the_wall_clock_and_goes_on_with_the_count(
    clock: SteadyClock, machine: Machine
) -> None:
    machine.runs(90)
    assert clock.now() == NOON + timedelta(seconds=90)
    assert clock.stepped() == 0


@pytest.mark.parametrize("step", [-3600.0, -3.0, 3.0, 3600.0, 86400.0])
def test_a_wall_clock_that_is_set_moves_nothing_and_is_said_once(
    clock: SteadyClock, machine: Machine, step: float
) -> None:
    machine.runs(60)
    machine.wall += timedelta(seconds=step)
    assert clock.now() == NOON + timedelta(seconds=60)
    assert clock.stepped() == pytest.approx(step)
    assert clock.stepped() == 0
    machine.runs(60)
    assert clock.now() == NOON + timedelta(seconds=120)
    assert clock.stepped() == 0


def test_what_is_set_back_and_forth_is_said_both_times(
    clock: SteadyClock, machine: Machine
) -> None:
    machine.wall -= timedelta(hours=1)
    assert clock.stepped() == pytest.approx(-3600)
    machine.wall += timedelta(hours=1)
    assert clock.stepped() == pytest.approx(3600)


def test_a_clock_that_is_only_disciplined_is_not_worth_a_word(
    clock: SteadyClock, machine: Machine
) -> None:
    machine.wall += timedelta(seconds=1.5)
    assert clock.stepped() == 0


def test_the_machine_s_own_clocks_agree_with_it() -> None:
    clock = SteadyClock()
    assert abs((datetime.now(UTC) - clock.now()).total_seconds()) < 1
    assert clock.stepped() == 0
