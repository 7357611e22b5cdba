"""A security incident: what destroys is locked, because it destroys evidence, until somebody says
why it must be all the same."""

from __future__ import annotations

from typing import Final

from warroom.domain.events import Event, Kind
from warroom.domain.text import harmless
from warroom.engine.session import Session

REASON: Final = "a security incident: evidence first"


async def lock(session: Session, reason: str = "") -> Event:
    """Treat it as a security incident. Raises NoIncident, NotSaved."""
    said = harmless(reason.strip()) or REASON
    return await session.record(Kind.LOCK, said, {"locked": True})


async def unlock(session: Session, reason: str) -> Event:
    """Let what destroys run again. Raises ValueError without a reason, NoIncident, NotSaved."""
    said = harmless(reason.strip())
    if not said:
        raise ValueError("unlocking what destroys wants a reason: `:unlock REASON`")
    return await session.record(Kind.LOCK, f"unlocked: {said}", {"locked": False})
