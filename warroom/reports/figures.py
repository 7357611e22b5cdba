"""The figures of a report: a chart for every metric that moved, a picture for evidence that has
one. Their names are of our own making: no foreign text becomes part of a path."""

from __future__ import annotations

import re
from typing import Final

from warroom.domain.text import shorten
from warroom.domain.timeline import mitigation_runs
from warroom.reports.chart import Mark, about, chart
from warroom.reports.moved import moved
from warroom.reports.picture import picture
from warroom.reports.postmortem import now_of
from warroom.reports.report import Audience, Figure, Report

_ODD: Final = re.compile(r"[^a-z0-9]+")
_LABEL: Final = 24


def drawn(report: Report) -> tuple[Figure, ...]:
    """Charts by the time at which each metric began to move, then pictures by their labels.

    None for readers outside: they show internal names.
    """
    if report.audience is Audience.EXTERNAL:
        return ()
    return (*_charts(report), *_pictures(report))


def _charts(report: Report) -> list[Figure]:
    timeline, zone = report.timeline, report.zone
    marks = _marks(report)
    return [
        Figure(
            f"chart-{number}-{_slug(course.name)}.svg",
            f"{course.name}. {about(course, zone)}",
            chart(course, marks, zone),
        )
        for number, course in enumerate(moved(timeline, report.readings, now_of(timeline)), start=1)
        if len(course.points) > 1
    ]


def _pictures(report: Report) -> list[Figure]:
    return [
        Figure(f"{exhibit.label}.svg", exhibit.evidence.title, picture(exhibit), exhibit.label)
        for exhibit in report.timeline.exhibits
        if exhibit.evidence.picture
    ]


def _marks(report: Report) -> list[Mark]:
    timeline = report.timeline
    incident = timeline.incident
    marks = [Mark(incident.opened_at, "opened")]
    if incident.resolved_at is not None:
        marks.append(Mark(incident.resolved_at, "resolved"))
    for run in mitigation_runs(timeline.entries):
        title = run.request.text.partition(":")[0]
        marks.append(Mark(run.request.at, shorten(title, _LABEL)))
    return marks


def _slug(name: str) -> str:
    """A part of a file name.

    >>> _slug("web: 5xx share / ../etc")
    'web-5xx-share-etc'
    """
    return _ODD.sub("-", name.lower()).strip("-")[:40] or "metric"
