"""Where the parts of the timeline stand, as one pure function of the screen's size."""

from __future__ import annotations

from typing import Final

from textual.geometry import Region

from warroom.tui.geometry import Plan, readable

TWO_COLUMNS: Final = 100
"""From so many columns on the detail stands beside the list."""


def areas(width: int, height: int, *, detail: bool = False) -> Plan:
    """Regions for `head`, `chips`, `entries`, `detail`, `preview` and `keys`.

    On a narrow screen there is the list, or with `detail` what the cursor is on.
    """
    if not readable(width, height):
        return Plan({"head": Region(0, 0, width, height)}, too_small=True)
    regions = {
        "head": Region(0, 0, width, 1),
        "chips": Region(0, 1, width, 1),
        "keys": Region(0, height - 1, width, 1),
    }
    tall = height - 3
    if width >= TWO_COLUMNS:
        right = max(44, min(width * 2 // 5, 96))
        regions["entries"] = Region(0, 2, width - right, tall)
        return Plan(regions | _stacked(Region(width - right, 2, right, tall)))
    if detail:
        return Plan(regions | _stacked(Region(0, 2, width, tall)), tabs=True)
    regions["entries"] = Region(0, 2, width, tall)
    return Plan(regions, tabs=True)


def _stacked(area: Region) -> dict[str, Region]:
    """The detail, and below it the preview in about a third."""
    below = max(5, min(area.height // 3, 18))
    return {
        "detail": Region(area.x, area.y, area.width, area.height - below),
        "preview": Region(area.x, area.bottom - below, area.width, below),
    }


def form_area(width: int, height: int) -> Region:
    """Where the form stands: over the detail where that is beside the list, so that list and
    preview stay in view; else over the list."""
    plan = areas(width, height)
    if plan.too_small:
        return Region(0, 0, width, height)
    if "detail" in plan.regions and plan.regions["detail"].height >= 16:
        return plan.regions["detail"]
    return Region(0, 2, width, height - 3)
