"""Where everything stands, as one pure function of the screen's size and the chosen preset."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from textual.geometry import Region

MIN_WIDTH: Final = 60
MIN_HEIGHT: Final = 16
TILES_WIDTH: Final = 100
TILES_HEIGHT: Final = 30
SIDEBAR_WIDTH: Final = 25
DOCK_FROM: Final = 120

Preset = Literal["room", "wide", "stack"]
PRESETS: Final[tuple[Preset, ...]] = ("room", "wide", "stack")

_TOP: Final = ("health", "docker")
_MIDDLE: Final = ("postgres", "redis", "talkers")
_WEIGHT: Final = {
    "health": 9,
    "docker": 13,
    "postgres": 13,
    "redis": 9,
    "talkers": 11,
    "logs": 21,
    "machine": 10,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions by id. `tabs` says that one pane is shown at a time."""

    regions: dict[str, Region]
    tabs: bool = False
    too_small: bool = False


def readable(width: int, height: int) -> bool:
    """Whether a screen of that size can be worked on; on a smaller one no action key is live."""
    return width >= MIN_WIDTH and height >= MIN_HEIGHT


def dock_width(width: int) -> int:
    """Columns for what stands beside the panes; 0 where there is no room for both.

    >>> dock_width(80), dock_width(120), dock_width(200)
    (0, 56, 90)
    """
    return 0 if width < DOCK_FROM else min(max(56, width * 45 // 100), width - MIN_WIDTH)


def plan(
    width: int,
    height: int,
    panes: Sequence[str],
    preset: Preset,
    active: str,
    *,
    zoom: bool = False,
) -> Plan:
    """Regions for `header`, `sidebar`, `timeline`, `keys`, `tabs` and the panes.

    Below 60x16 there is only the header; below 100x30, or when zoomed, one pane at a time.
    """
    if not readable(width, height):
        return Plan({"header": Region(0, 0, width, height)}, too_small=True)
    regions = {"header": Region(0, 0, width, 1), "keys": Region(0, height - 1, width, 1)}
    tabs = width < TILES_WIDTH or height < TILES_HEIGHT
    strip = 1 if height < 24 else 3 if height < TILES_HEIGHT else min(8, 3 + (height - 30) // 6)
    regions["timeline"] = Region(0, height - 1 - strip, width, strip)
    top, bottom = 1, height - 1 - strip
    if tabs:
        regions["tabs"] = Region(0, 1, width, 1)
        regions[active] = Region(0, 2, width, bottom - 2)
        return Plan(regions, tabs=True)
    left = 0
    if preset == "room":
        regions["sidebar"] = Region(0, top, SIDEBAR_WIDTH, height - 1 - top)
        regions["timeline"] = Region(SIDEBAR_WIDTH, bottom, width - SIDEBAR_WIDTH, strip)
        left = SIDEBAR_WIDTH
    area = Region(left, top, width - left, bottom - top)
    if zoom:
        regions[active] = area
    elif preset == "stack":
        regions |= _stack(area, panes)
    else:
        regions |= _tiles(area, panes)
    return Plan(regions)


def _tiles(area: Region, panes: Sequence[str]) -> dict[str, Region]:
    """Rows of tiles: health and docker; databases and talkers; logs and the rest."""
    rows = [[p for p in _TOP if p in panes], [p for p in _MIDDLE if p in panes]]
    placed = {*_TOP, *_MIDDLE}
    rest = [p for p in panes if p not in placed and p != "logs"]
    last = (["logs"] if "logs" in panes else []) + rest[:2]
    rows.append(last)
    more = rest[2:]
    rows += [more[i : i + 3] for i in range(0, len(more), 3)]
    rows = [row for row in rows if row]
    heights = _shares(area.height, [4 if len(rows) > 2 and i == 0 else 5 for i in range(len(rows))])
    regions, y = {}, area.y
    for row, tall in zip(rows, heights, strict=True):
        x = area.x
        for name, wide in zip(
            row, _shares(area.width, [_WEIGHT.get(n, 10) for n in row]), strict=True
        ):
            regions[name] = Region(x, y, wide, tall)
            x += wide
        y += tall
    return regions


def _stack(area: Region, panes: Sequence[str]) -> dict[str, Region]:
    """Two columns, logs below over the whole width."""
    others = [p for p in panes if p != "logs"]
    log_height = (
        area.height // 3 if "logs" in panes and others else area.height if "logs" in panes else 0
    )
    regions: dict[str, Region] = {}
    if log_height:
        regions["logs"] = Region(area.x, area.bottom - log_height, area.width, log_height)
    pairs = [others[i : i + 2] for i in range(0, len(others), 2)]
    y = area.y
    for pair, tall in zip(pairs, _shares(area.height - log_height, [1] * len(pairs)), strict=True):
        x = area.x
        for name, wide in zip(pair, _shares(area.width, [1] * len(pair)), strict=True):
            regions[name] = Region(x, y, wide, tall)
            x += wide
        y += tall
    return regions


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """`total` split by weight into whole numbers that add up to it.

    >>> _shares(10, [1, 1, 1])
    [3, 3, 4]
    """
    whole, edges, seen = sum(weights), [0], 0
    for weight in weights:
        seen += weight
        edges.append(total * seen // whole)
    return [b - a for a, b in itertools.pairwise(edges)]
