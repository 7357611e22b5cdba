"""Endpoints, certificates and names: one row for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from warroom.domain.sample import Column, Health, Row, Sample
from warroom.tui.panes.base import TablePane
from warroom.tui.widgets import table
from warroom.tui.widgets.lines import Line, Span
from warroom.tui.widgets.table import Item


class HealthPane(TablePane):
    """`● api 200 43ms ▂▂▃▂▂ 99.1%` for every endpoint."""

    title = "health"
    kinds: ClassVar[frozenset[str]] = frozenset({"http", "tls", "dns"})

    @property
    def columns(self) -> Sequence[Column]:
        """Those of endpoints, where there are any: they say most."""
        every = [sample for sample in self.samples if sample.columns]
        kind = self.room.monitor.kind if self.room else str
        return next(
            (s.columns for s in every if kind(s.source) == "http"),
            every[0].columns if every else (),
        )

    def items(self) -> list[Item]:
        """An endpoint's row is as well as its source: it has no health of its own."""
        columns = self.columns
        return [
            Item(sample.source, replace(row, health=self.health(sample.source)))
            for sample in self.samples
            for row in (sample.rows if sample.columns == columns else _as_one(sample, columns))
        ]

    def state(self) -> Line:
        counts = Counter(self.health(sample.source) for sample in self.samples)
        if not counts:
            return [("waiting", "dim")]
        spans: list[Span] = []
        for health in (Health.OK, Health.DEGRADED, Health.UNKNOWN, Health.DOWN):
            if counts[health]:
                style = "" if health is Health.OK else table.health_style(health)
                spans.append((f"{' ' if spans else ''}{counts[health]} {health}", style))
        return spans

    def faults(self) -> list[Line]:
        """Only what no row says: findings beyond the endpoint's own health."""
        rows = {sample.source for sample in self.samples if sample.rows}
        lines: list[Line] = []
        for sample in self.samples:
            if sample.error and sample.source not in rows:
                lines.append(
                    [self.symbol(sample.health), (f" {sample.source}: {sample.error}", "")]
                )
            for finding in self.room.findings(sample.source) if self.room else ():
                style = table.health_style(finding.level.health)
                text = f" {sample.source}: {finding.message}"
                lines.append([self.symbol(finding.level.health), (text, style)])
        return lines


def _as_one(sample: Sample, columns: Sequence[Column]) -> tuple[Row, ...]:
    """A source of another kind than the table's (a certificate, a name) in its columns: what they
    share by key, and for a note what there is to say of it."""
    if not sample.rows:
        return ()
    first = sample.rows[0]
    cells = dict(zip((column.key for column in sample.columns), first.cells, strict=True))
    seconds = sample.metrics.get("latency_s", sample.metrics.get("resolve_s"))
    shared = {"latency": seconds, **cells, "name": sample.source, "note": sample.summary}
    one = replace(first, name=sample.source, cells=tuple(shared.get(c.key) for c in columns))
    return (one if len(sample.rows) == 1 else replace(one, key=""),)
