"""Who must want an action, and what keeps it from running: other persons, locks, dry runs, a full
journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.waiting import comes_true
from tests.unit.consoles import ALICE, BOB, Console, Journal, Lever, Room
from warroom.domain.approvals import State as Answer
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Kind
from warroom.engine import doing, security
from warroom.engine.approvals import NotApproved
from warroom.engine.executor import State
from warroom.mitigations.base import Risk


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def journal(clock: ManualClock) -> Journal:
    return Journal(clock)


@pytest.fixture
async def sits(journal: Journal, clock: ManualClock) -> AsyncIterator[Room]:
    """`await sits(author)`: one more console, in the incident."""
    room = Room(journal, clock)
    yield room
    await room.empties()


# Another person ------------------------------------------------------------------------------


async def asked(console: Console, lever: Lever) -> Any:
    run = console.executor.launch(await console.arm(lever, approvals=2))
    assert await comes_true(lambda: run.asked is not None)
    return run


async def test_nothing_runs_before_another_person_has_confirmed_it(sits: Room) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    assert lever.pulled == 0
    await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    await alice.session.refresh()
    assert ((await run.ended()).state, lever.pulled) == (State.DONE, 1)
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
async def test_one_person_is_never_two(sits: Room, who: Author, why: str) -> None:
    alice, again, lever = await sits(), await sits(who), Lever()
    run = await asked(alice, lever)
    with pytest.raises(NotApproved, match=why):
        await again.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    run.cancel("alice")
    assert ((await run.ended()).state, lever.pulled) == (State.REFUSED, 0)


async def test_the_other_person_may_refuse(sits: Room) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    await bob.executor.approvals.answer(run.asked.seq, Answer.REFUSED)
    await alice.session.refresh()
    assert (await run.ended()).text == "not run: bob has refused it"
    assert lever.pulled == 0


async def test_who_asked_may_withdraw_and_then_nobody_can_confirm(sits: Room) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    run.cancel("alice")
    assert (await run.ended()).state is State.REFUSED
    with pytest.raises(NotApproved, match="not waiting any more"):
        await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)


async def test_after_ten_minutes_nobody_can_confirm(sits: Room, clock: ManualClock) -> None:
    alice, bob, lever = await sits(), await sits(BOB), Lever()
    run = await asked(alice, lever)
    clock.advance(601)
    with pytest.raises(NotApproved, match="not waiting any more"):
        await bob.executor.approvals.answer(run.asked.seq, Answer.GIVEN)
    assert (await run.ended()).text == "not run: nobody confirmed it within ten minutes"
    assert lever.pulled == 0


# Locked, dry, unwritable ---------------------------------------------------------------------


async def test_a_security_incident_locks_what_destroys_until_somebody_says_why_not(
    sits: Room,
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


async def test_what_only_changes_is_not_locked(sits: Room) -> None:
    alice, lever = await sits(), Lever()
    await security.lock(alice.session)
    assert (await alice.executor.run(await alice.arm(lever))).state is State.DONE


async def test_a_dry_run_shows_the_card_and_runs_nothing(sits: Room) -> None:
    alice, lever = await sits(), Lever()
    alice.executor.dry_run = True
    outcome = await alice.executor.run(await alice.arm(lever))
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert outcome.text.startswith("dry run")
    assert len(alice.session.events) == 1


async def test_actions_are_off_once_it_is_sure_that_the_journal_takes_nothing(
    sits: Room, journal: Journal, clock: ManualClock
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
async def test_without_a_record_nothing_ever_runs(sits: Room, journal: Journal, tries: int) -> None:
    alice, lever = await sits(), Lever()
    journal.full = True
    for _ in range(tries):
        assert (await alice.executor.run(await alice.arm(lever))).state is State.REFUSED
    assert lever.pulled == 0


async def test_who_has_a_card_open_for_the_same_target_is_said_on_the_other_card(
    sits: Room,
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
