"""PostgreSQL: how full it is, who waits for whom."""

from __future__ import annotations

from typing import ClassVar

from warroom.domain.sample import Sample
from warroom.tui.panes.base import TablePane, facts_lines, gauge
from warroom.tui.widgets.lines import Line

_SHORT = ("states", "waiting", "longest query", "longest transaction", "idle in transaction")


class PostgresPane(TablePane):
    """A gauge of connections, the longest of each kind, then the backends as a lock tree."""

    title = "postgres"
    kinds: ClassVar[frozenset[str]] = frozenset({"postgres"})

    def head(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = []
        for sample in self.samples:
            if not sample.metrics:
                continue
            lines.append(self._gauge(sample, width))
            names = [n for n in _SHORT if n in sample.facts] if height < 16 else list(sample.facts)
            facts = [(n, sample.facts[n], "") for n in names if n != "connections"]
            lines += facts_lines(facts, width)[: max(1, height // 3)]
        return lines

    def _gauge(self, sample: Sample, width: int) -> Line:
        share = sample.metrics.get("connections_percent", 0.0) / 100
        style = "down" if share >= 0.95 else "degraded" if share >= 0.8 else "ok"
        words = f" {sample.facts.get('connections', '')} connections"
        bar = gauge(
            share, max(6, min(30, width - len(words) - 2)), style, ascii_only=self.ascii_only
        )
        return [*bar, (words, style if share >= 0.8 else "")]
