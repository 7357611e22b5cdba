"""How the console looks. After a change on purpose: `pytest tests/snapshots --snapshot-update`,
then look at every picture that changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.snapshots.stage import LOG, settings, staged
from tests.tui.page import RoomPage
from warroom.engine.room import Room
from warroom.tui.app import WarroomApp

Compare = Callable[..., bool]
Doing = Callable[[RoomPage], Awaitable[None]]
WIDE = (160, 48)


@pytest.fixture
def pictured(tmp_path: Path, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compares the console with its picture, once everything is on the screen."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    log = tmp_path / "api.log"
    log.write_text(LOG)

    def compare(size: tuple[int, int] = WIDE, doing: Doing | None = None, **look: Any) -> bool:
        async def opener() -> Room:
            return await staged(log)

        app = WarroomApp(settings(log), opener, **look)

        async def before(pilot: Pilot[None]) -> None:
            await steady(RoomPage(app, pilot))
            if doing:
                await doing(RoomPage(app, pilot))
            for line in app.screen.query(Input):
                line.cursor_blink = False
            app.room_screen.offer_actions()
            app.room_screen.redraw()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


async def steady(page: RoomPage) -> None:
    """Wait until every source was looked at, its checks are settled and the log is read."""
    await page.until(lambda: page.app.room is not None, "the room does not open")
    room = page.room
    await page.until(lambda: room.logs.ring.last >= len(LOG.splitlines()) - 1, "no log")
    for _ in range(4):  # findings want some looks
        await room.monitor.step()
    await room.drain()
    await asyncio.sleep(0)


async def a_card(page: RoomPage) -> None:
    await page.press("R")
    await page.sees("Restart container", "esc cancel")


async def the_help(page: RoomPage) -> None:
    await page.press("question_mark")
    await page.sees("keys and commands")


async def the_timeline(page: RoomPage) -> None:
    await page.press("t")
    await page.sees("timeline of INC-2026-11-21-001")


async def the_logs(page: RoomPage) -> None:
    await page.go("logs")
    await page.press("left_square_bracket")
    await page.sees("PAUSED", pane="logs")


def test_the_room(pictured: Compare) -> None:
    assert pictured()


def test_the_room_without_colours(pictured: Compare) -> None:
    assert pictured(theme="mono")


def test_the_room_in_ascii(pictured: Compare) -> None:
    assert pictured(theme="ansi", ascii_only=True)


def test_one_pane_on_a_small_terminal(pictured: Compare) -> None:
    assert pictured((80, 24))


def test_logs_on_a_small_terminal(pictured: Compare) -> None:
    assert pictured((80, 24), the_logs)


def test_the_card(pictured: Compare) -> None:
    assert pictured((120, 40), a_card)


def test_the_help(pictured: Compare) -> None:
    assert pictured((120, 60), the_help)


def test_the_timeline(pictured: Compare) -> None:
    assert pictured((120, 40), the_timeline)
