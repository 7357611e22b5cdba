"""Rules on samples, from `checks/*.toml` and the config: pure, with hysteresis."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.domain.sample import Cell, Finding, Level, Sample


@dataclass(frozen=True, slots=True)
class Check:
    """A threshold on a metric, or on one column of every row.

    A finding begins after `looks` looks in a row beyond the threshold and ends after as many on
    the good side of `clear` (by default the warn threshold).
    """

    id: str
    kind: str
    message: str
    metric: str = ""
    column: str = ""
    above: bool = True
    warn: float | None = None
    critical: float | None = None
    looks: int = 2
    clear: float | None = None

    def __post_init__(self) -> None:
        if bool(self.metric) == bool(self.column):
            raise ValueError("metric: a check looks at one metric or one column")
        if self.warn is None and self.critical is None:
            raise ValueError("warn: a check has a warn or a critical threshold")
        try:
            self.message.format(value=0.0, row="")
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                'message: a text with {value} and {row} in it, such as "{value:.0f} % full"'
            ) from error
        try:
            self.message.format(value=1.0, row="")
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"message: only {{value}} and {{row}} can be filled in ({error})"
            ) from error

    def level(self, value: float) -> Level | None:
        """How bad `value` is."""
        if self.critical is not None and self._beyond(value, self.critical):
            return Level.CRITICAL
        return Level.WARN if self.warn is not None and self._beyond(value, self.warn) else None

    def cleared(self, value: float) -> bool:
        """Whether `value` is far enough on the good side to end a finding."""
        edge = self.clear if self.clear is not None else self.warn
        return not self._beyond(value, edge if edge is not None else self.critical or 0.0)

    def _beyond(self, value: float, threshold: float) -> bool:
        return value >= threshold if self.above else value <= threshold


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one check stands on one thing: the finding, if any, and looks that contradict it."""

    finding: Finding | None = None
    against: int = 0


@dataclass(frozen=True, slots=True)
class CheckState:
    """Standings by (check, row) of one source."""

    standings: Mapping[tuple[str, str], Standing] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(s.finding for s in self.standings.values() if s.finding)


def evaluate(checks: Iterable[Check], sample: Sample, before: CheckState) -> CheckState:
    """The state after one more sample. A failed look proves nothing and changes nothing."""
    if sample.error:
        return before
    after: dict[tuple[str, str], Standing] = {}
    for check in checks:
        for row, value in _values(check, sample):
            standing = before.standings.get((check.id, row), Standing())
            after[check.id, row] = _weigh(check, sample.source, row, value, standing)
    return CheckState(after)


def _weigh(check: Check, source: str, row: str, value: float, was: Standing) -> Standing:
    level = check.level(value)
    if was.finding is not None and level is None and not check.cleared(value):
        level = was.finding.level  # between the edges: nothing has changed
    if level is (was.finding.level if was.finding else None):
        return Standing(_finding(check, source, row, value, level) if level else None)
    if was.against + 1 < check.looks:
        return Standing(was.finding, was.against + 1)
    return Standing(_finding(check, source, row, value, level) if level else None)


def _finding(check: Check, source: str, row: str, value: float, level: Level) -> Finding:
    message = check.message.format(value=value, row=row)
    return Finding(check.id, source, level, message, value, row)


def _values(check: Check, sample: Sample) -> Iterator[tuple[str, float]]:
    if check.metric:
        if check.metric in sample.metrics:
            yield "", sample.metrics[check.metric]
        return
    index = next((i for i, c in enumerate(sample.columns) if c.key == check.column), None)
    if index is None:
        return
    for row in sample.rows:
        cell: Cell = row.cells[index]
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            yield row.name, float(cell)


def load_checks(own: Iterable[Mapping[str, Any]] = ()) -> tuple[tuple[Check, ...], list[Problem]]:
    """The packaged checks, those of the config in place of packaged ones of the same id."""
    problems: list[Problem] = []
    found: dict[str, Check] = {}
    for file in sorted(checks_folder().glob("*.toml")):
        table = tomllib.loads(file.read_text("utf-8"))
        for entry in table.get("check", []):
            check = shape(Check, entry, (file.name, entry.get("id", "?")), problems)
            if check:
                found[check.id] = check
    for index, entry in enumerate(own):
        check = shape(Check, entry, ("check", index), problems)
        if check:
            found[check.id] = check
    return tuple(found.values()), problems


def checks_folder() -> Path:
    """`checks/`, inside an installed package or beside it in a source tree."""
    package = Path(__file__).parent.parent
    inside = package / "checks"
    return inside if inside.is_dir() else package.parent / "checks"
