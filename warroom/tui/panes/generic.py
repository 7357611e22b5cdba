"""Any sample of any kind: what a probe has before it has a pane of its own."""

from __future__ import annotations

from warroom.tui.panes.base import TablePane, facts_lines
from warroom.tui.widgets.lines import Line


class GenericPane(TablePane):
    """Facts, then rows; titled by its sources."""

    @property
    def heading(self) -> str:
        return ", ".join(self.sources)

    def head(self, width: int, height: int) -> list[Line]:
        facts = [(n, text, "") for sample in self.samples for n, text in sample.facts.items()]
        return facts_lines(facts, width)[: max(1, height // 2)]
