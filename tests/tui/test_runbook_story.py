"""From a team's runbook alone to a post-mortem that cites its steps: nothing else is configured."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import tomlkit

from tests.support.cli import Shell
from tests.support.services import Loop
from tests.support.waiting import comes_true
from tests.tui.page import RoomPage, opened
from warroom.drill import run
from warroom.drill.run import Drill
from warroom.tui.screens import card
from warroom.tui.screens.playbook import PlaybookScreen

pytestmark = [pytest.mark.service(name) for name in ("docker", "postgres", "redis", "nginx")]
WITHIN: Final = 90.0
"""Seconds that a sick shop has to get well on a machine that others use, too."""
RUNBOOK: Final = """# The shop

## Severity

| Severity | When | First response |
| --- | --- | --- |
| SEV1 | Nobody can buy | 5 minutes |
| SEV2 | Many cannot | 15 minutes |
| SEV3 | Few notice | 4 hours |
| SEV4 | Nobody notices | next business day |

## Playbook: the cache is full

**Symptoms:**
- Every lookup misses

1. Look at its memory.

## Playbook: a container is gone

**Symptoms:**
- A container ended and should not have
- Pages answer 502

**Investigation:**

```bash
# Its last words
docker logs --tail 20 warroom-drill-api

# What else there is
docker inspect --format '{{.State.Status}}' drill-api
```

**Mitigation:**

```bash
docker restart warroom-drill-api
```

**Verification:**

```bash
curl -fsS URL
```
"""


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Drill, Loop]]:
    loop = Loop()
    running = loop.run(run.start(tmp_path_factory.mktemp("drill"), "service-down"))
    yield running, loop
    loop.run(running.stop())
    loop.close()


def of_runbook(folder: Path, url: str) -> Path:
    """The config that `warroom init --from-runbook` writes, which looks in a hurry."""
    book = folder / "shop.md"
    book.write_text(RUNBOOK.replace("URL", url))
    book.chmod(0o600)
    Shell(folder)("init", "--from-runbook", "shop.md", "-o", "warroom.toml")
    config = folder / "warroom.toml"
    document = tomlkit.parse(config.read_text())
    for probe in document["probe"]:
        probe["every"] = "500ms"
    config.write_text(tomlkit.dumps(document))
    return config


async def stands_on(room: RoomPage, text: str) -> None:
    """Go down the playbook to the step that has this text."""
    screen = room.app.screen
    assert isinstance(screen, PlaybookScreen)
    for _ in range(30):
        if screen.entry is not None and text in screen.entry.text:
            return
        await room.press("j")
    raise AssertionError(f"no step {text!r} in {room.text()}")


async def finds(room: RoomPage, text: str) -> None:
    """Wait until it is written down."""
    session = room.room.session
    told = await comes_true(lambda: any(text in one.text for one in session.events), WITHIN)
    assert told, f"not told: {text!r} in {[event.text for event in session.events]}"


async def runs(room: RoomPage, *keys: str, card: str, said: str) -> None:
    """Press keys until the card of a step is there, confirm it, and wait for what came of it."""
    await room.strikes(*keys)
    await room.sees("esc cancel", card)
    await room.strikes("enter")
    await room.loses("esc cancel")
    await finds(room, said)


@pytest.fixture
async def room(
    drill: tuple[Drill, Loop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RoomPage]:
    """A console on what `init --from-runbook` made of the runbook."""
    probes = tomllib.loads(drill[0].config_path.read_text())["probe"]
    socket = next(p["socket"] for p in probes if p["kind"] == "docker")
    url = next(p["url"] for p in probes if p.get("name") == "web")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    config = of_runbook(tmp_path, url)
    async with opened(config, size=(150, 44), adopting=True) as page:
        yield page


async def test_a_runbook_is_enough_for_a_whole_incident(room: RoomPage, tmp_path: Path) -> None:
    await room.sees("exited (137)", pane="docker", within=WITHIN)
    await room.sees("ctrl+r playbook", "a container is gone")
    await room.opens("The shop answers 502")
    await room.strikes("ctrl+r")
    await room.sees("type to find", "docker: 1 container(s) ended")
    await room.strikes("enter")
    await room.sees("all reads", "docker restart warroom-drill-api")
    await runs(room, "a", card="docker logs --tail 20", said="of 3 worked")
    await room.sees("FAILED exit 1", "No such object:")
    await stands_on(room, "docker restart")
    await runs(room, "enter", card="docker restart warroom-drill-api", said=": done: exit")
    await finds(room, "127.0.0.1-health ok: 200")
    await stands_on(room, "curl")
    await room.sees("p goes there")
    await runs(room, "enter", card="curl -fsS", said="curl")
    await room.strikes("escape")
    await room.closes()
    await room.strikes("u")
    await room.sees("5   resolved")
    await room.strikes("5")
    await room.closes()
    await finds(room, "status investigating → resolved")
    await room.strikes("e")
    await room.sees("enter write")
    await room.strikes("enter")
    await room.sees("post-mortem written to", within=WITHIN)
    assert room.room.session.incident is not None
    assert room.room.session.incident.scheme == "SEV1-SEV4"
    report(tmp_path)


def report(folder: Path) -> None:
    """It cites the steps that were run, and what is to be changed in the runbook."""
    (file,) = folder.glob("*-post-mortem.md")
    lines = file.read_text().replace("\\", "").splitlines()
    for step, label in (("every step that only looks", 1), ("shop.md:38", 2), ("shop.md:44", 3)):
        assert any(step in line and f"[E{label}]" in line for line in lines), (step, lines)
        assert any(line.startswith(f"### E{label} · Playbook: a container") for line in lines)
    gap = "shop.md:32, Playbook: a container is gone: failed [E1]: exit code 1"
    assert any(gap in line for line in lines), lines
    (patch,) = folder.glob("*-runbooks.patch")
    if shutil.which("git") is not None:
        subprocess.run(["git", "apply", patch.name], cwd=folder, check=True)
        assert "'{{.State.Status}}' warroom-drill-api" in (folder / "shop.md").read_text()
