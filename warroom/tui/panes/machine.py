"""The machine: what is used up."""

from __future__ import annotations

from typing import ClassVar, Final

from warroom.domain.sample import Sample
from warroom.tui.panes.base import TablePane, gauge
from warroom.tui.widgets.lines import Line, shortened

_BARS: Final = (
    ("cpu", "cpu_percent"),
    ("memory", "memory_percent"),
    ("swap", "swap_percent"),
    ("disk", "disk_percent"),
)


class MachinePane(TablePane):
    """CPU, memory, swap and the fullest disk as bars, load in words, then top processes."""

    title = "machine"
    kinds: ClassVar[frozenset[str]] = frozenset({"machine"})

    def head(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = []
        for sample in self.samples:
            lines += [
                self._bar(sample, name, metric, width)
                for name, metric in _BARS
                if metric in sample.metrics
            ]
            for name in ("load", "network", "uptime"):
                if name in sample.facts and len(lines) < max(3, height - 5):
                    lines.append([(f"{name:<8}", "dim"), (sample.facts[name], "")])
        return lines

    def _bar(self, sample: Sample, name: str, metric: str, width: int) -> Line:
        value = sample.metrics[metric]
        style = "down" if value >= 90 else "degraded" if value >= 80 else "ok"
        words = sample.facts.get(name, f"{value:.0f}%")
        wide = max(6, min(16, width // 3))
        bar = gauge(value / 100, wide, style, ascii_only=self.ascii_only)
        room = width - wide - 10
        words = words if len(words) <= room else f"{value:.0f}%"
        return [
            (f"{name:<8}", "dim"),
            *bar,
            (f" {shortened(words, room)}", "" if style == "ok" else style),
        ]
