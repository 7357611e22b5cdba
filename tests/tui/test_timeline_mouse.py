"""The timeline's screen with a mouse: entries, parts and keys take clicks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage
from tests.tui.timeline import BURNS, TimelinePage, burning, timeline_of
from warroom.tui.screens.timeline.parts import Detail, Entries
from warroom.tui.widgets.strips import KeyBar, TimelineStrip


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoomPage]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with burning(written(tmp_path), (120, 40)) as page:
        yield page


@pytest.fixture
async def page(room: RoomPage) -> TimelinePage:
    return await timeline_of(room)


async def test_the_mouse_selects_edits_and_scrolls(page: TimelinePage) -> None:
    pilot = page.room.pilot
    await pilot.click(Entries, offset=(20, 2))
    assert page.selected.text == "pool is full"
    await pilot.click(Entries, offset=(20, 3), times=2)
    await page.edits(3)
    await page.press("escape")
    await page.shown()
    page.screen.entries.on_mouse_scroll_up()
    assert page.selected.text == BURNS


async def test_a_click_on_a_key_presses_it_and_one_on_a_part_gives_it_the_keys(
    page: TimelinePage,
) -> None:
    keys = page.screen.keys
    drawn = "".join(text for text, _ in keys.build(keys.size.width, 1)[0])
    await page.room.pilot.click(KeyBar, offset=(drawn.index("s star") + 2, 0))
    await page.room.until(lambda: page.selected.starred, "the click does not star it")
    await page.room.pilot.click(Detail, offset=(5, 5))
    await page.room.until(lambda: page.screen.part is page.screen.detail, "no keys for the detail")
    await page.room.pilot.click(Entries, offset=(20, 2))
    await page.room.until(lambda: page.screen.part is None, "the list has no keys again")
    assert page.selected.text == "pool is full"


async def test_the_form_alone_looks_as_if_it_had_the_keys_and_its_key_bar_takes_clicks(
    page: TimelinePage,
) -> None:
    assert any("┏" in text for text, _ in page.screen.entries.build(60, 10)[0])
    await page.opens_form("n")
    assert not any("┏" in text for text, _ in page.screen.entries.build(60, 10)[0])
    await page.press("p", "o", "o", "l")
    keys = page.form.query_one(KeyBar)
    drawn = "".join(text for text, _ in keys.build(keys.size.width, 1)[0])
    await page.room.pilot.click(keys, offset=(drawn.index("saves") + 1, 0))
    await page.shown()
    assert page.selected.text == "pool"
    assert any("┏" in text for text, _ in page.screen.entries.build(60, 10)[0])


async def test_a_click_on_the_newest_entries_opens_the_timeline(room: RoomPage) -> None:
    await room.pilot.click(TimelineStrip)
    await TimelinePage(room).shown()
