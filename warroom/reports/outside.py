"""The report for people outside: only what was chosen for them, nothing that names the inside.

An entry is chosen when it is starred or marked external, and not internal. Who wrote or did what,
mitigations, hypotheses, evidence, figures and the checklist stay inside. In every text that
remains, names of people and hosts, addresses, URLs, e-mail addresses and what looks like a secret
are masked (`disclosure` finds them); names of systems that the team watches are not: "api" is a
word, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from warroom.domain.incident import ActionItem
from warroom.domain.timeline import TAGS, Entry, Timeline
from warroom.reports.disclosure import LIMIT, hints
from warroom.reports.report import Audience, Report

SOMEBODY: Final = "responder"
"""Who wrote an entry, for people outside."""
_MASKS: Final[Mapping[str, str]] = {
    "an IP address": "‹address›",
    "an address": "‹address›",
    "an e-mail address": "‹e-mail›",
    "a host's name": "‹host›",
    "a secret, perhaps": "‹secret›",
    "an internal name": "‹name›",
}
_KEPT: Final = frozenset({"severity", "status", "after"})
"""What of an entry's data the computed values need, and that names nothing."""


def outside(report: Report, names: Collection[str] = ()) -> Report:
    """`report` for readers outside. `names` are hosts that the config names."""
    timeline = report.timeline
    inside = frozenset({*names, *names_of(timeline)})
    incident = timeline.incident
    public = replace(
        incident,
        title=masked(incident.title, inside),
        roles={},
        fields={name: masked(text, inside) for name, text in incident.fields.items()},
        action_items=tuple(
            ActionItem(masked(item.text, inside), done=item.done) for item in incident.action_items
        ),
        hypotheses=(),
    )
    chosen = [_entry(entry, inside) for entry in timeline.entries if entry.for_outside]
    return replace(
        report,
        timeline=replace(timeline, incident=public, entries=tuple(chosen), exhibits=()),
        checklist=(),
        readings=(),
        gaps=(),
        patch="",
        audience=Audience.EXTERNAL,
    )


def names_of(timeline: Timeline) -> set[str]:
    """People and hosts that the incident names."""
    incident = timeline.incident
    found = {entry.author for entry in timeline.entries}
    found |= {person for people in incident.roles.values() for person in people}
    found |= {item.owner for item in incident.action_items}
    found |= {exhibit.evidence.host for exhibit in timeline.exhibits}
    for entry in timeline.entries:
        if entry.data:
            found |= {_said(entry.data, "person"), _said(entry.data, "host")}
    return {name for name in found if len(name) > 1}


def masked(text: str, names: Collection[str]) -> str:
    """`text` without what people outside need not know.

    >>> masked("bob restarted db1 (10.0.0.7)", {"bob", "db1"})
    '‹name› restarted ‹name› (‹address›)'
    """
    text = text if len(text) <= LIMIT else f"{text[:LIMIT]}…"
    written, end = [], 0
    for hint in hints(text, names):
        written += [text[end : hint.start], _MASKS.get(hint.what, "‹masked›")]
        end = hint.end
    return "".join([*written, text[end:]])


def _entry(entry: Entry, names: Collection[str]) -> Entry:
    kept = {name: value for name, value in entry.data.items() if name in _KEPT}
    return entry._replace(
        author=SOMEBODY,
        text=masked(entry.text, names),
        data=kept | {"tags": [tag for tag in entry.tags if tag in TAGS]},
        rivals=(),
    )


def _said(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
