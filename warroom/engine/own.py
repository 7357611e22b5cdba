"""What warroom itself writes into the record: by its own name, and once by however many consoles.

It is written now or never: who works it out again a second later tries again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from warroom.domain.events import Author, Event, Kind
from warroom.engine.session import Session

WARROOM: Final = "warroom"
"""The login by which warroom writes."""


async def write(
    session: Session, kind: Kind, text: str, data: Mapping[str, Any], *, at: datetime, id: str
) -> Event:
    """Append an event by warroom, with an id that every console comes to (`derived_id`); what is
    there already is returned.

    Raises NoIncident, NotSaved.
    """
    known: Event | None = next(
        (event for event in reversed(session.events) if event.id == id), None
    )
    if known is not None:
        return known
    author = Author(WARROOM, session.author.uid)
    draft = replace(session.draft(kind, text, data, at=at, id=id), author=author)
    (event,) = await session.write(draft)
    return event
