"""Where a playbook's cursor stands, what Enter does there, and what a locked incident forbids."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.page import RoomPage
from tests.tui.test_playbook import BOOK, goes_to, opens_playbook, screen
from tests.tui.test_playbook import room as room
from warroom.engine import security


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "dam").mkdir()
    file = tmp_path / "harbour.md"
    file.write_text(BOOK.replace("FOLDER", str(tmp_path)))
    file.chmod(0o600)
    return file


async def test_while_a_security_incident_is_open_nothing_is_destroyed_by_a_step(
    room: RoomPage, book: Path
) -> None:
    await security.lock(room.room.session, "evidence first")
    await goes_to(room, "rm -r")
    await room.press("enter")
    await room.sees("locked: evidence first; `:unlock REASON` unlocks it")
    await room.press("escape")
    assert (book.parent / "dam").exists()
    await opens_playbook(room, "tide")
    await goes_to(room, "echo deep water")
    await room.press("enter")
    await room.sees("esc cancel", "echo deep water")


async def test_enter_is_named_for_what_it_does_and_the_first_to_do_is_chosen(
    room: RoomPage,
) -> None:
    await room.resize(80, 24)
    await room.sees("enter answer  a all reads  d done", "esc back")
    assert "Is it the moon?" in (screen(room).entry or screen(room).entries[0]).text
    await goes_to(room, "Look at the gauge")
    await room.sees("enter tick off", "esc back")
    await goes_to(room, "Tell the pilots")
    await room.sees("enter why not", "esc back")
    await goes_to(room, "mkdir")
    await room.sees("enter run  a all reads", "o output", "esc back")
    await room.resize(120, 40)
    await room.until(lambda: room.app.room_screen.docked > 0, "it stands beside the panes")
    await room.sees("enter run  a all reads  d done", "? keys  esc back")


async def test_a_playbook_that_is_opened_again_stands_where_it_was_left(room: RoomPage) -> None:
    await goes_to(room, "rm -r")
    await room.press("escape")
    await room.closes()
    await opens_playbook(room, "tide")
    assert "rm -r" in (screen(room).entry or screen(room).entries[0]).text
