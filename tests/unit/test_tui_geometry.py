"""Where the tiles stand: whole, apart, and usable at every size."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from warroom.tui.geometry import PRESETS, Plan, Preset, plan

PANES = ["health", "docker", "postgres", "redis", "talkers", "logs", "machine", "mysql"]


def made(width: int, height: int, preset: Preset = "room", *, zoom: bool = False) -> Plan:
    return plan(width, height, PANES[:7], preset, "docker", zoom=zoom)


@given(
    st.integers(60, 260),
    st.integers(16, 90),
    st.sampled_from(PRESETS),
    st.lists(st.sampled_from(PANES), min_size=1, unique=True),
    st.booleans(),
)
def test_regions_never_overlap_and_never_leave_the_screen(
    width: int, height: int, preset: Preset, panes: list[str], zoom: bool
) -> None:
    regions = plan(width, height, panes, preset, panes[0], zoom=zoom).regions
    for region in regions.values():
        assert region in Region(0, 0, width, height)
    for one, other in itertools.combinations(regions.values(), 2):
        assert not one.overlaps(other)


@given(st.integers(100, 260), st.integers(30, 90), st.sampled_from(PRESETS))
def test_the_tiles_fill_the_screen(width: int, height: int, preset: Preset) -> None:
    assert sum(region.area for region in made(width, height, preset).regions.values()) == (
        width * height
    )


def test_a_small_terminal_has_tabs_instead_of_tiles() -> None:
    small = made(80, 24)
    assert small.tabs
    assert set(small.regions) == {"header", "tabs", "docker", "timeline", "keys"}
    assert small.regions["docker"].height >= 16


def test_below_sixty_by_sixteen_there_is_only_the_header() -> None:
    assert made(59, 40).too_small
    assert made(80, 15).too_small
    assert set(made(80, 15).regions) == {"header"}


@pytest.mark.parametrize(("width", "height"), [(100, 30), (120, 40), (160, 48), (240, 70)])
def test_every_tile_has_room_for_a_table(width: int, height: int) -> None:
    regions = made(width, height).regions
    for name in PANES[:7]:
        assert regions[name].width >= 18, name
        assert regions[name].height >= 6, name


def test_a_zoomed_pane_has_the_whole_area() -> None:
    zoomed = made(160, 48, zoom=True).regions
    assert set(zoomed) == {"header", "sidebar", "docker", "timeline", "keys"}
    assert zoomed["docker"].width == 160 - 25
