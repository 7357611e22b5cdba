"""Top talkers: who asks, how much, since when."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from warroom.tui.panes.base import TablePane, facts_lines
from warroom.tui.widgets.lines import Line, Span


class TalkersPane(TablePane):
    """Requests a second by client address, range, path or status class."""

    title = "top talkers"
    kinds: ClassVar[frozenset[str]] = frozenset({"talkers"})
    offers: ClassVar[tuple[str, ...]] = ("group", "window")

    def group_next(self) -> None:
        """Group by the next thing."""
        if self.room is not None:
            self.room.talkers.group_next()
            self.choice = replace(self.choice, cursor=None, index=0, offset=0)
            self.changed()

    def window_next(self) -> None:
        """Count over the next longer window."""
        if self.room is not None:
            self.room.talkers.window_next()
            self.changed()

    def head(self, width: int, height: int) -> list[Line]:
        styles = {"5xx": "down", "4xx": "degraded"}
        facts = [(n, v, styles.get(n, "")) for s in self.samples for n, v in s.facts.items()]
        return facts_lines(facts, width)[:2]

    def notes(self) -> list[Span]:
        by = f"by {self.room.talkers.by}, {self.room.talkers.window}" if self.room else ""
        return [(by, "accent"), *super().notes()] if by else super().notes()

    def empty(self) -> str:
        return super().empty() if self.choice.filter else "no request in an access log yet"
