"""What a docker pane's keys leave in the record, and how it is taken back from there."""

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
from warroom.tui.screens.help import help_lines

pytestmark = pytest.mark.service("docker")
_numbers = count()


@pytest.fixture
async def name(docker_engine: DockerEngine) -> AsyncIterator[str]:
    """A replica of a compose service that has said something; its project's name."""
    name = f"doing-{os.getpid()}-{next(_numbers)}"
    labels = {"project": name, "service": "api", "oneoff": "False", "container-number": "1"}
    script = "echo I am here; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    await asyncio.to_thread(
        docker_engine.run, f"{name}-api-1", "sh", "-c", script,
        labels={f"com.docker.compose.{key}": value for key, value in labels.items()},
    )  # fmt: skip
    yield name
    label = f"label=com.docker.compose.project={name}"
    listed = await asyncio.to_thread(docker_engine.docker, "ps", "-aq", "--filter", label)
    await asyncio.to_thread(docker_engine.docker, "rm", "-f", *listed.split())


@pytest.fixture
async def room(
    docker_engine: DockerEngine, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RoomPage]:
    """A console on it, in an incident, where a card is taken as read at once."""
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)
    probe = (
        f'[[probe]]\nkind = "docker"\nsocket = "{docker_engine.socket}"\nproject = "{name}"\n'
        'every = "0.5s"'
    )
    async with opened(written(tmp_path, probe), size=(150, 50)) as page:
        await page.sees(f"{name}-api-1", pane="docker")
        await page.opens("it burns")
        await page.go("docker")
        yield page


def kinds(room: RoomPage) -> list[str]:
    """Of what was asked for."""
    asked = [event for event in room.room.session.events if event.kind is Kind.REQUESTED]
    return [str(event.data["kind"]) for event in asked]


async def test_a_log_that_was_kept_is_an_exhibit_of_that_action(room: RoomPage, name: str) -> None:
    await room.press("Y")
    await room.sees(f"Keep the log of {name}-api-1", "read", "enter run")
    await room.press("enter")
    await room.sees(f"done: 1 lines of {name}-api-1 are kept")
    await room.until(lambda: bool(room.room.timeline().exhibits), "it is no exhibit")
    (exhibit,) = room.room.timeline().exhibits
    assert exhibit.evidence.text.endswith("Z I am here")
    entry = room.room.session.events[exhibit.entry - 1]
    assert (entry.kind, entry.data["kind"]) == (Kind.REQUESTED, "docker.logs")


async def test_more_replicas_stand_in_the_ledger_until_they_are_taken_back_from_there(
    room: RoomPage, name: str
) -> None:
    await room.press("W")
    await room.types("+1")
    await room.sees("Scale api from 1 to 2", f"{name}-api-2", "enter run")
    await room.press("enter")
    await room.sees("done: api: 1 → 2 replicas", "u Scale api back to 1")
    await room.sees(f"{name}-api-2", pane="docker")
    await room.press("enter")
    await room.sees("1 temporary: Scale api from 1 to 2")
    await room.press("M")
    await room.sees("temporary", "Scale api from 1 to 2")
    await room.press("enter")
    await room.sees("Scale api from 2 to 1", f"{name}-api-2", "change", "enter run")
    await room.press("enter")
    await room.sees("done: api: 2 → 1 replicas")
    await room.press("enter")
    await room.loses("temporary")
    await room.loses(f"{name}-api-2", pane="docker")
    assert kinds(room) == ["docker.scale", "docker.scale"]


async def test_what_was_cut_off_is_connected_again_by_the_key_on_its_card(
    room: RoomPage, name: str
) -> None:
    await room.press("X")
    await room.types("*")
    await room.sees(f"Disconnect {name}-api-1 from bridge", "only network", "enter run")
    await room.press("enter")
    await room.sees("is left with no network at all")
    await room.press("u")
    await room.sees(f"Connect {name}-api-1 with bridge", "enter run")
    await room.press("enter")
    await room.sees("done:", "is in bridge: ")
    assert kinds(room) == ["docker.disconnect", "docker.connect"]
    assert room.room.ledger.changes() == ()


async def test_the_help_lists_every_key_of_the_pane(room: RoomPage) -> None:
    screen = room.app.room_screen
    lines = ["".join(text for text, _ in line)
             for line in help_lines(screen.commands, screen.actions_here())]  # fmt: skip
    keys = {line.split()[0] for line in lines if line.endswith(("(read)", "(change)", "(destroy)"))}
    assert keys == {"r", "S", "s", "R", "W", "Y", "X", "F", "E"}
