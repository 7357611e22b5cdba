"""The post-mortem: a report, rendered through a template. Pure: the same report, template and
figures give the same text.

A template is Jinja2, in a sandbox that can neither reach nor change anything. Everything that
`{{ ... }}` writes is escaped for CommonMark. Instants are in UTC until `when` writes them. It is
given
  incident, scheme, severity_label      see domain.incident and domain.severity
  internal                              false for readers outside: then names and addresses are
                                        masked, and what is nobody's business there is empty
  started_at                            when it started, or none
  duration                              seconds from the opening to the resolution, or so far
  lasted                                the same, from when it started
  commanders, roles                     names in the order of handover; (role, names)
  measures                              Measure: label, seconds, at, open
  severities, statuses                  (name, seconds) in the order of their first time
  days, utc_days, key_days              Day: date, lines; a Line has time, utc, who, text, starred,
                                        internal, amended, tags, cited, rivals. All entries in the
                                        zone; all in UTC; those that tell the course
  people                                Person: name, roles, entries, mitigations, updates
  mitigations                           Mitigation: time, text, target, who, outcome, effect,
                                        figures (metric, before, after)
  updates                               Update: at, audience, stage, channel, state, who
  promises                              Promise: audience, sent, on_time, late, silent
  first_moves                           Move: at, what
  moved_rule                            how the metrics among them were found
  hypotheses                            Hypothesis: text, state, reason
  undone                                Item: phase, text, of the checklist
  exhibits                              Proof: label, kind, title, text, source, host, query,
                                        begin, end, who, at, picture
  charts                                (title, path)
  fields                                name → text, for the names in domain.incident.FIELDS
and the functions
  fill(what)                            a mark that something is still to be written
  told(name, indent)                    the text of a field, or such a mark
  block(text, indent)                   a text of several lines
  fence(text)                           a text as a fenced block
  picture(title, path)                  an image, of the report's own figures alone
  appendix(level)                       all evidence under a heading of that level ("##")
  runbooks(level)                       what was found out about the runbooks, in the same way
  listed(day), brief(day)               its lines as list items: in full; when and what
  when(instant), date(instant), span(seconds), figure(number)
                                        an instant in the zone and in UTC; its date; a duration
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from warroom.domain.clock import span
from warroom.domain.incident import FIELDS, Incident, Role, Status
from warroom.domain.timeline import Timeline, mitigation_runs
from warroom.reports import doings, times, views
from warroom.reports import moved as movements
from warroom.reports.environment import built_in, fill_in
from warroom.reports.markdown import Markup, block, fence, inline
from warroom.reports.report import PATCH, Audience, Figure, Report

_UTC = ZoneInfo("UTC")


class Writing(Protocol):
    """How the lines of a day are written."""

    def listed(self, day: views.Day) -> Markup: ...

    def brief(self, day: views.Day) -> Markup: ...


def render(
    report: Report,
    template: str,
    *,
    figures: Sequence[Figure] = (),
    folder: str = "",
    writing: Writing = views,
    known: Mapping[str, Any] | None = None,
) -> str:
    """The post-mortem as Markdown, through the text of a template.

    `figures` are those that lie in `folder`, a path relative to where the text will lie. `known`
    is what `facts` gives, where several texts are made of it. Raises BadTemplate with the line at
    fault.
    """
    paths = _paths(figures, folder)
    given = {**(facts(report) if known is None else known), **_pictured(report, figures, paths)}
    functions = {
        **_functions(report, set(paths.values())),
        "listed": writing.listed,
        "brief": writing.brief,
    }

    def appendix(level: str = "##") -> Markup:
        proofs = {"exhibits": given["exhibits"], "level": Markup(level)}
        text = fill_in(built_in("evidence.md.j2"), proofs, written=_written, functions=functions)
        return Markup(text.rstrip("\n"))

    def runbooks(level: str = "##") -> Markup:
        known = {"gaps": given["gaps"], "patch": given["patch"], "level": Markup(level)}
        text = fill_in(built_in("runbooks.md.j2"), known, written=_written, functions=functions)
        return Markup(text.rstrip("\n"))

    more: dict[str, Callable[..., Any]] = {**functions, "appendix": appendix, "runbooks": runbooks}
    return fill_in(template, given, written=_written, functions=more)


def fill(what: str) -> Markup:
    """The mark for what is not known.

    >>> fill("root cause")
    '_To fill in: root cause_'
    """
    return Markup(f"_To fill in: {inline(what)}_")


def now_of(timeline: Timeline) -> datetime:
    """The instant that the timeline was projected as of."""
    opened = timeline.incident.opened_at
    return datetime.fromtimestamp(opened.timestamp() + timeline.durations.total, UTC)


def _written(value: object) -> str:
    """What `{{ ... }}` writes: escaped, unless it is one of our own marks."""
    return value if isinstance(value, Markup) else inline(str(value))


def _functions(report: Report, paths: set[str]) -> dict[str, Callable[..., Any]]:
    fields, zone = report.timeline.incident.fields, report.zone

    def told(name: str, indent: int = 0) -> Markup:
        text = fields.get(name, "").strip()
        return block(text, indent) if text else fill(FIELDS.get(name, name))

    def picture(title: str, path: str) -> Markup:
        return Markup(f"![{inline(title)}]({quote(path)})") if path in paths else Markup("")

    return {
        "fill": fill,
        "told": told,
        "block": block,
        "fence": fence,
        "picture": picture,
        "span": span,
        "when": partial(times.whole, zone=zone),
        "date": partial(times.day, zone=zone),
        "figure": "{:.4g}".format,
    }


def _paths(figures: Sequence[Figure], folder: str) -> Mapping[str, str]:
    """Where each figure lies, by its name."""
    return {each.name: f"{folder}/{each.name}" if folder else each.name for each in figures}


def facts(report: Report) -> Mapping[str, Any]:
    """What a template is given of a report, wherever its figures lie."""
    timeline, zone = report.timeline, report.zone
    cited: dict[int, list[str]] = {}
    for exhibit in timeline.exhibits:
        cited.setdefault(exhibit.entry, []).append(exhibit.label)
    shown = doings.shown(timeline.entries)
    inside = report.audience is Audience.INTERNAL
    key = doings.key_moments(timeline.entries) if inside else shown  # chosen, each of them
    return {
        **_head(report),
        "days": views.Days(shown, zone, cited),
        "utc_days": views.Days(shown, _UTC, cited),
        "key_days": views.Days(key, zone, cited),
        **_doings(report),
        "fields": timeline.incident.fields,
    }


def _pictured(
    report: Report, figures: Sequence[Figure], paths: Mapping[str, str]
) -> Mapping[str, object]:
    """The evidence and the charts, with where their pictures lie."""
    return {
        "exhibits": [
            views.proof(exhibit, _picture_of(exhibit.label, figures, paths))
            for exhibit in report.timeline.exhibits
        ],
        "charts": [(f.title, paths[f.name]) for f in figures if not f.exhibit],
    }


def _head(report: Report) -> Mapping[str, object]:
    """Who, when and how bad."""
    timeline, scheme = report.timeline, report.scheme
    incident = timeline.incident
    labels = {level.name: level.label for level in scheme.levels}
    return {
        "incident": incident,
        "scheme": scheme,
        "severity_label": labels.get(incident.severity, "") if _named(incident, report) else "",
        "internal": report.audience is Audience.INTERNAL,
        "started_at": timeline.started_at,
        "duration": timeline.durations.total,
        "lasted": timeline.durations.total + (timeline.durations.detect or 0.0),
        "commanders": doings.commanders(timeline),
        "roles": [(role.value, incident.roles[role]) for role in Role if role in incident.roles],
        "measures": views.measures(timeline),
        "severities": list(timeline.time_in_severity.items()),
        "statuses": [
            (status.value, seconds)
            for status, seconds in timeline.time_in_status.items()
            if status is not Status.CLOSED
        ],
    }


def _doings(report: Report) -> Mapping[str, object]:
    """Who did what, what moved, what is left."""
    timeline, now = report.timeline, now_of(report.timeline)
    courses = movements.moved(timeline, report.readings, now)
    return {
        "people": doings.people(timeline),
        "mitigations": [
            views.mitigation(run, report.zone) for run in mitigation_runs(timeline.entries)
        ],
        "updates": views.updates(timeline),
        "promises": doings.promises(timeline, report.scheme, now),
        "first_moves": views.first_moves(timeline, courses),
        "moved_rule": movements.RULE if courses else "",
        "hypotheses": timeline.incident.hypotheses,
        "undone": doings.undone(timeline.incident, report.checklist),
        "gaps": report.gaps,
        "patch": PATCH if report.patch else "",
    }


def _named(incident: Incident, report: Report) -> bool:
    """Whether the scheme at hand is the incident's: "P1" means another thing in another one."""
    return report.scheme.name == incident.scheme


def _picture_of(label: str, figures: Sequence[Figure], paths: Mapping[str, str]) -> str:
    return next((paths[figure.name] for figure in figures if figure.exhibit == label), "")
