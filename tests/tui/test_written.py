"""Whatever is pressed, and whatever comes meanwhile: the terminal shows what the screens say."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support import cli
from tests.support.sheet import drawn, written
from tests.support.waiting import comes_true
from tests.tui.page import opened

KEYS = [
    *"nt/?fsjkm:16zuvxgqead#hPHb", "escape", "enter", "tab", "up", "down", "backspace",
]  # fmt: skip
DEEP = [(), ("P", "enter"), ("x", "enter"), ("t", "/"), ("t", "e"), ("m",), (":",)]
"""What opens one screen over another; each burst begins with one of them, or with none."""
BURSTS, LONGEST = 16, 6


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_terminal_shows_what_the_screens_say(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chance, log = random.Random(seed), tmp_path / "api.log"
    log.write_text("start\n")
    config = cli.written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"\n')
    async with opened(config, size=(120, 40)) as room:
        await room.opens("it burns")
        app, pressed = room.app, list[str]()
        sheet = written(app)

        def is_true() -> bool:
            screen = app.screen
            still = not (screen._dirty_widgets or screen._repaint_required)
            return still and sheet.picture == drawn(app).picture

        for _ in range(BURSTS):
            keys = chance.choices(KEYS, k=chance.randint(1, LONGEST))
            for key in (*chance.choice(DEEP), *keys):
                if key == "q" and app.screen is app.room_screen:
                    continue
                pressed.append(key)
                with log.open("a") as file:
                    file.writelines(f"{key} {n} level=error\n" for n in range(chance.randint(0, 5)))
                await room.press(key)
                await asyncio.sleep(0.05 * chance.random())
            told = f"after {pressed[-12:]} over {app.screen_stack}:\n{sheet.text}"
            assert await comes_true(is_true), f"{told}\n-- but it says\n{drawn(app).text}"
