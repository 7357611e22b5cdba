"""The gate: nothing runs that was not confirmed, recorded and still the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.support.events import ALICE
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.sample import Row
from warroom.domain.severity import SCHEMES
from warroom.engine.executor import Action, Executor, State
from warroom.engine.session import Session
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
    Target,
)


@dataclass
class Lever:
    """A mitigation that counts how often it was pulled."""

    risk: Risk = Risk.CHANGE
    fails: Exception | None = None
    slow: float = 0.0
    pulled: int = 0
    closed: int = 0

    async def preview(self, row: Row | None) -> Card:
        target = Target("id-1", "api")
        return Card("t.pull", "Pull", "", target, ("pull api",), (), "nothing", self.risk)

    async def perform(self, card: Card) -> Done:
        self.pulled += 1
        await asyncio.sleep(self.slow)
        if self.fails:
            raise self.fails
        return Done("pulled")

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Gate:
    executor: Executor
    session: Session
    levers: list[Lever] = field(default_factory=list)

    def action(self, lever: Lever, timeout: float = 5.0) -> Action:
        spec = MitigationSpec(
            "t.pull", "Pull", object, lambda *_: lever, lever.risk, "x", timeout=timeout
        )
        return Action("config:0", "r", "Pull", spec, "", lambda *_: lever)

    def kinds(self) -> list[Kind]:
        return [event.kind for event in self.session.events]


class FullDisk(MemoryJournal):
    """A journal that takes nothing any more."""

    full = False

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if self.full:
            raise NotSaved("no space left on device")
        return await super().append(incident, *drafts)


def a_gate(journal: MemoryJournal, clock: ManualClock, author: Author = ALICE) -> Gate:
    session = Session(journal, clock, author, SCHEMES["P0-P3"])
    return Gate(Executor(session, clock), session)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def journal(clock: ManualClock) -> FullDisk:
    return FullDisk(clock)


@pytest.fixture
async def gate(journal: FullDisk, clock: ManualClock) -> AsyncIterator[Gate]:
    gate = a_gate(journal, clock)
    await gate.session.begin("it burns", "P1")
    yield gate
    await gate.executor.stop()


async def test_what_is_confirmed_runs_once_and_is_recorded_before_and_after(gate: Gate) -> None:
    lever = Lever()
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(lever)))
    assert (outcome.state, outcome.text, lever.pulled) == (State.DONE, "pulled", 1)
    assert gate.kinds() == [Kind.OPENED, Kind.REQUESTED, Kind.OUTCOME]
    assert lever.closed == 1


async def test_without_a_record_nothing_runs(gate: Gate, journal: FullDisk) -> None:
    lever = Lever()
    armed = await gate.executor.arm(gate.action(lever))
    journal.full = True
    outcome = await gate.executor.run(armed)
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert outcome.text.startswith("NOT RUN")
    assert gate.session.unsaved == [], "a request that never ran must not be written later"


async def test_an_outcome_that_cannot_be_saved_is_kept_and_said(
    gate: Gate, journal: FullDisk
) -> None:
    class Fills(Lever):
        async def perform(self, card: Card) -> Done:
            journal.full = True
            return await super().perform(card)

    outcome = await gate.executor.run(await gate.executor.arm(gate.action(Fills())))
    assert (outcome.state, outcome.saved) == (State.DONE, False)
    journal.full = False
    await gate.session.save_again()
    assert gate.kinds()[-1] is Kind.OUTCOME


@pytest.mark.parametrize("typed", ["", "API", "api "])
async def test_what_destroys_wants_the_targets_name_exactly(gate: Gate, typed: str) -> None:
    lever = Lever(Risk.DESTROY)
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(lever)), typed=typed)
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)


async def test_what_destroys_runs_when_the_name_is_typed(gate: Gate) -> None:
    lever = Lever(Risk.DESTROY)
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(lever)), typed="api")
    assert (outcome.state, lever.pulled) == (State.DONE, 1)


async def test_an_observer_pulls_nothing(journal: FullDisk, clock: ManualClock) -> None:
    gate = a_gate(journal, clock)
    await gate.session.begin("it burns", "P1")
    observer = Executor(gate.session, clock, observe="observer mode")
    lever = Lever()
    outcome = await observer.run(await observer.arm(gate.action(lever)))
    assert (outcome.state, outcome.text, lever.pulled) == (State.REFUSED, "observer mode", 0)


async def test_without_an_incident_nothing_runs(journal: FullDisk, clock: ManualClock) -> None:
    gate, lever = a_gate(journal, clock), Lever()
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(lever)))
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MitigationRefused("it changed"), State.REFUSED),
        (MitigationFailed("no"), State.FAILED),
        (MitigationUncertain("cut"), State.UNKNOWN),
        (ConnectionResetError("reset"), State.UNKNOWN),
    ],
)
async def test_every_way_it_can_end_is_recorded(gate: Gate, error: Exception, state: State) -> None:
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(Lever(fails=error))))
    assert outcome.state is state
    assert gate.session.events[-1].data["state"] == state.value


async def test_no_answer_in_time_is_unknown_never_failed(gate: Gate) -> None:
    lever = Lever(slow=5)
    outcome = await gate.executor.run(await gate.executor.arm(gate.action(lever, timeout=0.05)))
    assert outcome.state is State.UNKNOWN


async def test_leaving_while_it_runs_is_written_as_unknown(gate: Gate) -> None:
    armed = await gate.executor.arm(gate.action(Lever(slow=5)))
    running = asyncio.create_task(gate.executor.run(armed))
    while Kind.REQUESTED not in gate.kinds():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert gate.session.events[-1].data["state"] == State.UNKNOWN.value


async def test_of_two_responders_at_the_same_moment_one_runs_and_the_other_sees_who(
    journal: FullDisk, clock: ManualClock
) -> None:
    alice, bob = a_gate(journal, clock), a_gate(journal, clock, Author("bob", 1001))
    await alice.session.begin("it burns", "P1")
    await bob.session.resume()
    lever = Lever(slow=0.05)
    armed = [await gate.executor.arm(gate.action(lever)) for gate in (alice, bob)]
    outcomes = await asyncio.gather(
        *(gate.executor.run(one) for gate, one in zip((alice, bob), armed, strict=True))
    )
    assert lever.pulled == 1
    assert sorted(outcome.state for outcome in outcomes) == [State.DONE, State.REFUSED]
    refused = next(outcome for outcome in outcomes if outcome.state is State.REFUSED)
    assert "asked for the same first" in refused.text


async def test_a_defect_while_looking_at_the_target_refuses_and_puts_everything_away(
    gate: Gate,
) -> None:
    class Broken(Lever):
        async def preview(self, row: Row | None) -> Card:
            raise KeyError("State\x1b[31m")

    lever = Broken()
    with pytest.raises(MitigationRefused, match="KeyError"):
        await gate.executor.arm(gate.action(lever))
    assert (lever.pulled, lever.closed, gate.kinds()) == (0, 1, [Kind.OPENED])
