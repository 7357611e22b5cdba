"""What stands: changes that were made and can or must be taken back. A projection of the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from warroom.domain.corrections import instant_of
from warroom.domain.events import packed
from warroom.domain.requests import Request

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A change that stands. `expires_at` is when it is to be taken back (None: never by itself),
    `undo` what does it, as `mitigations.base.Undo` gives it; empty: nothing known does.

    `undoing` says that somebody is at it now, `doubt` that it was tried and nobody knows.
    """

    request: Request
    since: datetime
    expires_at: datetime | None
    undo: Mapping[str, Any]
    auto: bool = False
    undoing: bool = False
    doubt: bool = False
    undone: bool = False

    @property
    def id(self) -> str:
        """Names it in the whole journal."""
        return self.request.event.id

    @property
    def label(self) -> str:
        """What stands, in a few words."""
        name, title = self.request.label, self.request.title
        return title if not name or name in title else f"{title}: {name}"

    @property
    def temporary(self) -> bool:
        return self.expires_at is not None

    def left(self, now: datetime) -> float:
        """Seconds until it expires, below 0 when it has; for what does not expire, infinitely
        many."""
        return (self.expires_at - now).total_seconds() if self.expires_at else float("inf")


def standing(requests: Iterable[Request]) -> tuple[Change, ...]:
    """The changes that stand, those that expire first at the head, then the newest.

    What was done again is counted once, as of the last time: whoever blocks an address for longer
    means one block. What takes something back is no change of its own.
    """
    known = list(requests)
    back = taken_back(known)
    found: dict[str, Change] = {}
    for request in known:
        change = _change(request, back.get((request.event.incident, request.seq)))
        if change is not None:
            found[_meaning(change)] = change
    return tuple(sorted((one for one in found.values() if not one.undone), key=_order))


def taken_back(requests: Iterable[Request]) -> Mapping[tuple[str, int], Request]:
    """What takes a request back, by that one's incident and sequence: the one that did it, else
    the newest that was neither refused nor failed."""
    found: dict[tuple[str, int], Request] = {}
    for request in requests:
        link = request.undoes
        if link is None or request.state in ("refused", "failed"):
            continue
        if link not in found or found[link].state != "done":
            found[link] = request
    return found


def temporary(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those with an end."""
    return tuple(change for change in changes if change.temporary)


def summary(changes: Sequence[Change], now: datetime) -> str:
    """One line for what is temporary; empty where nothing is.

    >>> summary((), datetime.min)
    ''
    """
    found = temporary(changes)
    if not found:
        return ""
    first = found[0]
    left = first.left(now)
    said = f"{_minutes(left)} left" if left > 0 else "EXPIRED"
    return f"{len(found)} temporary: {first.label}, {said}"


def doubts(changes: Iterable[Change]) -> str:
    """What speaks against closing an incident: what is temporary and still in place."""
    live = temporary(changes)
    if not live:
        return ""
    named = ", ".join(one.label for one in live[:_NAMED])
    more = f" and {len(live) - _NAMED} more" if len(live) > _NAMED else ""
    return f"still in place and temporary: {named}{more}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _change(request: Request, back: Request | None) -> Change | None:
    outcome = request.outcome
    if outcome is None or request.state == "refused" or request.undoes is not None:
        return None
    undo, expires = outcome.data.get("undo"), instant_of(outcome.data.get("expires_at"))
    if not isinstance(undo, dict) and (expires is None or request.state != "done"):
        return None  # what failed half-way stands where it says what takes its part back
    return Change(
        request,
        outcome.at,
        expires,
        undo if isinstance(undo, dict) else {},
        auto=bool(request.event.data.get("auto_undo")),
        undoing=back is not None and back.state == "",
        doubt=back is not None and back.state == "UNKNOWN",
        undone=back is not None and back.state == "done",
    )


def _meaning(change: Change) -> str:
    """Two changes with the same target and the same way back are one."""
    return packed([*change.request.key, change.undo])


def _order(change: Change) -> tuple[float, float]:
    ends = change.expires_at.timestamp() if change.expires_at else float("inf")
    return ends, -change.since.timestamp()
