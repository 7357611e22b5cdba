"""Ticks what can be seen to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from warroom.domain.checklist import Item, ticking
from warroom.domain.conditions import Facts, parsed, reason
from warroom.domain.events import Kind, derived_id
from warroom.domain.incident import POSTMORTEM
from warroom.domain.sample import Health
from warroom.domain.severity import Scheme
from warroom.domain.timers import timers
from warroom.engine import own
from warroom.engine.session import Session


class Ticks:
    """Each item at most once in an incident, whoever unticks it."""

    def __init__(self) -> None:
        self._well_since: dict[str, datetime | None] = {}
        self._done: set[str] = set()

    def saw(self, sources: Iterable[str], health: Callable[[str], Health], now: datetime) -> None:
        """How every source is now."""
        for source in sources:
            well = health(source) is Health.OK
            before = self._well_since.get(source)
            self._well_since[source] = (before or now) if well else None

    async def step(
        self,
        session: Session,
        scheme: Scheme,
        items: Iterable[Item],
        now: datetime,
        *,
        watch_over: bool,
    ) -> None:
        """Tick what holds now. Raises JournalError."""
        incident = session.incident
        if incident is None or not incident.is_open:
            return
        due = next((t.due for t in timers(incident, scheme, now) if t.id == POSTMORTEM), None)
        facts = Facts(incident, self._well_for(now), session.projection.pinned, watch_over, due)
        for item, why in ticking(items, incident, lambda when: reason(parsed(when), facts)):
            key = derived_id(incident.opened_at, incident.id, "tick", item.id)
            if key in self._done:
                continue  # taken back by a person, who is not fought
            text, data = f"done: {item.text} ({why})", {"item": item.id, "done": True}
            await own.write(session, Kind.CHECKLIST, text, {**data, "why": why}, at=now, id=key)
            self._done.add(key)

    def _well_for(self, now: datetime) -> Mapping[str, float | None]:
        return {
            source: None if since is None else (now - since).total_seconds()
            for source, since in self._well_since.items()
        }
