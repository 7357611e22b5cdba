"""Marked containers: one key, one card, and what came of each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.services import DockerEngine
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.mitigations import _docker_wait
from warroom.tui.screens import card

pytestmark = pytest.mark.service("docker")
SLEEP = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
_numbers = count()


@pytest.fixture
async def names(docker_engine: DockerEngine) -> AsyncIterator[list[str]]:
    number = next(_numbers)
    found = [f"many-{os.getpid()}-{number}-{what}" for what in ("a", "b", "c")]
    await asyncio.gather(*(asyncio.to_thread(docker_engine.run, name, *SLEEP) for name in found))
    yield found
    await asyncio.to_thread(docker_engine.docker, "rm", "-f", *found)


@pytest.fixture
async def room(
    docker_engine: DockerEngine, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RoomPage]:
    """A console on three containers, in an incident, where a card is taken as read at once."""
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)
    pattern = names[0][:-1] + "*"
    probe = (
        f'[[probe]]\nkind = "docker"\nsocket = "{docker_engine.socket}"\nnames = ["{pattern}"]\n'
        'every = "0.5s"'
    )
    async with opened(written(tmp_path, probe), size=(150, 46)) as page:
        await page.sees(*names, pane="docker")
        await page.opens("it burns")
        await page.go("docker")
        yield page


def began(engine: DockerEngine, names: list[str]) -> list[str]:
    return [engine.docker("inspect", "-f", "{{.State.StartedAt}}", name) for name in names]


async def test_a_key_restarts_what_is_marked_with_one_card_and_one_story(
    room: RoomPage, docker_engine: DockerEngine, names: list[str]
) -> None:
    before = await asyncio.to_thread(began, docker_engine, names)
    await room.press("g", "space", "space")
    await room.sees("2 marked", pane="docker")
    await room.press("r")
    await room.sees("Restart 2 containers", f"1. {names[0]}", f"2. {names[1]}", "enter run")
    assert names[2] not in "\n".join(
        line for line in room.text().splitlines() if "POST" in line or ". marked" in line
    )
    await room.press("enter")
    await room.sees(f"done: 2 done: {names[0]}, {names[1]}")
    after = await asyncio.to_thread(began, docker_engine, names)
    assert [one != two for one, two in zip(before, after, strict=True)] == [True, True, False]
    asked = [event for event in room.room.session.events if event.kind is Kind.REQUESTED]
    assert [event.data["kind"] for event in asked] == ["docker.bulk"]
    assert len(asked[0].data["holds"]) == 2
    await room.press("enter")
    await room.loses("marked", pane="docker")


async def test_what_takes_one_row_says_so_and_the_list_says_how_many_are_marked(
    room: RoomPage,
) -> None:
    await room.press("g", "space", "space", "X")
    await room.says("takes one row: esc takes the marks away")
    await room.press("m")
    await room.sees("act on", "2 marked")
    await room.press("escape")
    await room.closes()


async def test_a_key_for_each_asks_what_to_do_and_one_mark_means_that_row(
    room: RoomPage, names: list[str]
) -> None:
    await room.press("g", "space", "j")
    await room.press("r")
    await room.sees(f"Restart {names[0]}", "enter run")
    await room.press("escape")
    await room.closes()
    await room.press("E")
    await room.sees("what to do with each", "recreate")
    await room.press("escape")
    await room.closes()
