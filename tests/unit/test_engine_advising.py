"""While a room is open, what is wrong suggests its playbook, and a changed runbook rings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.duties import DOWN, Rooms, duty, looks
from warroom.domain.sample import Health
from warroom.engine.shelf import Shelf, read_book

TEXT = """# Shop

## Playbook: the shop is down

**Symptoms:**
- Shop unreachable
- 502 errors from the web service

```bash
docker ps
```
"""


@pytest.fixture
async def opened() -> AsyncIterator[Rooms]:
    rooms = Rooms()
    yield rooms
    await rooms.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.md"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


async def test_what_is_down_suggests_its_playbook_until_it_is_well_again(
    opened: Rooms, file: Path
) -> None:
    room = opened((DOWN, DOWN, Health.OK))
    await room.open(watch=False)
    room.shelf = Shelf((read_book(file, file.parent),), file.parent)
    await looks(room, 1)
    assert room.duty.advice == ()
    await duty(room)
    (advice,) = room.duty.advice
    assert advice.title == "Playbook: the shop is down"
    assert advice.because == 'api: 502; symptom "502 errors from the web service"'
    await looks(room, 2)
    await duty(room)
    assert room.duty.advice == ()


async def test_a_runbook_that_changes_meanwhile_rings_once(opened: Rooms, file: Path) -> None:
    room = opened()
    room.shelf = Shelf((read_book(file, file.parent),), file.parent)
    file.write_text(TEXT + "\nmore\n")
    room.shelf.look()
    await duty(room)
    assert room.duty.heard() == [
        "shop.md changed on disk: look at what changed and confirm it first"
    ]
    await duty(room)
    assert room.duty.heard() == []


async def test_without_runbooks_nothing_is_suggested(opened: Rooms) -> None:
    room = opened((DOWN,))
    await room.open(watch=False)
    await looks(room, 1)
    await duty(room)
    assert room.duty.advice == ()
