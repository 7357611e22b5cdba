"""What one look at a system saw, and what rules make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal


class Health(StrEnum):
    """How a source is, worst last."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for ok up to 3 for down: UNKNOWN stands between degraded and down."""
        return _RANK[self]

    @staticmethod
    def worst(healths: Iterable[Health]) -> Health:
        """The worst of several; OK of none.

        >>> Health.worst([Health.OK, Health.UNKNOWN, Health.DEGRADED])
        <Health.UNKNOWN: 'unknown'>
        """
        return max(healths, key=lambda h: h.rank, default=Health.OK)


_RANK: Final = {Health.OK: 0, Health.DEGRADED: 1, Health.UNKNOWN: 2, Health.DOWN: 3}

Cell = str | int | float | bool | None
"""A raw value; how it is written is the column's affair."""

CellKind = Literal["text", "id", "count", "number", "percent", "bytes", "rate", "seconds", "spark"]
"""`id` is a number that names something, `percent` is 0..100,
`bytes` and `rate` (bytes a second) plain numbers, `seconds` a duration,
`spark` a comma-separated course of numbers."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sample's rows.

    `priority` says which go first when the screen is narrow: 0 always stays. `grow` columns
    share what width is left.
    """

    key: str
    title: str
    kind: CellKind = "text"
    priority: int = 0
    grow: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One thing within a source: a container, a backend, a disk.

    `key` names it for as long as it lives (container id, pid and start); `name` is what people
    call it; `cells` are by column; `data` holds what is compared again before an action, and
    what the detail view shows. A row whose `health` is None is not watched for changes.
    """

    key: str
    name: str
    cells: tuple[Cell, ...]
    health: Health | None = None
    note: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look at one source saw.

    `metrics` are plain numbers by name, the ground for checks and courses. `facts` are the lines
    a pane shows above the rows, by name. `error` is the fault in words, when there is one: then
    `health` is not OK. `stale` marks rows that are carried over from an earlier look; `partial`
    says that some figures need a moment more, and the probe's `changed` is set when they are there.
    """

    source: str
    at: datetime
    health: Health
    summary: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    stale: bool = False
    partial: bool = False


class Level(StrEnum):
    """How bad a finding is."""

    WARN = "warn"
    CRITICAL = "critical"

    @property
    def health(self) -> Health:
        return Health.DOWN if self is Level.CRITICAL else Health.DEGRADED


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that does not hold now, on a source or on one row of it."""

    check: str
    source: str
    level: Level
    message: str
    value: float
    row: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a detail view: `pairs` of name and value, then lines of text."""

    title: str
    pairs: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything known about one row or source, fetched when somebody asks."""

    title: str
    sections: tuple[Section, ...]
