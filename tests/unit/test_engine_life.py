"""The life of a mitigation after its confirmation: stopped, fenced, witnessed, approved, undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.waiting import comes_true
from warroom.domain.approvals import State as Answer
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.ledger import standing
from warroom.domain.sample import Row
from warroom.domain.severity import SCHEMES
from warroom.engine import doing, security
from warroom.engine.approvals import NotApproved
from warroom.engine.executor import Action, Armed, Around, Executor, State
from warroom.engine.lease import FENCE_S
from warroom.engine.session import Session
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationSpec,
    Output,
    Risk,
    Target,
    Undo,
)

ALICE, BOB, CAROL = Author("alice", 1000), Author("bob", 1001), Author("carol", 1002)
UNDO = Undo("t.unpull", "Put it back", {"lever": "api"})


@dataclass
class Lever:
    """Counts how often it was pulled; `held` keeps it busy."""

    risk: Risk = Risk.CHANGE
    held: asyncio.Event | None = None
    done: Done = field(default_factory=lambda: Done("pulled", undo=UNDO, expires_s=900))
    pulled: int = 0
    ended: bool = False
    stops: Callable[[], None] = lambda: None
    fence: Callable[[], None] = lambda: None

    async def preview(self, row: Row | None) -> Card:
        target = Target("id-1", "api")
        return Card("t.pull", "Pull", "", target, ("pull api",), (), "put it back", self.risk)

    async def perform(self, card: Card) -> Done:
        self.stops()
        self.fence()
        self.pulled += 1
        try:
            if self.held:
                await self.held.wait()
        except asyncio.CancelledError:
            self.ended = True
            raise
        return self.done

    async def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class Console:
    """One person at a console of the same journal."""

    session: Session
    executor: Executor

    async def arm(self, lever: Lever, **more: Any) -> Armed:
        def create(output: Output, fence: Callable[[], None]) -> Lever:
            lever.fence = fence
            return lever

        moves = more.pop("moves", ())
        spec = MitigationSpec(
            "t.pull", "Pull", object, lambda *_: lever, lever.risk, "", moves=moves
        )
        action = Action("config:0", "r", "Pull", spec, "", create)
        return await self.executor.arm(replace(action, **more))

    @property
    def outcomes(self) -> list[Event]:
        return [event for event in self.session.events if event.kind is Kind.OUTCOME]

    @property
    def last(self) -> Event:
        return self.session.events[-1]


class Journal(MemoryJournal):
    """One that can take an entry and not say so, or take nothing."""

    swallow = full = False

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if self.full:
            raise NotSaved("no space left on device")
        stored = await super().append(incident, *drafts)
        if self.swallow and any(draft.kind is Kind.REQUESTED for draft in drafts):
            self.swallow = False
            raise NotSaved("the disk has not answered for 0.8 s")
        return stored


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def journal(clock: ManualClock) -> Journal:
    return Journal(clock)


@pytest.fixture
async def sits(journal: Journal, clock: ManualClock) -> AsyncIterator[Callable[..., Any]]:
    """`sits(author)`: one more console, in the incident."""
    sitting: list[Console] = []

    async def sits(author: Author = ALICE) -> Console:
        session = Session(journal, clock, author, SCHEMES["P0-P3"])
        if not await session.resume():
            await session.begin("it burns", "P1")
        await session.sign()
        sitting.append(Console(session, Executor(session, clock)))
        return sitting[-1]

    yield sits
    for one in sitting:
        await one.executor.stop()


# Stopped -------------------------------------------------------------------------------------


async def test_what_runs_can_be_stopped_and_then_reads_unknown(sits: Any) -> None:
    alice, lever = await sits(), Lever(held=asyncio.Event())
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    run.cancel("alice")
    outcome = await run.task
    assert (outcome.state, lever.ended) == (State.UNKNOWN, True)
    assert outcome.text == "stopped by alice: it may have happened in part"
    assert alice.last.data["state"] == "UNKNOWN"


async def test_a_kind_that_knows_better_than_unknown_says_so_when_it_is_stopped(sits: Any) -> None:
    class Transaction(Lever):
        async def perform(self, card: Card) -> Done:
            try:
                return await super().perform(card)
            except asyncio.CancelledError:
                from warroom.mitigations.base import MitigationFailed

                raise MitigationFailed("rolled back: nothing was changed") from None

    alice, lever = await sits(), Transaction(held=asyncio.Event())
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    run.cancel("alice")
    assert (await run.task).state is State.FAILED


async def test_it_goes_on_though_nobody_watches_any_more(sits: Any) -> None:
    held = asyncio.Event()
    alice, lever = await sits(), Lever(held=held)
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    assert alice.executor.refusal(run.armed.action) == "it is running already"
    held.set()
    assert (await run.task).state is State.DONE
    assert alice.executor.refusal(run.armed.action) == ""


# Fenced and witnessed ------------------------------------------------------------------------


async def test_a_console_that_stood_still_between_request_and_act_does_nothing(
    sits: Any, clock: ManualClock
) -> None:
    alice = await sits()
    lever = Lever(stops=lambda: clock.advance(FENCE_S + 1))
    outcome = await alice.executor.run(await alice.arm(lever))
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert "stood still for 9s" in outcome.text


async def test_what_a_dead_console_asked_for_is_ended_once_by_whoever_is_there(
    sits: Any, clock: ManualClock
) -> None:
    alice, bob, carol = await sits(), await sits(BOB), await sits(CAROL)
    lever = Lever(held=asyncio.Event())
    alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    await bob.session.refresh()
    for seconds in (10, 8):
        clock.advance(seconds)
        for one in (bob, carol):
            await one.session.sign()
        await asyncio.gather(bob.executor.step(), carol.executor.step())
    await bob.session.refresh()
    (witnessed,) = bob.outcomes
    assert witnessed.text == ("Pull: UNKNOWN: its console is gone; it may have happened: verify")
    assert (await bob.arm(Lever())).notes[0].startswith("the last one reads UNKNOWN (Pull, alice")


async def test_a_console_that_was_taken_to_be_gone_does_nothing_late(
    sits: Any, clock: ManualClock
) -> None:
    alice, bob = await sits(), await sits(BOB)
    away = asyncio.Event()

    class Late(Lever):
        async def perform(self, card: Card) -> Done:
            await away.wait()
            return await super().perform(card)

    lever = Late()
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: run.request is not None)
    clock.advance(7)
    await asyncio.sleep(0.6)  # alice's console ticks: it does not stand still, it is cut off
    clock.advance(7)
    await asyncio.sleep(0.6)
    clock.advance(4)
    await bob.session.sign()
    await bob.session.refresh()
    await bob.executor.step()
    await alice.session.refresh()
    away.set()
    outcome = await run.task
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert "another console took this one to be gone" in outcome.text


async def test_a_request_that_the_journal_took_without_saying_so_was_certainly_not_run(
    sits: Any, journal: Journal
) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    armed = await alice.arm(lever)
    journal.swallow = True
    outcome = await alice.executor.run(armed)
    assert outcome.text.startswith("NOT RUN")
    await alice.session.refresh()
    await alice.executor.step()
    assert (alice.last.kind, alice.last.data["state"]) == (Kind.OUTCOME, "refused")
    await bob.session.refresh()
    assert (await bob.executor.run(await bob.arm(lever))).state is State.DONE
    assert lever.pulled == 1


# Another person ------------------------------------------------------------------------------


async def asked(console: Console, lever: Lever) -> Any:
    run = console.executor.launch(await console.arm(lever, approvals=2))
    assert await comes_true(lambda: run.asked is not None)
    return run


async def test_nothing_runs_before_another_person_has_confirmed_it(sits: Any) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    assert lever.pulled == 0
    await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    await alice.session.refresh()
    assert ((await run.task).state, lever.pulled) == (State.DONE, 1)
    request = next(e for e in alice.session.events if e.kind is Kind.REQUESTED)
    assert request.data["approval"] == run.asked.seq


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (ALICE, "another person must confirm"),
        (Author("alice", 1001), "another person must confirm"),
        (Author("root2", 1000), "the same user here"),
    ],
)
async def test_one_person_is_never_two(sits: Any, who: Author, why: str) -> None:
    alice, again, lever = await sits(), await sits(who), Lever()
    run = await asked(alice, lever)
    with pytest.raises(NotApproved, match=why):
        await again.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    run.cancel("alice")
    assert ((await run.task).state, lever.pulled) == (State.REFUSED, 0)


async def test_the_other_person_may_refuse(sits: Any) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    await bob.executor.approvals.answer(run.asked.seq, Answer.REFUSED)
    await alice.session.refresh()
    assert (await run.task).text == "not run: bob has refused it"
    assert lever.pulled == 0


async def test_who_asked_may_withdraw_and_then_nobody_can_confirm(sits: Any) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    run.cancel("alice")
    assert (await run.task).state is State.REFUSED
    with pytest.raises(NotApproved, match="not waiting any more"):
        await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)


async def test_after_ten_minutes_nobody_can_confirm(sits: Any, clock: ManualClock) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    clock.advance(601)
    with pytest.raises(NotApproved, match="not waiting any more"):
        await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    assert (await run.task).text == "not run: nobody confirmed it within ten minutes"
    assert lever.pulled == 0


# Afterwards ----------------------------------------------------------------------------------


async def test_what_was_done_stands_with_its_undo_and_its_end(
    sits: Any, clock: ManualClock
) -> None:
    alice = await sits()
    await alice.executor.run(await alice.arm(Lever()))
    (change,) = standing(alice.executor.book.requests.all)
    assert change.left(clock.now()) == 900
    assert change.undo == {
        "kind": "t.unpull", "title": "Put it back", "host": "", "options": {"lever": "api"},
    }  # fmt: skip


async def test_what_was_taken_back_is_not_taken_back_twice(sits: Any) -> None:
    alice, bob = await sits(), await sits(BOB)
    await alice.executor.run(await alice.arm(Lever()))
    link = (alice.session.events[0].incident, alice.outcomes[0].data["request"])
    backs = [Lever(done=Done("back")), Lever(done=Done("back"))]
    await bob.session.refresh()
    first = replace(await alice.arm(backs[0]), undoes=link)
    second = replace(await bob.arm(backs[1]), undoes=link)
    assert (await alice.executor.run(first)).state is State.DONE
    refused = await bob.executor.run(replace(second, seen=99))
    assert (refused.state, backs[1].pulled) == (State.REFUSED, 0)
    assert "alice took it back already" in refused.text
    assert standing(bob.executor.book.requests.all) == ()


async def test_the_effect_is_looked_at_after_it_has_settled(sits: Any) -> None:
    alice = await sits()
    course = [{"waiting": 7.0}, {"waiting": 8.0}, {"waiting": 7.0}]

    async def look() -> None:
        course.append({"waiting": 0.0})

    moves = (("waiting", "down"),)
    armed = await alice.arm(Lever(), moves=moves, settle=0.05)
    run = alice.executor.launch(armed, around=Around(lambda: list(course), look))
    assert (await run.task).state is State.DONE
    await alice.executor.settle()
    assert run.effect is not None
    assert (alice.last.kind, alice.last.data["verdict"]) == (Kind.EFFECT, "worked")
    assert alice.last.text.startswith("Pull: worked: waiting 7.333 → 0 (±")


# Locked, dry, unwritable ---------------------------------------------------------------------


async def test_a_security_incident_locks_what_destroys_until_somebody_says_why_not(
    sits: Any,
) -> None:
    alice, lever = await sits(), Lever(Risk.DESTROY)
    armed = await alice.arm(lever)
    await security.lock(alice.session)
    refused = await alice.executor.run(armed, typed="api")
    assert (refused.state, lever.pulled) == (State.REFUSED, 0)
    assert refused.text.startswith("locked: a security incident: evidence first")
    assert alice.executor.refusal(armed.action) == refused.text
    with pytest.raises(ValueError, match="wants a reason"):
        await security.unlock(alice.session, " ")
    await security.unlock(alice.session, "the disk image is taken")
    again = await alice.executor.run(await alice.arm(lever), typed="api")
    assert (again.state, lever.pulled) == (State.DONE, 1)


async def test_what_only_changes_is_not_locked(sits: Any) -> None:
    alice, lever = await sits(), Lever()
    await security.lock(alice.session)
    assert (await alice.executor.run(await alice.arm(lever))).state is State.DONE


async def test_a_dry_run_shows_the_card_and_runs_nothing(sits: Any) -> None:
    alice, lever = await sits(), Lever()
    alice.executor.dry_run = True
    outcome = await alice.executor.run(await alice.arm(lever))
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert outcome.text.startswith("dry run")
    assert len(alice.session.events) == 1


async def test_actions_are_off_once_it_is_sure_that_the_journal_takes_nothing(
    sits: Any, journal: Journal, clock: ManualClock
) -> None:
    alice = await sits()
    journal.full = True
    await alice.executor.step()
    assert alice.executor.refusal() == "", "one refusal may be a busy moment"
    clock.advance(3)
    await alice.executor.step()
    assert "the journal takes nothing" in alice.executor.refusal()
    journal.full = False
    clock.advance(3)
    await alice.executor.step()
    assert alice.executor.refusal() == ""


@pytest.mark.parametrize("tries", [20])
async def test_without_a_record_nothing_ever_runs(sits: Any, journal: Journal, tries: int) -> None:
    alice, lever = await sits(), Lever()
    journal.full = True
    for _ in range(tries):
        assert (await alice.executor.run(await alice.arm(lever))).state is State.REFUSED
    assert lever.pulled == 0


async def test_who_has_a_card_open_for_the_same_target_is_said_on_the_other_card(
    sits: Any,
) -> None:
    alice, bob = await sits(), await sits(BOB)
    armed = await alice.arm(Lever())
    await alice.session.sign()
    await bob.session.sign()
    own = bob.session.console
    (said,) = doing.others(bob.session.present, own, armed.card)
    assert said == "alice has a card open for the same target: Pull"
    await alice.executor.disarm(armed)
    await alice.session.sign()
    await bob.session.sign()
    assert doing.others(bob.session.present, own, armed.card) == ()
