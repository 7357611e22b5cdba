"""A key's own painting is told from that of data: only what will be drawn is announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened
from tests.tui.timeline import timeline_of
from warroom.tui.screens import room as screens


def announces(room: RoomPage, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the room says that something of it will be drawn."""
    told: list[bool] = []
    with monkeypatch.context() as heard:
        heard.setattr(screens, "to_be_drawn", lambda: told.append(True))
        room.app.room_screen._announce()
    return bool(told)


async def test_a_room_that_looks_as_before_announces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "api.log"
    log.write_text("pool exhausted\n")
    async with opened(written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"\n')) as room:
        await room.sees("pool exhausted")
        panes = room.app.room_screen.panes

        def looks_as_before() -> bool:
            for pane in panes:
                pane.changed()
            return not announces(room, monkeypatch)

        await room.until(looks_as_before, "it always announces something")
        panes[0].anew()
        assert announces(room, monkeypatch)


async def test_a_room_that_nobody_sees_announces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(written(tmp_path)) as room:
        await room.opens("it burns")
        timeline = await timeline_of(room)
        room.app.room_screen.header.anew()
        assert not announces(room, monkeypatch)
        await timeline.press("q")
        await room.closes()
        room.app.room_screen.header.anew()
        assert announces(room, monkeypatch)
