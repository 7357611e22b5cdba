"""One request for several targets: nobody acts on one of them meanwhile; and what it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from tests.support.waiting import comes_true
from tests.unit.consoles import BOB, Journal, Lever, Room
from warroom.domain.clock import ManualClock
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Row
from warroom.engine.executor import State
from warroom.engine.running import Action
from warroom.engine.several import several, takes_several
from warroom.mitigations.base import Card, Done, MitigationRefused, Risk, Target, spec


@dataclass
class ManyLevers(Lever):
    """Pulls `api` and `web` with one card."""

    async def preview(self, row: Row | None) -> Card:
        target = Target("both", "2 levers")
        return Card("t.pull", "Pull", "", target, ("pull",), (), "", self.risk,
                    holds=("id-1", "id-2"))  # fmt: skip


@pytest.fixture
async def sits() -> AsyncIterator[Room]:
    clock = ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
    room = Room(Journal(clock), clock)
    yield room
    await room.empties()


async def test_who_wants_one_of_them_meanwhile_is_refused_and_was_told_before(sits: Room) -> None:
    alice, bob, held = await sits(), await sits(BOB), asyncio.Event()
    many, one = ManyLevers(held=held), Lever()
    run = alice.executor.launch(await alice.arm(many))
    assert await comes_true(lambda: many.pulled == 1)
    await bob.session.refresh()
    armed = await bob.arm(one)
    assert "asked for the same" in armed.notes[0]
    outcome = await bob.executor.run(armed)
    assert (outcome.state, one.pulled) == (State.REFUSED, 0)
    held.set()
    assert (await run.ended()).state is State.DONE
    await bob.session.refresh()
    assert (await bob.executor.run(await bob.arm(one))).state is State.DONE


async def test_what_it_read_is_an_exhibit_of_the_request(sits: Room) -> None:
    alice = await sits()
    kept = Evidence(EvidenceKind.LINES, "log of api", "it broke", source="api")
    outcome = await alice.executor.run(await alice.arm(Lever(done=Done("read", exhibits=(kept,)))))
    (exhibit,) = alice.session.timeline().exhibits
    assert exhibit.evidence == kept
    assert exhibit.entry == outcome.request


# Which action that is ----------------------------------------------------------------------------


def action(kind: str, source: str = "docker") -> Action:
    made = spec(kind)
    return Action(f"pane:{source}:{kind}", "", made.title, made, source, lambda *_: Lever())


BULK = action("docker.bulk")
ROWS = [Row(key, key, (key,), data={"id": key}) for key in ("a" * 64, "b" * 64)]


@pytest.mark.parametrize("verb", ["restart", "stop", "start", "recreate", "logs"])
def test_a_verb_that_takes_several_is_answered_and_as_risky_as_for_one(verb: str) -> None:
    one = action(f"docker.{verb}")
    assert takes_several(one, [one, BULK]) == BULK
    meant, answers = several(one, BULK, ROWS)
    assert answers == {"verb": verb, "containers": f"{'a' * 12} {'b' * 12}"}
    assert (meant.id, meant.spec.risk, meant.spec.moves) == (BULK.id, one.spec.risk, one.spec.moves)


def test_the_verb_is_asked_for_where_none_was_meant() -> None:
    assert several(BULK, BULK, ROWS) == (BULK, {"containers": f"{'a' * 12} {'b' * 12}"})


def test_what_takes_one_row_says_so() -> None:
    with pytest.raises(MitigationRefused, match="takes one row"):
        several(action("docker.disconnect"), BULK, ROWS)


def test_marks_mean_nothing_to_what_takes_no_row_or_is_elsewhere() -> None:
    assert takes_several(action("docker.prune"), [BULK]) is None
    assert takes_several(action("docker.restart", "other"), [BULK]) is None
    assert takes_several(action("postgres.cancel", "db"), [BULK]) is None
    assert takes_several(replace(action("docker.stop"), target="api"), [BULK]) is None
    assert BULK.spec.risk is Risk.CHANGE
