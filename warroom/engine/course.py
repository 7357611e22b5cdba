"""Keeps the figures around an incident with its record, so that a report can draw their course."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from warroom.domain.readings import Reading
from warroom.hosts import tasks
from warroom.journal.base import JournalError

if TYPE_CHECKING:
    from warroom.engine.monitor import Monitor
    from warroom.engine.session import Session

EVERY_S: Final = 15
"""Seconds between figures that are kept; several consoles keep those of the same seconds, so that
the first is kept and the others are not."""
BEFORE: Final = timedelta(minutes=15)
"""How far back from its opening an incident's figures begin."""


class Course:
    """What cannot be kept is not: figures are no part of the record, and nobody waits for them."""

    def __init__(self, session: Session, monitor: Monitor) -> None:
        self._session, self._monitor = session, monitor
        self._begun = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; at every quarter of a minute from now on."""
        self._task = asyncio.create_task(self._run(), name="course")

    async def stop(self) -> None:
        if self._task is not None:
            await tasks.end([self._task])

    async def keep(self) -> None:
        """Keep the latest figures of every source; the first time for an incident that has just
        been opened, those of the quarter of an hour before, too."""
        incident = self._session.incident
        if incident is None or not incident.is_open:
            return
        now = self._session.now()
        readings = list(latest(self._monitor, now))
        first = incident.id != self._begun
        if first:
            readings = [*before(self._monitor, incident.opened_at - BEFORE, now), *readings]
        try:
            if readings:
                await self._session.keep(readings)
        except JournalError:
            return  # whoever writes down what matters is told
        self._begun = incident.id

    async def _run(self) -> None:
        while True:
            now = self._session.now().timestamp()
            await asyncio.sleep(EVERY_S - now % EVERY_S)
            await self.keep()


def grid(at: datetime) -> datetime:
    """The quarter of a minute that `at` falls into, the same on every console.

    >>> grid(datetime(2026, 11, 21, 13, 30, 44, 5, tzinfo=UTC)).second
    30
    """
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % EVERY_S, UTC)


def latest(monitor: Monitor, now: datetime) -> Iterator[Reading]:
    """The last good look at each source, as of `now`; what was seen longer ago is not repeated."""
    for sample in monitor.latest.values():
        patience = max(EVERY_S, 2 * monitor.every(sample.source))
        fresh = (now - sample.at).total_seconds() <= patience
        if sample.metrics and not sample.error and fresh:
            yield Reading(sample.source, grid(now), dict(sample.metrics))


def before(monitor: Monitor, begin: datetime, end: datetime) -> Iterator[Reading]:
    """What the monitor remembers of every source from `begin` to `end`, one a quarter minute."""
    for source in monitor.latest:
        seen: set[datetime] = set()
        for point in monitor.history(source):
            at = grid(point.at)
            if begin <= point.at <= end and point.metrics and at not in seen:
                seen.add(at)
                yield Reading(source, at, dict(point.metrics))
