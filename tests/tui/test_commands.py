"""Commands: by key, in the palette, on the command line, remapped; and how the screen looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened
from warroom.tui import themes
from warroom.tui.commands import COMMANDS

SIZE = (120, 40)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    log = tmp_path / "api.log"
    log.write_text("INFO start\nERROR pool exhausted\n")
    return written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"')


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    async with opened(config, size=SIZE) as page:
        await page.sees("pool exhausted", pane="logs")
        yield page


async def says_to(room: RoomPage, line: str) -> None:
    """Type a line on the command line."""
    await room.press("colon")
    await room.types(line)


async def test_the_palette_offers_every_command_and_every_theme(room: RoomPage) -> None:
    offered = {c.title for c in room.app.get_system_commands(room.app.screen)}
    for command in COMMANDS:
        if command.id not in ("palette", "pane"):
            assert f"{command.title}  ({command.key_text})" in offered
    assert {f"theme {name}" for name in themes.names()} <= offered


async def test_a_command_is_found_in_the_palette_by_a_part_of_its_name_and_run(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await room.press("ctrl+p")
    (await room.asked()).value = "checkl"
    await room.until(lambda: "checklist  (x)" in room.painted(), "not found")
    await room.press("enter")
    await room.sees("[ ] See it yourself")


async def test_the_command_line_does_what_the_keys_do(room: RoomPage) -> None:
    await room.opens("it burns", "2")
    await room.go("logs")
    await says_to(room, "severity P1")
    await room.sees("[P1]")
    await says_to(room, "status mitigating")
    await room.sees("→ mitigating")
    await says_to(room, "note said on the command line")
    await room.sees("said on the command line")
    await says_to(room, "layout stack")
    await room.says("layout: stack")
    await says_to(room, "theme light")
    await room.until(lambda: room.app.theme == "warroom-light", "another theme")
    await says_to(room, "filter pool")
    await room.sees("/pool", pane="logs")
    await says_to(room, "resolve")
    await room.sees("→ resolved")
    await says_to(room, "close")
    await room.sees("close? P1 is closed by the incident commander (nobody is); the watch still")
    await room.press("y")
    await room.sees("→ closed")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", '"nonsense" is no command; ? lists them'),
        ("severity P9", "P9"),
        ("status on fire", '"on fire" is no status; there are: investigating'),
        ("theme pink", 'no theme is called "pink"; there are: dark'),
        ("layout round", 'no layout is called "round"; there are: room'),
        ("[/x] [@click=app.bell]x[/]", '"[/x]" is no command'),
    ],
)
async def test_nonsense_on_the_command_line_is_answered_in_one_line(
    room: RoomPage, line: str, said: str
) -> None:
    await room.opens("it burns")
    await says_to(room, line)
    await room.says(said)
    assert room.kinds == ["opened"]


async def test_a_word_and_its_value_are_completed(room: RoomPage) -> None:
    await room.opens("it burns", "2")
    await room.press("colon")
    line = await room.asked()
    await room.press(*"sev")
    await room.until(lambda: line._suggestion == "severity", "no word is suggested")
    await room.press("right", "space", *"p1")
    await room.until(lambda: line._suggestion.endswith("P1"), "no value is suggested")
    await room.press("right", "enter")
    await room.sees("[P1]")


async def test_every_theme_draws_the_room_and_says_its_name(room: RoomPage) -> None:
    names = themes.names()
    assert len(names) == 6
    for name in [*names[1:], names[0]]:
        await room.press("T")
        await room.says(f"theme: {name}")
        assert "pool exhausted" in room.painted()
    assert room.app.theme == "warroom-dark"


async def test_the_help_names_every_key_with_what_it_does(room: RoomPage) -> None:
    await room.press("question_mark")
    await room.sees("keys and commands", "The incident")
    seen = ""
    for _ in range(6):
        seen += room.text()
        await room.press("pagedown")
    for command in COMMANDS:
        assert command.help in seen, command.id
    await room.press("q")
    await room.closes()


async def test_a_command_takes_another_key_and_says_so(tmp_path: Path) -> None:
    config = written(tmp_path, '[console]\nkeys = { note = "N", timeline = "ctrl+t" }')
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await room.press("n")
        assert room.app.screen is room.app.room_screen
        await room.press("N")
        await room.types("by another key")
        await room.sees("by another key", " N note", "ctrl+t timeline")
        await room.press("ctrl+t")
        await room.sees("timeline of INC-")
        await room.press("escape")
        await room.closes()
        await room.press("question_mark")
        await room.sees("N         :note")
        titles = {c.title for c in room.app.get_system_commands(room.app.screen)}
        assert "note  (N)" in titles


async def test_an_ascii_console_draws_no_other_character(tmp_path: Path) -> None:
    config = written(tmp_path, "[console]\nascii = true", '[[probe]]\nkind = "machine"')
    async with opened(config) as room:
        await room.sees("cpu", pane="machine")
        await room.opens("it burns")
        for key in ("", "t", "question_mark", "v"):
            await room.press(*([key] if key else []))
            odd = {char for char in room.painted() if not char.isascii()}
            assert not odd, (key, odd)
            await room.press("escape")


async def test_the_incident_goes_on_when_the_console_is_left(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await room.press("q")
        await room.until(lambda: room.app._exit, "q does not leave")
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns")
