"""Endpoints, certificates and names: one row for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import ClassVar

from warroom.domain.sample import Health
from warroom.tui.panes.base import TablePane
from warroom.tui.widgets import table
from warroom.tui.widgets.lines import Line, Span
from warroom.tui.widgets.table import Item


class HealthPane(TablePane):
    """`● api 200 43ms ▂▂▃▂▂ 99.1%` for every endpoint."""

    title = "health"
    kinds: ClassVar[frozenset[str]] = frozenset({"http", "tls", "dns"})

    def items(self) -> list[Item]:
        """An endpoint's row is as well as its source: it has no health of its own."""
        return [
            Item(item.source, replace(item.row, health=self.health(item.source)))
            for item in super().items()
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
