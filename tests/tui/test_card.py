"""The card: nothing runs that was not read and confirmed; and observers run nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.cli import output_of, written
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.domain.evidence import evidence_of
from warroom.drill.stack.redis import Redis
from warroom.tui.screens import card
from warroom.tui.screens.card import CardScreen

pytestmark = pytest.mark.service("redis")
SIZE = (120, 40)
DB = 7


class Keys:
    """Database 7 of the server, through redis-cli."""

    def __init__(self, server: Redis) -> None:
        self.server = server

    def cli(self, *args: str) -> str:
        return output_of(["redis-cli", "-p", str(self.server.port), "-n", str(DB), *args])

    @property
    def clients(self) -> int:
        """Connections to the server, ours not counted."""
        return len(self.cli("client", "list").splitlines()) - 1

    @property
    def count(self) -> int:
        return int(self.cli("dbsize"))


@pytest.fixture
def keys(redis_server: Redis) -> Iterator[Keys]:
    """Three keys that must not be lost."""
    keys = Keys(redis_server)
    keys.cli("mset", "cart:1", "a", "cart:2", "b", "cart:3", "c")
    yield keys
    keys.cli("flushdb")


@pytest.fixture
def config(tmp_path: Path, redis_server: Redis) -> Path:
    return written(
        tmp_path,
        f'[[probe]]\nkind = "redis"\nurl = "redis://127.0.0.1:{redis_server.port}/{DB}"',
        '[[mitigation]]\nkey = "f"\nkind = "redis.flushdb"\ntitle = "Empty the cache"',
    )


@pytest.fixture
async def room(
    config: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RoomPage]:
    """A console with an open incident, where a card is taken as read at once."""
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    async with opened(config, size=SIZE) as page:
        await page.sees("keys db7 3", pane="redis")
        await page.opens("it burns")
        yield page


async def read(room: RoomPage, key: str = "f") -> None:
    """Arm, and read the card."""
    await room.press(key)
    await room.sees("db7", "FLUSHDB", "3", "nothing: every key", "esc cancel")


async def test_the_card_shows_the_command_and_what_it_hits_and_runs_when_the_name_is_typed(
    room: RoomPage, keys: Keys
) -> None:
    await read(room)
    assert keys.count == 3
    await room.press(*"db7", "enter")
    await room.sees("done:", "3 keys removed from db7")
    assert keys.count == 0
    await room.press("enter")
    await room.closes()
    asked, came = [e for e in room.room.session.events if e.kind.value.startswith("mitigation")]
    assert (asked.kind, came.kind) == (Kind.REQUESTED, Kind.OUTCOME)
    (before,) = evidence_of(asked.data)
    assert (before.source, before.query) == ("redis", "redis probe: INFO, SLOWLOG GET")
    assert "keys: db7 3" in before.text


async def test_a_wrong_word_runs_nothing_and_can_be_put_right(room: RoomPage, keys: Keys) -> None:
    await read(room)
    await room.press(*"db8", "enter")
    await room.sees('"db8" is not "db7"')
    assert (keys.count, room.kinds) == (3, ["opened"])
    await room.press("backspace", "7", "enter")
    await room.sees("done:")


async def test_escape_leaves_no_trace(room: RoomPage, keys: Keys) -> None:
    await read(room)
    at_the_card = keys.clients
    await room.press(*"db7", "escape")
    await room.closes()
    await room.until(lambda: keys.clients == at_the_card - 1, "its connection is left open")
    assert (keys.count, room.kinds) == (3, ["opened"])


async def test_an_enter_that_was_typed_before_the_card_was_shown_confirms_nothing(
    room: RoomPage, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "DEAF_S", 3600.0)  # so slow that nobody can have read it
    await room.press("f")
    await room.sees("esc cancel")
    await room.press(*"db7", "enter")
    await room.sees("typed before the card was shown")
    assert (keys.count, room.kinds) == (3, ["opened"])


async def test_keys_that_were_typed_in_one_go_stop_at_the_card(
    room: RoomPage, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "DEAF_S", 3600.0)
    await room.press("f", "enter", "enter", "enter")
    await room.sees("esc cancel")
    await room.until(lambda: isinstance(room.app.screen, CardScreen), "no card")
    assert (keys.count, room.kinds) == (3, ["opened"])


async def test_a_screen_made_too_small_to_read_the_card_confirms_nothing(
    room: RoomPage, keys: Keys
) -> None:
    await read(room)
    await room.resize(50, 12)
    await room.press(*"db7", "enter")
    await room.resize(*SIZE)
    await room.sees("too small to read")
    assert (keys.count, room.kinds) == (3, ["opened"])
    await room.press("enter")
    await room.sees("done:")


async def test_a_target_with_nothing_to_do_is_refused_before_any_card(
    room: RoomPage, keys: Keys
) -> None:
    keys.cli("flushdb")
    await room.press("f")
    await room.says("db7 is empty: there is nothing to flush")
    assert room.kinds == ["opened"]


async def test_the_list_and_the_palette_lead_to_the_same_card(room: RoomPage) -> None:
    await room.press("m")
    await room.sees("act on", "Empty the cache")
    await room.press("f")
    await room.sees("FLUSHDB", "esc cancel")
    await room.press("escape")
    await room.closes()
    await room.press("ctrl+p")
    (await room.asked()).value = "Empty the cache"
    await room.until(lambda: "shows its card first" in room.painted(), "not in the palette")
    await room.press("enter")
    await room.sees("FLUSHDB", "esc cancel")


async def test_the_panes_own_key_works_on_its_pane_alone(room: RoomPage) -> None:
    await room.press("F")
    await room.sees("FLUSHDB", "esc cancel")


async def test_without_an_incident_no_card_is_shown(config: Path, keys: Keys) -> None:
    async with opened(config, size=SIZE) as room:
        await room.sees("keys db7 3", pane="redis")
        await room.press("f")
        await room.says("open an incident first")
        assert room.app.screen is room.app.room_screen


async def test_an_observer_is_refused_by_key_by_list_and_by_palette(
    config: Path, keys: Keys
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
    async with opened(config, size=SIZE, observe=True) as room:
        await room.sees("keys db7 3", "OBSERVER", "observer mode")
        for key in ("f", "F"):
            await room.press(key)
            await room.says("observer mode: this console changes nothing")
            room.app.room_screen.keys.clear()
        await room.press("m")
        await room.sees("act on", "observer mode")
        await room.press("f", "enter")
        assert "act on" in room.text(), "what is dimmed cannot be chosen"
        await room.press("escape")
        await room.closes()
        await room.press("ctrl+p")
        (await room.asked()).value = "Empty the cache"
        await room.until(lambda: "shows its card first" in room.painted(), "not in the palette")
        await room.press("enter")
        await room.says("observer mode: this console changes nothing")
        assert (keys.count, room.kinds) == (3, ["opened"])
