"""What lies behind a dialog: drawn as it is, and anew only where it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.css.styles import RulesMap
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.strip import Strip
from textual.visual import Visual

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.style import Style
    from textual.visual import RenderOptions


class Behind(Visual):
    """The same picture as Textual's own, which takes the whole screen apart and puts it together
    again for every cell that changed behind `dialog` (Textual 8.2)."""

    def __init__(self, dialog: Screen[Any]) -> None:
        self._dialog = dialog
        self._drawn: BackgroundScreen | None = None
        self._strips: list[Strip] = []

    def of(self, drawn: BackgroundScreen) -> Behind:
        """Of that screen, in that tint, from now on."""
        before, self._drawn = self._drawn, drawn
        if before is None or (before.screen, before.color) != (drawn.screen, drawn.color):
            self._strips = []
        return self

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        assert self._drawn is not None
        compositor, tint = self._drawn.screen._compositor, self._drawn.color
        rows = self._changed(compositor.size.height)
        if rows:
            crop = Region(0, min(rows), compositor.size.width, max(rows) + 1 - min(rows))
            chops = compositor._render_chops(crop, rows.__contains__)
            for y in rows:
                strip = Strip.join(chops[y].values())
                tinted = BackgroundScreen.process_segments(strip, tint)
                self._strips[y] = Strip(tinted, strip.cell_length)
        return self._strips

    def _changed(self, height: int) -> set[int]:
        """Rows that are to be drawn anew, of so many."""
        if len(self._strips) != height:
            self._strips = [Strip([])] * height
            return set(range(height))
        regions = self._dialog._dirty_regions
        return {y for region in regions for y in region.line_range if 0 <= y < height}

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        return len(self._strips)
