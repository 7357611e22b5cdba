"""A block at a real nginx comes to its end: taken back by itself where the config lets it, offered
where it does not, and also when nobody was connected just then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.services.nginx_edge import Edge
from tests.support.cli import written
from tests.support.waiting import comes_true
from warroom.domain.clock import SystemClock
from warroom.domain.events import Author, Kind
from warroom.domain.incident import Status
from warroom.engine.members import load_settings
from warroom.engine.room import Room
from warroom.engine.running import State
from warroom.journal import open_journal

pytestmark = pytest.mark.service("nginx")
CLIENT: Final = "203.0.113.7"
HOUR: Final = 3600.0


class Clock(SystemClock):
    """The system's, which can be set forward."""

    ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def console(config: Path, clock: Clock, login: str = "ann") -> AsyncIterator[Room]:
    """A room without a screen, in which somebody is present and the ledger goes on when told."""
    settings, probes, mitigations = load_settings(config)
    author = Author(login, 1000, "tests")
    room = Room(settings, probes, mitigations, (), open_journal(settings), author, clock=clock)
    await room.open(watch=False)
    try:
        if room.session.incident is None:
            await room.session.begin("they flood us", "P1")
        assert await comes_true(lambda: bool(room.session.present))
        yield room
    finally:
        await room.close()


def config(folder: Path, edge: Edge, *more: str) -> Path:
    words = ", ".join(f'"{word}"' for word in edge.argv)
    return written(
        folder,
        "\n".join(
            [
                f'[[mitigation]]\nkind = "nginx.block"\nkey = "d"\naddress = "{CLIENT}"',
                f'nginx = [{words}]\ninclude = "{edge.include}"\nttl = "1h"',
                *more,
            ]
        ),
    )


async def blocked(room: Room, edge: Edge) -> None:
    outcome = await room.run(await room.executor.arm(room.actions[0]))
    assert outcome.state is State.DONE, outcome.text
    assert await comes_true(lambda: edge.ask(CLIENT) == 403)


async def lifted(room: Room, edge: Edge) -> bool:
    """Whether the ledger, going on by itself, lifts it."""

    async def goes_on() -> bool:
        await room.ledger.step()
        return edge.ask(CLIENT) == 200

    return await comes_true(goes_on)


async def test_a_block_that_may_is_lifted_by_itself_when_its_time_is_over_and_not_before(
    edge: Edge, tmp_path: Path, clock: Clock
) -> None:
    async with console(config(tmp_path, edge, "auto_undo = true"), clock) as room:
        await blocked(room, edge)
        clock.ahead = HOUR - 60
        await room.ledger.step()
        assert room.ledger.expired() == ()
        clock.ahead = HOUR + 1
        assert await lifted(room, edge)
        assert await comes_true(lambda: room.ledger.changes() == ())
        told = [e.text for e in room.session.events if e.kind is Kind.REQUESTED]
    assert [text.partition(":")[0] for text in told] == [
        f"Block {CLIENT} for 1h00m",
        f"Unblock {CLIENT}",
    ]
    assert edge.passes()


async def test_a_block_that_ended_while_nobody_was_there_is_lifted_by_the_next_who_comes(
    edge: Edge, tmp_path: Path, clock: Clock
) -> None:
    place = config(tmp_path, edge, "auto_undo = true")
    async with console(place, clock) as room:
        await blocked(room, edge)
    clock.ahead = HOUR + 1
    assert edge.ask(CLIENT) == 403, "nobody is there to lift it"
    async with console(place, clock, "ben") as room:
        assert await lifted(room, edge)
        undone = [e for e in room.session.events if e.kind is Kind.REQUESTED][-1]
    assert (undone.author.login, undone.data["undoes"]["request"] > 0) == ("ben", True)


async def test_without_leave_it_stays_is_offered_at_the_next_start_and_lifted_from_the_record(
    edge: Edge, tmp_path: Path, clock: Clock
) -> None:
    place = config(tmp_path, edge)
    async with console(place, clock) as room:
        await blocked(room, edge)
        clock.ahead = HOUR + 1
        await room.ledger.step()
        (change,) = room.ledger.expired()
        assert not change.auto
    async with console(place, clock, "ben") as room:
        await room.ledger.step()
        assert edge.ask(CLIENT) == 403, "nothing is taken back silently"
        (change,) = room.ledger.expired()
        assert change.undo["title"] == f"Unblock {CLIENT}"
        armed = await room.ledger.arm(change)
        assert dict(armed.card.hits)["past their time"] == f"{CLIENT}: still blocked"
        assert (await room.run(armed)).state is State.DONE
        assert edge.ask(CLIENT) == 200
        assert room.ledger.changes() == ()


async def test_what_an_earlier_incident_left_blocked_is_lifted_in_the_one_after_it(
    edge: Edge, tmp_path: Path, clock: Clock
) -> None:
    place = config(tmp_path, edge, "auto_undo = true")
    async with console(place, clock) as room:
        await blocked(room, edge)
        await room.session.set_status(Status.CLOSED)
        clock.ahead = HOUR + 1
        await room.session.begin("another night", "P2")
        assert await lifted(room, edge)
