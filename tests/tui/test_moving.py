"""Finding one's way: panes, zoom, layouts, small screens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.cli import CALM, written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened

SIZES = [(80, 24), (99, 29), (100, 30), (120, 40), (160, 48), (240, 70)]


@pytest.fixture
def config(tmp_path: Path, http_service: Callable[..., HttpService]) -> Path:
    """An endpoint, a log with its talkers, and this machine."""
    log = tmp_path / "edge.log"
    log.write_text('203.0.113.7 - - [21/Nov/2026:14:00:00 +0000] "GET /pay HTTP/1.1" 502 17\n')
    return written(
        tmp_path,
        f'[[probe]]\nkind = "http"\nname = "api"\nurl = "{http_service().url}"',
        '[[probe]]\nkind = "machine"',
        CALM,
        f'[[log]]\nname = "edge"\npath = "{log}"',
    )


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    async with opened(config) as page:
        yield page


async def shows(room: RoomPage, *panes: str) -> None:
    await room.until(lambda: room.shown == list(panes), f"not just these panes: {panes}")


ALL = ("health", "talkers", "logs", "machine")


async def test_a_number_or_tab_leads_to_a_pane_and_its_frame_says_so(room: RoomPage) -> None:
    await shows(room, *ALL)
    assert room.here == "health"
    await room.press("3")
    assert room.here == "logs"
    assert room.pane("logs").startswith("┏3 logs")
    assert room.pane("health").startswith("┌1 health")
    await room.press("tab")
    assert room.here == "machine"
    await room.press("tab")
    assert room.here == "health"
    await room.press("shift+tab")
    assert room.here == "machine"
    await room.press("9")  # no such pane
    assert room.here == "machine"


@pytest.mark.parametrize(("to", "back"), [("z", "z"), ("plus", "escape"), ("underscore", "z")])
async def test_a_pane_is_zoomed_and_put_back(room: RoomPage, to: str, back: str) -> None:
    await room.press("4", to)
    await shows(room, "machine")
    await room.press("3")
    await shows(room, "logs")
    await room.press(back)
    await shows(room, *ALL)


async def test_every_layout_shows_every_pane(room: RoomPage) -> None:
    for name in ("wide", "stack", "room"):
        await room.press("L")
        await room.says(f"layout: {name}")
        await shows(room, *ALL)
        await room.until(
            lambda name=name: bool(room.app.room_screen.sidebar.region.area) == (name == "room"),
            "only the room has a sidebar",
        )


async def test_80x24_shows_one_pane_at_a_time_under_tabs(config: Path) -> None:
    async with opened(config, size=(80, 24)) as room:
        await shows(room, "health")
        await room.sees("1 health", "2 talkers", "3 logs", "4 machine")
        await room.press("3")
        await shows(room, "logs")
        await room.sees("/pay", pane="logs")
        tabs = room.app.room_screen.tabs
        await room.pilot.click(tabs, offset=(room.painted().splitlines()[1].index("4 machine"), 0))
        await shows(room, "machine")
        await room.sees("cpu", pane="machine")


async def test_every_size_fits_exactly_and_nothing_is_lost_on_the_way(room: RoomPage) -> None:
    for width, height in [*SIZES, *reversed(SIZES)]:
        await room.resize(width, height)
        tiles = width >= 100 and height >= 30
        await shows(room, *(ALL if tiles else ("health",)))
        await room.until(lambda: room.keys.startswith(" ?"), "the key bar is gone")
        await room.until(
            lambda height=height: len(room.painted().splitlines()) == height, "not drawn anew"
        )
        assert all(len(line.rstrip()) <= width for line in room.painted().splitlines())


async def test_below_60x16_the_screen_says_so_and_no_key_does_anything(room: RoomPage) -> None:
    await room.opens("it burns")
    events = room.kinds
    await room.resize(59, 16)
    await room.sees("too small: 59x16, needs 60x16", "no action key is live")
    for key in ("n", "m", "v", "u", "e", "3", "colon", "slash", "ctrl+p", "x", "r"):
        await room.press(key)
        assert room.app.screen is room.app.room_screen, key
    assert (room.kinds, room.here) == (events, "health")
    await room.resize(60, 16)
    await room.loses("too small")
    await room.press("n")
    await room.types("back again")
    await room.sees("back again")


async def test_a_screen_that_is_too_small_can_still_be_left(room: RoomPage) -> None:
    await room.resize(40, 10)
    await room.sees("too small")
    await room.press("q")
    await room.until(lambda: not room.app.is_running or room.app._exit, "q does not leave")
