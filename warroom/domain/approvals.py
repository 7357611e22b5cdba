"""Who else must want an action, and whether they do: as the events tell it. Pure.

An event of kind APPROVAL with the state `asked` shows the whole card; later ones name it in
`data["asked"]`: `given` by another person, `refused` by one, `withdrawn` by whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from warroom.domain.events import Author, Event, Kind

VALID: Final = timedelta(minutes=10)
"""How long after it was asked for an approval may be given and used."""

KINDS: Final = frozenset({Kind.APPROVAL, Kind.REQUESTED})
"""The events that matter here."""


class State(StrEnum):
    """What an event of kind APPROVAL says."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Approval:
    """One question for more persons. `by` are those who said yes, `ended` the event that ended
    it, if it is not open any more."""

    asked: Event
    by: tuple[Event, ...] = ()
    ended: Event | None = None

    @property
    def seq(self) -> int:
        return self.asked.seq

    @property
    def needed(self) -> int:
        """How many persons besides the one who asked."""
        count = self.asked.data.get("needed")
        return max(1, count) if isinstance(count, int) else 1

    @property
    def complete(self) -> bool:
        return self.ended is None and len({event.author.login for event in self.by}) >= self.needed

    def expired(self, now: datetime) -> bool:
        return now - self.asked.recorded_at >= VALID

    def left(self, now: datetime) -> float:
        """Seconds until it expires."""
        return (self.asked.recorded_at + VALID - now).total_seconds()

    def waits(self, now: datetime) -> bool:
        """Whether somebody can still answer it."""
        return self.ended is None and not self.complete and not self.expired(now)


def approvals(events: Iterable[Event]) -> tuple[Approval, ...]:
    """Every question, in the order of the journal. A request that names one ends it."""
    found: dict[int, Approval] = {}
    for event in events:
        if event.kind is Kind.REQUESTED:
            _use(found, event)
        if event.kind is not Kind.APPROVAL:
            continue
        state, seq = event.data.get("state"), event.data.get("asked")
        if state == State.ASKED:
            found[event.seq] = Approval(event)
        elif isinstance(seq, int) and seq in found and found[seq].ended is None:
            one = found[seq]
            if state == State.GIVEN:
                if not refusal(one.asked.author, event.author, same_machine=False):
                    found[seq] = replace(one, by=(*one.by, event))
            elif state in (State.REFUSED, State.WITHDRAWN):
                found[seq] = replace(one, ended=event)
    return tuple(found.values())


def _use(found: dict[int, Approval], request: Event) -> None:
    seq = request.data.get("approval")
    if isinstance(seq, int) and seq in found and found[seq].ended is None:
        found[seq] = replace(found[seq], ended=request)


def refusal(asker: Author, other: Author, *, same_machine: bool) -> str:
    """Why `other` is no second person; empty when it is one. Where both are on the same machine
    one user id is one person, whatever it calls itself."""
    if asker.login == other.login:
        return f"{other.login} asked for it: another person must confirm"
    if same_machine and asker.uid == other.uid:
        return f"{other.login} and {asker.login} are the same user here (uid {other.uid})"
    return ""
