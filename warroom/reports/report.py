"""What a report is made of: everything that a template, a chart or the linter looks at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from warroom.domain.checklist import Item
from warroom.domain.readings import Reading
from warroom.domain.severity import Scheme
from warroom.domain.timeline import Timeline

PATCH: Final = "runbooks.patch"
"""What the name of a patch of the runbooks ends with."""


class Audience(StrEnum):
    """For whom a report is."""

    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Report:
    """One incident, as it is told in `zone`. `checklist` is the team's; `readings` are by time.
    `gaps` are what it found out about the runbooks, a line each, and `patch` the edits that are
    proposed for them.

    For an external audience make it pass `outside.outside` before anything is written.
    """

    timeline: Timeline
    zone: ZoneInfo
    scheme: Scheme
    checklist: tuple[Item, ...] = ()
    readings: tuple[Reading, ...] = ()
    audience: Audience = Audience.INTERNAL
    gaps: tuple[str, ...] = ()
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that goes with a report: a file name of our own making, what it shows in words,
    and the SVG. `exhibit` is the label of the evidence that it is a picture of; empty: a chart."""

    name: str
    title: str
    svg: str
    exhibit: str = ""
