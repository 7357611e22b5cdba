"""What an action wants to know is asked for before its card, and asked again until it is right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.commands import Recorder, recorder
from tests.support.cli import CALM, written
from tests.tui.page import RoomPage, opened
from warroom.tui.screens import card


@pytest.fixture
def program(tmp_path: Path) -> Recorder:
    return recorder(tmp_path)


@pytest.fixture
async def room(
    tmp_path: Path, program: Recorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RoomPage]:
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    config = written(
        tmp_path,
        '[[probe]]\nkind = "machine"',
        CALM,
        '[[mitigation]]\nkind = "command.run"\nkey = "f"\ntitle = "Greet"\n'
        f'argv = ["{program.path}", "{{count}}", "{{tone}}"]\n'
        'inputs = [{ name = "count", title = "how often", type = "int" }, '
        '{ name = "tone", type = "choice", choices = ["warm", "cold"], default = "cold" }]',
    )
    async with opened(config, size=(120, 40)) as page:
        await page.opens("it burns")
        yield page


async def test_a_wrong_value_is_asked_for_again_and_a_right_one_stands_on_the_card(
    room: RoomPage, program: Recorder
) -> None:
    await room.press("f")
    await room.types("often")
    assert (await room.asked()).value == "often"
    await room.types("3")
    await room.sees("Greet: tone", "warm", "cold")
    await room.press("enter")
    await room.sees(f"{program.path} 3 cold", "how often: 3", "esc cancel")
    assert program.calls == []
    await room.press("enter")
    await room.sees("done:")
    assert program.calls == [["3", "cold"]]


@pytest.mark.parametrize("after", [0, 1])
async def test_escape_at_any_question_runs_nothing(
    room: RoomPage, program: Recorder, after: int
) -> None:
    await room.press("f")
    await room.asked()
    if after:
        await room.types("3")
        await room.sees("Greet: tone")
    await room.press("escape")
    await room.closes()
    assert program.calls == []
    assert "mitigation requested" not in room.kinds
