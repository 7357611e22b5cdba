"""An incident as it is taken up: all its events, and what they add up to."""

from __future__ import annotations

import asyncio
import gc
from typing import Final, NamedTuple

from warroom.domain.events import Event
from warroom.domain.timeline import Projection
from warroom.journal.base import Journal

_LONG: Final = 10_000
"""Events of an incident that takes a while to read."""


class TakenUp(NamedTuple):
    """`name` is the incident's id in the journal."""

    name: str
    events: list[Event]
    projection: Projection


async def take_up(journal: Journal, incident: str | None = None) -> TakenUp | None:
    """`incident`, or the newest that is not closed; None when there is none.

    Raises JournalError.
    """
    chosen = incident or await journal.current()
    if chosen is None:
        return None
    events = list(await journal.events(chosen))
    return TakenUp(chosen, events, await asyncio.to_thread(_projected, events))


def _projected(events: list[Event]) -> Projection:
    """Nothing that is made of a long incident is garbage: to look through it would take as long
    again, now and, in the midst of a key, whenever all objects are."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        projection = Projection(events)
        if len(events) > _LONG:
            gc.freeze()
    finally:
        if collecting:
            gc.enable()
    return projection
