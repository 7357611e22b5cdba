"""What to think of in an incident, for a team that has no checklist of its own.

Distilled from published incident runbooks: what they agree on, three or four items a phase.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from warroom.domain.incident import Incident


class Phase(StrEnum):
    """When an item is due, in order."""

    ASSESS = "assess"
    COMMUNICATE = "communicate"
    MITIGATE = "mitigate"
    VERIFY = "verify"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Item:
    """Something to tick. `id` is what a tick is recorded under, for as long as journals live.
    `when` is the condition (see `domain.conditions`) under which it ticks itself; empty: never."""

    id: str
    phase: Phase
    text: str
    when: str = ""


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
    Item(
        "assess.severity",
        Phase.ASSESS,
        "Set the severity again once that is known",
        "severity confirmed",
    ),
    Item("assess.changes", Phase.ASSESS, "Look at what changed last: deploys, config, traffic"),
    Item(
        "communicate.commander", Phase.COMMUNICATE, "Name an incident commander", "commander named"
    ),
    Item(
        "communicate.told",
        Phase.COMMUNICATE,
        "Tell the people that this severity calls for",
        "update sent",
    ),
    Item(
        "communicate.status_page",
        Phase.COMMUNICATE,
        "Update the status page if users see it",
        "update sent to status page",
    ),
    Item(
        "mitigate.evidence",
        Phase.MITIGATE,
        "Keep logs and figures before a restart loses them",
        "evidence pinned",
    ),
    Item("mitigate.least", Phase.MITIGATE, "Try the smallest thing that can be undone first"),
    Item("mitigate.rollback", Phase.MITIGATE, "Know the way back before changing anything"),
    Item("verify.healthy", Phase.VERIFY, "Every source and check is ok again", "every source ok"),
    Item(
        "verify.works",
        Phase.VERIFY,
        "Try what users do, end to end; look for new errors in the logs",
    ),
    Item("verify.watched", Phase.VERIFY, "Watch: rates and latency as before", "watch over"),
    Item(
        "after.told",
        Phase.AFTER,
        "Tell everyone that it is over; end maintenance mode",
        "resolution told",
    ),
    Item(
        "after.review",
        Phase.AFTER,
        "Fix a date for the post-mortem, within 48 hours",
        "post-mortem due",
    ),
    Item(
        "after.actions",
        Phase.AFTER,
        "Give every action item an owner and a date",
        "action items owned",
    ),
    Item("after.runbook", Phase.AFTER, "Put what was learnt into runbooks and alerts"),
)


def progress(items: Iterable[Item], ticked: Collection[str]) -> Progress:
    """How far `items` are done; ticks of items that are not among them do not count.

    >>> str(progress(DEFAULT[:3], {"assess.real", "gone"}))
    '1/3'
    """
    known = [item.id for item in items]
    return Progress(sum(item in ticked for item in known), len(known))


def by_phase(items: Iterable[Item]) -> tuple[tuple[Phase, tuple[Item, ...]], ...]:
    """The items of each phase that has some, phases in their order."""
    kept = tuple(items)
    phases = ((phase, tuple(i for i in kept if i.phase is phase)) for phase in Phase)
    return tuple((phase, own) for phase, own in phases if own)


def ticking(
    items: Iterable[Item], incident: Incident, holds: Callable[[str], str]
) -> tuple[tuple[Item, str], ...]:
    """The items that tick themselves now, each with the reason that `holds` gives for its `when`.

    Never one that a person ticked or unticked. What is to be verified, or done afterwards, is not
    looked at before somebody says that it is mitigated: before that it may be well by chance.
    """
    found = []
    for item in items:
        early = item.phase in (Phase.VERIFY, Phase.AFTER) and incident.mitigated_at is None
        if item.when and not early and item.id not in incident.handled:
            why = holds(item.when)
            if why:
                found.append((item, why))
    return tuple(found)


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
