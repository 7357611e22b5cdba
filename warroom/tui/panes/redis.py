"""Redis: is the cache any use, and is it about to fall over."""

from __future__ import annotations

from typing import ClassVar

from warroom.domain.sample import Sample
from warroom.tui.panes.base import TablePane, facts_lines, gauge
from warroom.tui.widgets.lines import Line, whole_parts


class RedisPane(TablePane):
    """Hit rate and memory as bars, the figures, then the slow log."""

    title = "redis"
    kinds: ClassVar[frozenset[str]] = frozenset({"redis"})

    def head(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = []
        for sample in self.samples:
            if sample.metrics:
                lines += self._bars(sample, width)
            hidden = ("hit rate", "memory") if sample.metrics.get("memory_max_bytes") else ()
            facts = [(name, text, "") for name, text in sample.facts.items() if name not in hidden]
            lines += facts_lines(facts, width)
        return lines

    def _bars(self, sample: Sample, width: int) -> list[Line]:
        bars: list[Line] = []
        hit = sample.metrics.get("hit_percent_now", sample.metrics.get("hit_percent"))
        wide = max(6, min(16, width // 3))
        if hit is not None:
            style = "down" if hit < 20 else "degraded" if hit < 60 else "ok"
            bar = gauge(hit / 100, wide, style, ascii_only=self.ascii_only)
            bars.append([("hits   ", "dim"), *bar, (f" {hit:.0f}%", style)])
        used = sample.metrics.get("memory_percent")
        if used is not None and sample.metrics.get("memory_max_bytes"):
            style = "down" if used >= 95 else "degraded" if used >= 80 else "ok"
            bar = gauge(used / 100, wide, style, ascii_only=self.ascii_only)
            words = (
                sample.facts.get("memory", f"{used:.0f}%").replace(" of ", "/").replace(" MiB", "M")
            )
            words = whole_parts(words, width - wide - 8)
            bars.append([("memory ", "dim"), *bar, (f" {words}", "" if style == "ok" else style)])
        return bars

    def empty(self) -> str:
        return super().empty() if self.choice.filter else "slow log is empty"
