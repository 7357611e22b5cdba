"""Rooms on one journal whose duty is done by hand, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.support.events import ALICE
from tests.support.staged import Stage, member
from warroom.config.settings import Settings
from warroom.domain.clock import Clock, ManualClock
from warroom.domain.events import Event, Kind
from warroom.domain.incident import Status
from warroom.domain.sample import Health, Sample
from warroom.engine.room import Room
from warroom.journal.memory import MemoryJournal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OK, DOWN, DEGRADED = Health.OK, Health.DOWN, Health.DEGRADED


class Rooms:
    """Calling it makes a room with one endpoint, `api`, that shows `healths` look by look."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.journal = MemoryJournal(self.clock)
        self._made: list[Room] = []

    def __call__(
        self,
        healths: Sequence[Health] = (OK,),
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
    ) -> Room:
        return self.showing([saw(health) for health in healths], settings, clock)

    def showing(
        self,
        samples: Sequence[Sample],
        settings: Settings | None = None,
        clock: Clock | None = None,
    ) -> Room:
        """A room whose endpoint shows these samples."""
        probes = (member("api", "http", Stage(list(samples))),)
        room = Room(
            settings or Settings(), probes, (), (), self.journal, ALICE, clock=clock or self.clock
        )
        self._made.append(room)
        return room

    async def close(self) -> None:
        for room in self._made:
            await room.close()


def saw(health: Health, at: datetime = NOON) -> Sample:
    return Sample("api", at, health, "200" if health is OK else "502")


async def looks(room: Room, times: int) -> None:
    for _ in range(times):
        await room.monitor.step()
    await room.drain()


async def duty(*rooms: Room) -> None:
    """One round on each console; then each reads what the others wrote."""
    for room in rooms:
        await room.session.refresh()
        await room.duty.step()
    for room in rooms:
        await room.session.refresh()


def of(room: Room, kind: Kind) -> list[Event]:
    return [event for event in room.session.events if event.kind is kind]


def status(room: Room) -> Status:
    assert room.session.incident is not None
    return room.session.incident.status
