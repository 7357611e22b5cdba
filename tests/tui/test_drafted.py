"""A line that somebody was typing when the connection was lost stands there again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.engine import followup
from warroom.tui.screens.drafted import UNFINISHED

SIZE = (120, 40)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that both consoles read, with a state folder of their own, where drafts are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"')


async def begins(room: RoomPage, *keys: str) -> str:
    """Press keys until a line is asked for; what stands in it already."""
    await room.press(*keys)
    return (await room.asked()).value


WAYS = {
    "a hypothesis": ("H", "a"),
    "why one is ruled out": ("H", "enter"),
    "an action item": ("A", "a"),
    "why an entry is taken back": ("t", "d"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_being_typed_when_the_connection_was_lost_is_there_again(
    config: Path, way: str
) -> None:
    async with opened(config, size=SIZE) as lost:
        await lost.opens("it burns")
        await followup.suppose(lost.room.session, "the pool is too small")
        assert await begins(lost, *WAYS[way]) == ""
        await lost.press("p", "o", "o", "l")
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns")
        assert await begins(room, *WAYS[way]) == "pool"
        assert UNFINISHED in room.painted()
        await room.press("s")
        assert UNFINISHED not in room.painted()


async def test_what_is_left_with_escape_or_written_down_does_not_come_again(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await begins(room, "H", "a")
        await room.press("x", "escape")
        assert await begins(room, "a") == ""
        await room.types("the pool is too small")
        await room.sees("the pool is too small")
        assert await begins(room, "a") == ""


async def test_an_item_is_kept_until_its_owner_and_date_are_given_too(config: Path) -> None:
    async with opened(config, size=SIZE) as lost:
        await lost.opens("it burns")
        await begins(lost, "A", "a")
        await lost.types("enlarge the pool")
        await lost.asked()
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns")
        assert await begins(room, "A", "a") == "enlarge the pool"
        for answer in ("enlarge the pool", "dana", ""):
            await room.types(answer)
        await room.until(lambda: Kind.ACTION_ITEM.value in room.kinds, "no item")
        assert await begins(room, "a") == ""


async def test_a_title_is_kept_until_there_is_an_incident(config: Path) -> None:
    async with opened(config, size=SIZE) as lost:
        await begins(lost, "i")
        await lost.press("5", "0", "3")
    async with opened(config, size=SIZE) as room:
        assert await begins(room, "i") == "503"
        await room.press("enter")
        await room.sees("severity (")
        await room.press("1")
        await room.until(lambda: Kind.OPENED.value in room.kinds, "not opened")
        await room.room.session.note("a later one")
        assert [e.text for e in room.room.session.events[:1]] == ["503"]
