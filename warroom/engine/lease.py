"""Who may act: the right to a target, and how it ends when its console does.

The journal's order gives the right (`domain.requests`). A console that died or was cut off cannot
say how its action ended: any other then writes UNKNOWN for it, once, whoever else does the same.
A console that was stopped meanwhile must not go on as if nothing had been: that is the fence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from warroom.domain.clock import Clock, span
from warroom.domain.events import Draft, Event, Kind, derived_id
from warroom.domain.requests import BEATEN, Request, Requests, over
from warroom.engine.session import Session
from warroom.mitigations.base import MitigationRefused

FENCE_S: Final = 8.0
"""Seconds that a console may stand still and still act. It signs every 5 s and counts as gone after
15 without a sign: others take over no earlier than 10 s after it stopped."""
TICK_S: Final = 0.5


class Fence:
    """The right to act, from the request on, as long as this console never stood still.

    Counts this machine's monotonic seconds and, because those stand still while a machine sleeps,
    the clock's own. `overtaken` says whether another console wrote the outcome meanwhile.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._overtaken: Callable[[], bool] = bool
        self._seen: tuple[float, float] | None = None
        self._still = 0.0

    def begin(self, overtaken: Callable[[], bool]) -> None:
        """The request is on its way: from now on it counts."""
        self._overtaken, self._seen, self._still = overtaken, self._count(), 0.0

    def tick(self) -> None:
        """This console is running."""
        now = self._count()
        if self._seen is not None:
            self._still = max(self._still, *(b - a for a, b in zip(self._seen, now, strict=True)))
            self._seen = now

    def check(self) -> None:
        """Raises MitigationRefused when the right to act was lost."""
        self.tick()
        if self._still > FENCE_S:
            raise MitigationRefused(
                f"nothing was done: this console stood still for {span(self._still)} after the "
                "request; look at the target again"
            )
        if self._overtaken():
            raise MitigationRefused(
                "nothing was done: another console took this one to be gone and wrote UNKNOWN; "
                "look at the target again"
            )

    async def keep(self) -> None:
        """Tick until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def _count(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.now().timestamp()


class Book:
    """The open incident's requests, as far as the session has read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._opening = ""
        self._requests = Requests()

    @property
    def requests(self) -> Requests:
        events = self._session.events
        opening = events[0].id if events else ""
        if opening != self._opening or self._requests.last > len(events):
            self._opening, self._requests = opening, Requests()
        if self._requests.last < len(events):
            self._requests.add(events[self._requests.last :])
        return self._requests

    def of(self, event: Event) -> Request:
        """The request that an event is. Raises KeyError."""
        return self.requests[event.seq]


async def sweep(session: Session, book: Book) -> int:
    """End what others asked for and can no longer say how it ended; how many that were.

    Raises JournalError.
    """
    incident = session.incident
    if incident is None:
        return 0
    if not any(_due(request, session) for request in book.requests.under_way):
        return 0
    await session.refresh()  # it may have ended since
    ended = 0
    for request in book.requests.under_way:
        why = _due(request, session)
        if why:
            await session.write(_witnessed(session, request, why))
            ended += 1
    return ended


def _due(request: Request, session: Session) -> str:
    if request.console == session.console:
        return ""
    present = [one.console for one in session.present]
    seen = present if session.console in present else ()
    return over(request, session.now(), seen)


def _witnessed(session: Session, request: Request, why: str) -> Draft:
    event = request.event
    state = "refused" if why == BEATEN else "UNKNOWN"
    data = {"request": request.seq, "state": state, "witness": True, "evidence": {}}
    return session.draft(
        Kind.OUTCOME,
        f"{request.title}: {state}: {why}",
        data,
        id=derived_id(event.recorded_at, event.incident, event.id, "witness"),
    )
