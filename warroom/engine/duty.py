"""What warroom does by itself, every second: deadlines, suggestion, watch, ticks, the clock.

Several consoles do the same at the same time; what they write, they write once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from warroom.domain.clock import SteadyClock, span
from warroom.domain.suggestion import Suggestion, is_worse
from warroom.domain.text import harmless, shorten
from warroom.engine import clocks
from warroom.engine.advising import Advising
from warroom.engine.clocks import Deadlines
from warroom.engine.suggest import Suggesting
from warroom.engine.ticks import Ticks
from warroom.engine.watch import Watch
from warroom.hosts import tasks
from warroom.journal.base import JournalError

if TYPE_CHECKING:
    from warroom.engine.advice import Advice
    from warroom.engine.room import Room

EVERY_S: Final = 1.0
NOTICE: Final = timedelta(minutes=5)
"""How long the header says that the clock was set."""


class Duty:
    """`alarms` are what a person must hear of, until somebody takes them with `heard`."""

    def __init__(self, room: Room, stepped: Callable[[], float] | None = None) -> None:
        self._room = room
        clock = room.clock
        self._stepped = stepped or (clock.stepped if isinstance(clock, SteadyClock) else _still)
        self._deadlines, self._suggesting, self._ticks = Deadlines(), Suggesting(), Ticks()
        self._advising = Advising(room)
        self._watch = Watch(room.settings.incident.watch)
        self._alarms: list[str] = []
        self._notice, self._notice_until = "", room.clock.now()
        self._unwritten_step = 0.0
        self._behind = self._defect = ""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; once a second from now on."""
        self._room.shelf.start()
        self._tasks = [asyncio.create_task(self._run(), name="duty")]

    async def stop(self) -> None:
        await tasks.end(self._tasks)
        await self._room.shelf.stop()

    def heard(self) -> list[str]:
        """What is to be heard now; it is given once."""
        alarms, self._alarms = self._alarms, []
        return alarms

    @property
    def suggestion(self) -> Suggestion | None:
        """The severity that the live numbers speak for."""
        return self._suggesting.suggestion

    @property
    def advice(self) -> tuple[Advice, ...]:
        """The playbooks that the live findings speak for, the best first."""
        return self._advising.advice

    @property
    def worse(self) -> Suggestion | None:
        """The suggestion, while it is worse than the incident's severity, or none is open."""
        incident, held = self._room.session.incident, self.suggestion
        if held is None or incident is None or not incident.is_open:
            return held
        return held if is_worse(held, incident.severity, self._room.scheme) else None

    @property
    def down(self) -> int:
        """How many sources are down."""
        return self._suggesting.figures.down

    def watch_left(self) -> float | None:
        """Seconds that a resolution is still watched; None when none is."""
        return self._watch.left(self._room.session, self._room.clock.now())

    def notice(self) -> str:
        """What the header says of this machine's clock; empty when there is nothing to say."""
        return self._notice if self._room.clock.now() < self._notice_until else ""

    async def step(self) -> None:
        """One round. What cannot be written now is tried again in the next."""
        room, now = self._room, self._room.clock.now()
        room_kind, health, latest = room.monitor.kind, room.health, room.monitor.latest
        self._suggesting.step(latest.values(), room_kind, health, room.scheme, now)
        self._ticks.saw(latest, health, now)
        self._advising.step()
        self._alarms += room.shelf.news()
        self._look_at_clock(now)
        try:
            await self._write(now)
        except JournalError:
            return  # the header says so where it matters: people's own notes are kept

    async def _write(self, now: datetime) -> None:
        room, session = self._room, self._room.session
        incident = session.incident
        if self._unwritten_step:
            await clocks.write_step(session, self._unwritten_step, now)
            self._unwritten_step = 0.0
        if incident is None:
            return
        self._alarms += await self._deadlines.step(session, room.scheme, now)
        reopened = await self._watch.step(session)
        if reopened:
            self._alarms.append(reopened)
        over = self._watch.over(session, now)
        await self._ticks.step(session, room.scheme, room.checklist, now, watch_over=over)

    def _look_at_clock(self, now: datetime) -> None:
        step = self._stepped()
        if step:
            self._unwritten_step += step
            way = "AHEAD" if step > 0 else "BACK"
            self._say(f"CLOCK SET {way} {span(abs(step))}", clocks.step_said(step), now)
        session = self._room.session
        opening = session.events[0].id if session.events else ""
        if opening and opening != self._behind:
            self._behind = opening
            late = clocks.behind(session, now)
            if late >= clocks.BEHIND_S:
                text = f"this machine's clock is {span(late)} behind the last entry"
                self._say(f"CLOCK {span(late)} BEHIND", text, now)

    def _say(self, notice: str, text: str, now: datetime) -> None:
        self._notice, self._notice_until = notice, now + NOTICE
        self._alarms.append(text)

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
            except Exception as error:  # noqa: BLE001 - deadlines must not end with one defect
                self._failed(f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY_S)

    def _failed(self, why: str) -> None:
        """Said once, and tried again every second."""
        if why != self._defect:
            self._defect = why
            self._alarms.append(shorten(harmless(f"deadlines are not watched: {why}"), 200))


def _still() -> float:
    return 0.0
