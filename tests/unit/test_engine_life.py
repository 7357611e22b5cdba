"""The life of a mitigation after its confirmation: stopped, fenced, witnessed, undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.waiting import comes_true
from tests.unit.consoles import BOB, CAROL, Journal, Lever, Room
from warroom.domain.clock import ManualClock
from warroom.domain.events import Kind
from warroom.domain.ledger import standing
from warroom.engine import lease
from warroom.engine.executor import Around, State
from warroom.engine.lease import FENCE_S
from warroom.mitigations.base import Card, Done, MitigationFailed, MitigationUncertain


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


# Stopped -------------------------------------------------------------------------------------


async def test_what_runs_can_be_stopped_and_then_reads_unknown(sits: Room) -> None:
    alice, lever = await sits(), Lever(held=asyncio.Event())
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    run.cancel("alice")
    outcome = await run.ended()
    assert (outcome.state, lever.ended) == (State.UNKNOWN, True)
    assert outcome.text == "stopped by alice: it may have happened in part"
    assert alice.last.data["state"] == "UNKNOWN"


async def test_a_kind_that_knows_better_than_unknown_says_so_when_it_is_stopped(sits: Room) -> None:
    class Transaction(Lever):
        async def perform(self, card: Card) -> Done:
            try:
                return await super().perform(card)
            except asyncio.CancelledError:
                raise MitigationFailed("rolled back: nothing was changed") from None

    alice, lever = await sits(), Transaction(held=asyncio.Event())
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    run.cancel("alice")
    assert (await run.ended()).state is State.FAILED


async def test_it_goes_on_though_nobody_watches_any_more(sits: Room) -> None:
    held = asyncio.Event()
    alice, lever = await sits(), Lever(held=held)
    run = alice.executor.launch(await alice.arm(lever))
    assert await comes_true(lambda: lever.pulled == 1)
    assert alice.executor.refusal(run.armed.action) == "it is running already"
    held.set()
    assert (await run.ended()).state is State.DONE
    assert alice.executor.refusal(run.armed.action) == ""


# Fenced and witnessed ------------------------------------------------------------------------


async def test_a_console_that_stood_still_between_request_and_act_does_nothing(
    sits: Room, clock: ManualClock
) -> None:
    alice = await sits()
    lever = Lever(stops=lambda: clock.advance(FENCE_S + 1))
    outcome = await alice.executor.run(await alice.arm(lever))
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert "stood still for 9s" in outcome.text


async def test_what_a_dead_console_asked_for_is_ended_once_by_whoever_is_there(
    sits: Room, clock: ManualClock
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
    sits: Room, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "TICK_S", 0.02)
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
    await asyncio.sleep(0.1)  # alice's console ticks: it does not stand still, it is cut off
    clock.advance(7)
    await asyncio.sleep(0.1)
    clock.advance(4)
    await bob.session.sign()
    await bob.session.refresh()
    await bob.executor.step()
    await alice.session.refresh()
    away.set()
    outcome = await run.ended()
    assert (outcome.state, lever.pulled) == (State.REFUSED, 0)
    assert "another console took this one to be gone" in outcome.text


async def test_a_request_that_the_journal_took_without_saying_so_was_certainly_not_run(
    sits: Room, journal: Journal
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


# Afterwards ----------------------------------------------------------------------------------


async def test_what_was_done_stands_with_its_undo_and_its_end(
    sits: Room, clock: ManualClock
) -> None:
    alice = await sits()
    await alice.executor.run(await alice.arm(Lever()))
    (change,) = standing(alice.executor.book.requests.all)
    assert change.left(clock.now()) == 900
    assert change.undo == {
        "kind": "t.unpull", "title": "Put it back", "host": "", "options": {"lever": "api"},
    }  # fmt: skip


@pytest.mark.parametrize("raised", [MitigationFailed, MitigationUncertain])
async def test_what_failed_half_way_can_be_taken_back_as_far_as_it_went(
    sits: Room, raised: type[MitigationFailed] | type[MitigationUncertain]
) -> None:
    class HalfWay(Lever):
        async def perform(self, card: Card) -> Done:
            undo = (await super().perform(card)).undo
            raise raised("one of two was pulled", Done("", undo=undo))

    alice = await sits()
    outcome = await alice.executor.run(await alice.arm(HalfWay()))
    assert outcome.state in (State.FAILED, State.UNKNOWN)
    assert outcome.undo is not None
    (change,) = standing(alice.executor.book.requests.all)
    assert change.undo["title"] == outcome.undo.title == "Put it back"


async def test_what_was_taken_back_is_not_taken_back_twice(sits: Room) -> None:
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


async def test_the_effect_is_looked_at_after_it_has_settled(sits: Room) -> None:
    alice = await sits()
    course = [{"waiting": 7.0}, {"waiting": 8.0}, {"waiting": 7.0}]

    async def look() -> None:
        course.append({"waiting": 0.0})

    moves = (("waiting", "down"),)
    armed = await alice.arm(Lever(), moves=moves, settle=0.05)
    run = alice.executor.launch(armed, around=Around(lambda: list(course), look))
    assert (await run.ended()).state is State.DONE
    await alice.executor.settle()
    assert run.effect is not None
    assert (alice.last.kind, alice.last.data["verdict"]) == (Kind.EFFECT, "worked")
    assert alice.last.text.startswith("Pull: worked: waiting 7.333 → 0 (±")
