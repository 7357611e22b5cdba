"""Who else is here, and what of what was said is not in the journal yet, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warroom.journal.base import Presence
from warroom.tui.widgets.lines import Line, wrapped

if TYPE_CHECKING:
    from warroom.engine.room import Room


def persons(present: Sequence[Presence]) -> list[str]:
    """Everybody once, however many consoles they have; a login that several share is told apart
    by where each came from."""
    people = sorted({(one.author.login, one.author.origin) for one in present})
    logins = [login for login, _ in people]
    return [
        f"{login} ({origin or 'here'})" if logins.count(login) > 1 else login
        for login, origin in people
    ]


def responders(present: Sequence[Presence]) -> str:
    """How many there are, when this console is not the only one; else empty."""
    people = len(persons(present))
    if people > 1:
        return f"{people} responders"
    return f"{len(present)} consoles" if len(present) > 1 else ""


def saving(room: Room) -> Line:
    """What the header says of a journal that does not take what is said."""
    session = room.session
    unsaved = len(session.unsaved)
    if unsaved and room.shared and session.backlog.safe:
        return [(f" journal away: {unsaved} queued here ", "alarm")]
    if unsaved:
        return [(f" NOT SAVED {unsaved} ", "alarm")]
    told = session.incident is None  # instead of the incident, with the reason
    return [(" journal away ", "alarm")] if room.shared and session.away and not told else []


def why_away(room: Room, width: int) -> list[Line]:
    """The whole reason, where there is room for it."""
    if not room.shared or not room.session.away:
        return []
    reason = f"the journal cannot be reached: {room.session.away}; trying again"
    return [[(part, "degraded")] for part in wrapped(reason, width)]
