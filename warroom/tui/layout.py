"""Puts the widgets of the room where `geometry.plan` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.geometry import NULL_OFFSET, NULL_SPACING, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from warroom.tui.geometry import Plan


class RoomLayout(Layout):
    """Widgets that the plan leaves out are not shown."""

    name: ClassVar[str] = "room"

    def __init__(self, plan: Callable[[Size], Plan]) -> None:
        self._plan = plan

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        regions = self._plan(size).regions
        placements = []
        for child in children:
            key = str(getattr(child, "key", child.id))
            if key in regions:
                placements.append(WidgetPlacement(regions[key], NULL_OFFSET, NULL_SPACING, child))
        return placements
