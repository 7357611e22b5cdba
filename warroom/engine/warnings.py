"""What the record says of a target before somebody acts on it. Pure."""

from __future__ import annotations

from warroom.domain.requests import Requests
from warroom.mitigations.base import Card


def notes(requests: Requests, card: Card) -> tuple[str, ...]:
    """Who is at it now, and what nobody knows of the last time."""
    keys = {(card.host, one) for one in (card.target.id, *card.holds)}
    found = []
    holders = {one.seq: one for key in keys if (one := requests.holder(key)) is not None}
    for _, holder in sorted(holders.items()):
        event = holder.event
        found.append(
            f"{event.author.login} asked for the same at {event.at:%H:%M:%S} UTC "
            f"({holder.title}) and it has not ended: this one will be refused"
        )
    last = next(
        (one for one in reversed(requests.all) if keys & {*one.keys} and not one.first), None
    )
    if last is not None and last.state == "UNKNOWN" and last.verified is None:
        event = last.event
        found.append(
            f"the last one reads UNKNOWN ({last.title}, {event.author.login}, "
            f"{event.at:%H:%M:%S} UTC): verify it before you do it again"
        )
    return tuple(found)
