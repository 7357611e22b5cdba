"""What the header says of acting: whether this console may, who is asked, what is temporary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warroom.tui.widgets.lines import Span, shortened

if TYPE_CHECKING:
    from warroom.engine.room import Room

_LONGEST = 46


def acting(room: Room, width: int) -> list[Span]:
    """Short on a narrow screen, and empty where there is nothing to say."""
    spans: list[Span] = []
    if room.executor.observe:
        spans.append((" OBSERVER ", "badge"))
    elif room.executor.dry_run:
        spans.append((" DRY RUN ", "badge"))
    incident = room.session.incident
    if incident is not None and incident.locked:
        spans.append((" LOCKED ", "alarm"))
    asked = [a for a in room.executor.approvals.waiting() if not room.executor.approvals.why_not(a)]
    if asked:
        spans.append((f" {len(asked)} to confirm: M ", "alarm"))
    standing = room.ledger.summary()
    if standing:
        style = "alarm" if room.ledger.expired() else "bar degraded"
        if width < 110:
            standing = standing.partition(":")[0] + (" EXPIRED" if style == "alarm" else "")
        spans.append((f" {shortened(standing, _LONGEST)} ", style))
    return spans
