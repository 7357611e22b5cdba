"""What is thought and what is to be done: hypotheses, action items, the incident's fields."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final

from warroom.domain.events import Event, Kind
from warroom.domain.incident import FIELDS, HYPOTHESIS, ActionItem, Belief, Hypothesis
from warroom.domain.text import harmless, shorten
from warroom.engine.session import Session

SAID_WIDTH: Final = 120
"""Characters of a hypothesis that an event about it repeats."""


async def suppose(session: Session, text: str) -> Event:
    """A new hypothesis. Raises NoIncident, NotSaved."""
    data = {"hypothesis": secrets.token_hex(4), "state": Belief.OPEN.value}
    return await session.record(Kind.HYPOTHESIS, HYPOTHESIS + text.strip(), data)


async def judge(session: Session, about: Hypothesis, state: Belief, reason: str) -> Event:
    """What became of a hypothesis, and why. Raises NoIncident, NotSaved."""
    reason = harmless(reason.strip())
    word = "open again" if state is Belief.OPEN else state.value
    why = f", because {reason}" if reason else ""
    data = {"hypothesis": about.id, "state": state.value, "reason": reason}
    text = f"{word}: {shorten(about.text, SAID_WIDTH)}{why}"
    return await session.record(Kind.HYPOTHESIS, text, data)


async def plan(session: Session, text: str, owner: str = "", due: str = "") -> Event:
    """A new action item; `due` is an ISO date or empty. Raises NoIncident, NotSaved."""
    item = ActionItem(harmless(text.strip()), harmless(owner.strip()), due, id=secrets.token_hex(4))
    return await change(session, item)


async def change(session: Session, item: ActionItem, *, removed: bool = False) -> Event:
    """The item as it is to be from now on, by its id. Raises NoIncident, NotSaved."""
    data = {"item": item.id, "owner": item.owner, "due": item.due, "done": item.done}
    return await session.record(
        Kind.ACTION_ITEM, item.text, {**data, "removed": True} if removed else data
    )


async def finish(session: Session, item: ActionItem) -> Event:
    """Done, or open again. Raises NoIncident, NotSaved."""
    return await change(session, replace(item, done=not item.done))


async def tell(session: Session, field: str, text: str) -> Event:
    """Write one of FIELDS. Raises KeyError for another, NoIncident, NotSaved."""
    if field not in FIELDS:
        raise KeyError(f'"{field[:40]}" is no field; there are: {", ".join(FIELDS)}')
    return await session.record(Kind.FIELD, text.strip(), {"field": field})
