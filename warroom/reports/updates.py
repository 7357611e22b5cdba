"""Status updates: facts, rendered as a draft for somebody to edit and send. Pure.

A template is Jinja2, one for each audience and stage: `chat.initial.j2`. It is given
  incident, scheme, severity_label      see domain.incident; the scheme's name
  since, resolved_at, next_at           instants, or none
  lasted                                seconds since it began, or until it was resolved
  impact, resolution                    texts of a line, perhaps empty
  progress                              a sentence for the public about the status, up to the title
  commander, people                     names; (role, names)
  channel                               what the incident's chat channel is called, perhaps empty
  down                                  Ill: name, health, reason, since
  tried                                 Tried: text, outcome, effect
  changed                               Moved: at, text; what happened since the last update
and the functions
  clock(instant), day(instant)          in the zone and in UTC
  span(seconds)                         a duration
What `{{ ... }}` writes is one line of plain text, in which no link and no mention can begin: a
chat would make them out of a host's name or a log line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from warroom.domain.clock import span
from warroom.domain.incident import Incident, Status
from warroom.domain.naming import slug
from warroom.domain.text import harmless, shorten
from warroom.reports.environment import built_in, fill_in
from warroom.reports.times import abbreviation

AUDIENCES: Final = ("chat", "status page", "stakeholders")
"""Those that have templates here; any other is told as the stakeholders are."""
WIDTH: Final = 400
"""Characters of one value that an update writes."""
_PROGRESS: Final[Mapping[Status, str]] = {
    Status.INVESTIGATING: "We are looking into this:",
    Status.IDENTIFIED: "We know the cause and are working on this:",
    Status.MITIGATING: "We are putting a fix in place for this:",
    Status.MONITORING: "A fix is in place and we are watching it:",
    Status.RESOLVED: "This is resolved:",
    Status.CLOSED: "This is resolved:",
}


@dataclass(frozen=True, slots=True)
class Ill:
    """A source that is not well now."""

    name: str
    health: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A mitigation; empty texts are not known yet."""

    text: str
    outcome: str
    effect: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that happened since the last update."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now, for whatever audience."""

    incident: Incident
    severity_label: str
    now: datetime
    since: datetime
    next_at: datetime | None
    down: tuple[Ill, ...]
    tried: tuple[Tried, ...]
    changed: tuple[Moved, ...]
    channel: str


def file_name(audience: str, stage: str) -> str:
    """The file of a template.

    >>> file_name("status page", "initial")
    'status-page.initial.j2'
    """
    return f"{slug(audience) or 'chat'}.{stage}.j2"


def draft(
    facts: Facts, audience: str, stage: str, *, zone: ZoneInfo, template: str | None = None
) -> str:
    """The text of an update. `template` is the text of a team's own template.

    Raises BadTemplate with the line at fault.
    """
    if template is None:
        known = audience if audience in AUDIENCES else "stakeholders"
        template = built_in(f"updates/{file_name(known, stage)}")
    functions: dict[str, Callable[..., str]] = {
        "clock": partial(clock, zone=zone, now=facts.now),
        "day": lambda instant: f"{instant.astimezone(zone):%Y-%m-%d}",
        "span": span,
    }
    text = fill_in(template, _context(facts), written=plain, functions=functions)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _context(facts: Facts) -> Mapping[str, object]:
    incident = facts.incident
    ended = incident.resolved_at or facts.now
    return {
        "incident": incident,
        "scheme": incident.scheme,
        "severity_label": facts.severity_label,
        "since": facts.since,
        "resolved_at": incident.resolved_at,
        "next_at": facts.next_at,
        "lasted": max(0.0, (ended - facts.since).total_seconds()),
        "impact": incident.fields.get("impact", "").strip(),
        "resolution": incident.fields.get("resolution", "").strip(),
        "progress": _PROGRESS[incident.status],
        "commander": incident.commander,
        "people": [(role.value, names) for role, names in incident.roles.items()],
        "channel": facts.channel,
        "down": facts.down,
        "tried": facts.tried,
        "changed": facts.changed,
    }


def clock(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`14:35 CET (13:35 UTC)`; with the date where it is not today's in the zone, and with both
    where the two are not of the same day.

    >>> now = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    >>> clock(datetime(2026, 11, 21, 13, 35, tzinfo=UTC), ZoneInfo("Europe/Berlin"), now)
    '14:35 CET (13:35 UTC)'
    >>> clock(datetime(2026, 11, 20, 13, 35, tzinfo=UTC), ZoneInfo("Europe/Berlin"), now)
    '2026-11-20 14:35 CET (13:35 UTC)'
    """
    local, utc = instant.astimezone(zone), instant.astimezone(UTC)
    name = abbreviation(local)
    dated = "" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d} "
    if name == "UTC":
        return f"{dated}{utc:%H:%M} UTC"
    if local.date() != utc.date():
        return f"{local:%Y-%m-%d %H:%M} {name} ({utc:%Y-%m-%d %H:%M} UTC)"
    return f"{dated}{local:%H:%M} {name} ({utc:%H:%M} UTC)"


_BEGINNINGS: Final = re.compile(
    r"""
      :(?=//) | (?<=mailto): | (?<=javascript): | (?<=data):   # an address
    | @(?=\w)                                                  # somebody, or everybody
    | <(?=[!@\#])                                              # Slack's own for the same
    | \](?=\()                                                 # a link in Markdown
    """,
    re.VERBOSE | re.IGNORECASE,
)


def plain(value: object) -> str:
    """What `{{ ... }}` writes: one harmless line without the beginnings of links and mentions.

    >>> plain("see http://evil.example @channel <!here> ![x](//y)")
    'see http: //evil.example @ channel < !here> ![x] (//y)'
    """
    lines = harmless(str(value), lines=True).split("\n")
    text = " ".join(part.strip() for part in lines if part.strip()) if len(lines) > 1 else lines[0]
    return shorten(_BEGINNINGS.sub(r"\g<0> ", text[: 4 * WIDTH]), WIDTH)
