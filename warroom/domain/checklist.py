"""What to think of in an incident, for a team that has no checklist of its own.

Distilled from published incident runbooks: what they agree on, three or four items a phase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """When an item is due, in order."""

    ASSESS = "assess"
    COMMUNICATE = "communicate"
    MITIGATE = "mitigate"
    VERIFY = "verify"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Item:
    """Something to tick. `id` is what a tick is recorded under, for as long as journals live."""

    id: str
    phase: Phase
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of how many items are ticked."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"


DEFAULT: Final[tuple[Item, ...]] = (
    Item("assess.real", Phase.ASSESS, "See it yourself: is it real, and for whom?"),
    Item("assess.scope", Phase.ASSESS, "Name what is hit: which services, how many people"),
    Item("assess.severity", Phase.ASSESS, "Set the severity"),
    Item("assess.changes", Phase.ASSESS, "Look at what changed last: deploys, config, traffic"),
    Item("communicate.commander", Phase.COMMUNICATE, "Name an incident commander"),
    Item("communicate.told", Phase.COMMUNICATE, "Tell the people that this severity calls for"),
    Item("communicate.status_page", Phase.COMMUNICATE, "Update the status page if users see it"),
    Item("mitigate.evidence", Phase.MITIGATE, "Keep logs and figures before a restart loses them"),
    Item("mitigate.least", Phase.MITIGATE, "Try the smallest thing that can be undone first"),
    Item("mitigate.rollback", Phase.MITIGATE, "Know the way back before changing anything"),
    Item("verify.healthy", Phase.VERIFY, "Every check is ok, with no new errors in the logs"),
    Item("verify.works", Phase.VERIFY, "Try what users do, end to end"),
    Item("verify.watched", Phase.VERIFY, "Watch for 30 minutes: rates and latency as before"),
    Item("after.told", Phase.AFTER, "Tell everyone that it is over; end maintenance mode"),
    Item("after.review", Phase.AFTER, "Fix a date for the post-mortem, within 48 hours"),
    Item("after.actions", Phase.AFTER, "Give every action item an owner and a date"),
    Item("after.runbook", Phase.AFTER, "Put what was learnt into runbooks and alerts"),
)


def progress(items: Iterable[Item], ticked: Collection[str]) -> Progress:
    """How far `items` are done; ticks of items that are not among them do not count.

    >>> str(progress(DEFAULT[:3], {"assess.real", "gone"}))
    '1/3'
    """
    known = [item.id for item in items]
    return Progress(sum(item in ticked for item in known), len(known))


def items_of(texts: Iterable[str]) -> tuple[Item, ...]:
    """A team's own checklist; an item may begin with its phase: `verify: smoke tests pass`.

    >>> [(item.phase.value, item.text) for item in items_of(["page the DBA", "after: write it up"])]
    [('assess', 'page the DBA'), ('after', 'write it up')]
    """
    items = []
    for text in texts:
        head, colon, rest = text.partition(":")
        known = colon and head.strip().casefold() in {phase.value for phase in Phase}
        phase = Phase(head.strip().casefold()) if known else Phase.ASSESS
        items.append(Item(text, phase, rest.strip() if known else text))
    return tuple(items)
