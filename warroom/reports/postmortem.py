"""The post-mortem: a timeline, rendered through a template. Pure: the same timeline, zone, scheme
and template give the same text.

A template is Jinja2, in a sandbox that can neither reach nor change anything. Everything that
`{{ ... }}` writes is escaped for CommonMark. It is given
  incident, scheme, severity_label      see domain.incident and domain.severity
  started_at                            when it started, or none
  commanders, roles                     names in the order of handover; (role, names)
  measures                              Measure: label, seconds, at, open
  severities                            (severity, seconds) in the order of their first time
  days                                  Day: date, lines; a Line has time, utc, who, text, starred,
                                        internal, amended
  mitigations                           Mitigation: time, text, target, who, outcome, effect
  fields                                name → text, for the names in domain.incident.FIELDS
and the functions
  fill(what)                            a mark that something is still to be written
  told(name)                            the text of a field, or such a mark
  block(text, indent)                   a text of several lines
  when(instant), span(seconds)          an instant in the zone and in UTC; a duration
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from warroom.domain.clock import span
from warroom.domain.events import Kind
from warroom.domain.incident import FIELDS, Incident, Role
from warroom.domain.severity import Scheme
from warroom.domain.timeline import Entry, MitigationRun, Timeline, mitigation_runs
from warroom.reports import times
from warroom.reports.errors import BadTemplate
from warroom.reports.markdown import Markup, block, inline

UNSHOWN: Final = frozenset({Kind.FIELD, Kind.ACTION_ITEM, Kind.EXPORTED})
"""What has a section of its own, or is about the report itself."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long something took, in seconds, and when it was so; None: not known, or not yet."""

    label: str
    seconds: float | None
    at: datetime | None
    open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the timeline shows it; `utc` is empty when `time` is in UTC."""

    time: str
    utc: str
    who: str
    text: str
    starred: bool
    internal: bool
    amended: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The lines of one date in the zone."""

    date: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Mitigation:
    """One mitigation from request to effect; empty texts are not known."""

    time: str
    text: str
    target: str
    who: str
    outcome: str
    effect: str


def render(
    timeline: Timeline, *, zone: ZoneInfo, scheme: Scheme, template: str | None = None
) -> str:
    """The post-mortem as Markdown. `template` is the text of a team's own template.

    Raises BadTemplate with the line at fault.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.globals.update(_functions(timeline.incident, zone))
    try:
        text = environment.from_string(_default() if template is None else template).render(
            _context(timeline, zone, scheme)
        )
    except (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError) as error:
        raise BadTemplate(_fault(error)) from error
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise BadTemplate(_fault(error)) from error
    return text.rstrip("\n") + "\n"


def shown(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that stand in the timeline of a report."""
    return [entry for entry in entries if entry.kind not in UNSHOWN]


def _written(value: object) -> str:
    """What `{{ ... }}` writes: escaped, unless it is one of our own marks."""
    return value if isinstance(value, Markup) else inline(str(value))


def _functions(incident: Incident, zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    def told(name: str) -> Markup:
        text = incident.fields.get(name, "").strip()
        return block(text) if text else fill(FIELDS.get(name, name))

    return {
        "fill": fill,
        "told": told,
        "block": block,
        "span": span,
        "when": partial(times.whole, zone=zone),
    }


def fill(what: str) -> Markup:
    """The mark for what is not known.

    >>> fill("root cause")
    '_To fill in: root cause_'
    """
    return Markup(f"_To fill in: {inline(what)}_")


def _context(timeline: Timeline, zone: ZoneInfo, scheme: Scheme) -> Mapping[str, object]:
    incident = timeline.incident
    named = scheme.name == incident.scheme
    labels = {level.name: level.label for level in scheme.levels} if named else {}
    return {
        "incident": incident,
        "scheme": scheme,
        "severity_label": labels.get(incident.severity, ""),
        "started_at": timeline.started_at,
        "commanders": _commanders(timeline),
        "roles": [(r.value, incident.roles[r]) for r in Role if r in incident.roles],
        "measures": _measures(timeline),
        "severities": list(timeline.time_in_severity.items()),
        "days": _days(shown(timeline.entries), zone),
        "mitigations": [_mitigation(run, zone) for run in mitigation_runs(timeline.entries)],
        "fields": incident.fields,
    }


def _commanders(timeline: Timeline) -> list[str]:
    names: list[str] = []
    for entry in sorted(timeline.entries, key=lambda entry: entry.seq):
        if entry.kind is Kind.ROLE and entry.data.get("role") == Role.COMMANDER.value:
            person = str(entry.data.get("person", ""))
            if person and names[-1:] != [person]:
                names.append(person)
    return names


def _measures(timeline: Timeline) -> list[Measure]:
    incident, took = timeline.incident, timeline.durations
    unresolved = incident.resolved_at is None
    return [
        Measure("detect", took.detect, incident.opened_at if took.detect else None, False),
        Measure("acknowledge", took.acknowledge, incident.acknowledged_at, unresolved),
        Measure("mitigate", took.mitigate, incident.mitigated_at, unresolved),
        Measure("resolve", took.resolve, incident.resolved_at, unresolved),
    ]


def _days(entries: Iterable[Entry], zone: ZoneInfo) -> list[Day]:
    by_date: dict[str, list[Line]] = {}
    for entry in entries:
        by_date.setdefault(times.day(entry.at, zone), []).append(_line(entry, zone))
    return [Day(date, tuple(lines)) for date, lines in by_date.items()]


def _line(entry: Entry, zone: ZoneInfo) -> Line:
    return Line(
        time=times.clock_time(entry.at, zone),
        utc=times.utc_time(entry.at, zone),
        who="warroom" if entry.by_machine else entry.author,
        text=f"opened: {entry.text}" if entry.kind is Kind.OPENED else entry.text,
        starred=entry.starred,
        internal=entry.internal,
        amended=entry.amended,
    )


def _mitigation(run: MitigationRun, zone: ZoneInfo) -> Mitigation:
    request = run.request
    target, host = request.data.get("target"), str(request.data.get("host", ""))
    label = str(target.get("label", "")) if isinstance(target, Mapping) else ""
    return Mitigation(
        time=times.whole(request.at, zone),
        text=request.text,
        target=f"{label} on {host}" if label and host else label or host,
        who=request.author,
        outcome=_result(run.outcome, "state"),
        effect=_result(run.effect, "verdict"),
    )


def _result(entry: Entry | None, key: str) -> str:
    """The word that the data has for it, with what the text says beyond title and word."""
    if entry is None:
        return ""
    word = str(entry.data.get(key, ""))
    _, found, rest = entry.text.partition(f": {word}: ")
    return f"{word}: {rest}" if word and found else entry.text


def _default() -> str:
    from importlib.resources import files

    template = files("warroom.reports").joinpath("templates", "postmortem.md.j2")
    return template.read_text("utf-8")


def _fault(error: Exception) -> str:
    """The line of the template that is at fault, and why."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None and line is None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    place = f"line {line}: " if line else ""
    return f"template: {place}{inline(str(error) or type(error).__name__)}"
