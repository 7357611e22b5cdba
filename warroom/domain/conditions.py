"""What a checklist's item can wait for, so that it ticks itself when it is so.

commander named          somebody is incident commander
severity confirmed       somebody set the severity again after the opening
update sent              a status update reached anybody; `update sent to chat`: one audience
resolution told          a status update said that it is over
evidence pinned          something was kept as evidence
every source ok          every source has been well for half a minute; `api ok`: one source
watch over               the watch after the resolution ended
post-mortem due          its date follows from the resolution and the scheme
post-mortem exported     it was written after the resolution
action items owned       there are some, and each has an owner and a date
impact written           so for every field of the incident
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from warroom.domain.incident import FIELDS, Incident

HELD_S: Final = 30.0
"""How long a source must be well before an item says so."""

_TO: Final = "update sent to "
_OK: Final = " ok"
_WRITTEN: Final = " written"
EVERY_SOURCE: Final = "every source"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now. `well_for` is, for each source that was looked at, for how many seconds
    it has been well (None: it is not). `postmortem_due` is None while nobody knows."""

    incident: Incident
    well_for: Mapping[str, float | None] = field(default_factory=dict)
    pinned: bool = False
    watch_over: bool = False
    postmortem_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`about` names the source, the audience or the field, where there is one."""

    kind: str
    about: str = ""


def parsed(text: str) -> Condition:
    """The condition that `text` says. Raises ValueError, one plain line."""
    said = " ".join(text.split())
    if said.casefold() in _REASONS:
        return Condition(said.casefold())
    if said.casefold().startswith(_TO):
        return Condition("update sent to", said[len(_TO) :].casefold())
    if said.casefold().endswith(_OK):
        about = said[: -len(_OK)]
        return Condition("source ok", "" if about.casefold() == EVERY_SOURCE else about)
    name = said.casefold().removesuffix(_WRITTEN).replace(" ", "_")
    if said.casefold().endswith(_WRITTEN) and name in FIELDS:
        return Condition("field written", name)
    known = [*_REASONS, "update sent to AUDIENCE", "every source ok", "SOURCE ok", "FIELD written"]
    close = difflib.get_close_matches(said[:80].casefold(), known, n=1, cutoff=0.6)
    hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known)}"
    raise ValueError(f'nothing is known as "{said[:60]}"; {hint}')


def reason(condition: Condition, facts: Facts) -> str:
    """Why the condition holds, in a few words; empty when it does not."""
    match condition.kind:
        case "source ok":
            return _well(condition.about, facts)
        case "update sent to":
            told = facts.incident.told.get(condition.about)
            return f"{condition.about} was told" if told else ""
        case "field written":
            written = facts.incident.fields.get(condition.about, "").strip()
            return f"the {FIELDS[condition.about]} is written" if written else ""
        case kind:
            return _REASONS[kind](facts)


def _well(source: str, facts: Facts) -> str:
    names = [source] if source else list(facts.well_for)
    held = [facts.well_for.get(name) for name in names]
    if not held or any(seconds is None or seconds < HELD_S for seconds in held):
        return ""
    return f"{source} is ok" if source else "every source is ok"


def _commander(facts: Facts) -> str:
    return f"{facts.incident.commander} is" if facts.incident.commander else ""


def _confirmed(facts: Facts) -> str:
    incident = facts.incident
    again = incident.severity_since > incident.opened_at
    return f"{incident.severity} was set" if again else ""


def _sent(facts: Facts) -> str:
    return f"{', '.join(facts.incident.told)} told" if facts.incident.told else ""


def _over_told(facts: Facts) -> str:
    who = [name for name, told in facts.incident.told.items() if told.stage == "resolved"]
    return f"{', '.join(who)} told" if who else ""


def _pinned(facts: Facts) -> str:
    return "evidence is pinned" if facts.pinned else ""


def _watched(facts: Facts) -> str:
    return "the watch is over, nothing came back" if facts.watch_over else ""


def _due(facts: Facts) -> str:
    due = facts.postmortem_due
    return f"due {due:%Y-%m-%d %H:%M} UTC" if due else ""


def _exported(facts: Facts) -> str:
    written, resolved = facts.incident.exported_at, facts.incident.resolved_at
    return "it is written" if written and resolved and written >= resolved else ""


def _owned(facts: Facts) -> str:
    items = facts.incident.action_items
    if not items or not all(item.owner and item.due for item in items):
        return ""
    return f"{len(items)} with owner and date"


_REASONS: Final[Mapping[str, Callable[[Facts], str]]] = {
    "commander named": _commander,
    "severity confirmed": _confirmed,
    "update sent": _sent,
    "resolution told": _over_told,
    "evidence pinned": _pinned,
    "watch over": _watched,
    "post-mortem due": _due,
    "post-mortem exported": _exported,
    "action items owned": _owned,
}
