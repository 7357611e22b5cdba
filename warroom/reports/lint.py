"""What is still missing in a post-mortem: said when it is written, never in the way. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from warroom.domain.incident import FIELDS, Belief
from warroom.domain.text import harmless, shorten
from warroom.reports.doings import promises
from warroom.reports.postmortem import now_of
from warroom.reports.report import Audience, Report

_WIDTH: Final = 60
_NEEDED: Final = ("summary", "impact", "root_cause", "resolution", "lessons")
"""Fields without which nobody learns anything."""
_NEEDED_OUTSIDE: Final = ("summary", "impact", "root_cause", "resolution")


def missing(report: Report) -> list[str]:
    """One plain line for everything that is to be filled in, decided or said, the worst first."""
    if report.audience is Audience.EXTERNAL:
        return [*_fields(report), *_chosen(report)]
    return [*_fields(report), *_items(report), *_open_questions(report), *_updates(report)]


def _fields(report: Report) -> Iterator[str]:
    outside = report.audience is Audience.EXTERNAL
    fields = report.timeline.incident.fields
    for name in _NEEDED_OUTSIDE if outside else _NEEDED:
        if not fields.get(name, "").strip():
            yield f"nothing is said yet about: {FIELDS[name]}"


def _items(report: Report) -> Iterator[str]:
    incident = report.timeline.incident
    if not incident.action_items:
        yield "there are no action items"
    for item in incident.action_items:
        if item.done:
            continue
        lacks = [what for what, said in (("owner", item.owner), ("due date", item.due)) if not said]
        if lacks:
            yield f"action item without {' and '.join(lacks)}: {_short(item.text)}"


def _open_questions(report: Report) -> Iterator[str]:
    incident = report.timeline.incident
    if not incident.commander:
        yield "nobody was incident commander"
    if incident.resolved_at is None:
        yield f"the incident is not resolved: {incident.status}"
    for one in incident.hypotheses:
        if one.state is Belief.OPEN:
            yield f"hypothesis neither ruled out nor confirmed: {_short(one.text)}"
    for entry in report.timeline.entries:
        if entry.rivals:
            said = f"{len(entry.rivals) + 1} versions of one entry"
            yield f"{said}, nobody chose: {_short(entry.text)}"


def _updates(report: Report) -> Iterator[str]:
    timeline = report.timeline
    for promise in promises(timeline, report.scheme, now_of(timeline)):
        whom = promise.audience or "whoever is told"
        if not promise.sent:
            yield f"no update was sent to {whom}, although the severity promises them"
        elif promise.silent:
            yield f"the last update promised to {whom} was not sent"


def _chosen(report: Report) -> Iterator[str]:
    if not report.timeline.entries:
        yield "no entry is starred or marked for outside: the timeline is empty"


def _short(text: str) -> str:
    return shorten(harmless(text.strip()), _WIDTH)
