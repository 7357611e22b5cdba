"""One whole incident against real servers, from the first key to the post-mortem."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import CALM
from tests.support.services import DockerEngine
from tests.tui.page import RoomPage, opened
from warroom.domain.incident import Status
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis

NOTE = "the pool was too small"


@pytest.fixture
def config(
    tmp_path: Path, docker_engine: DockerEngine, postgres_server: Postgres, redis_server: Redis
) -> Path:
    docker_engine.run("shop-api", "sleep", "3600")
    docker_engine.run("shop-web", "sleep", "3600")
    log = tmp_path / "api.log"
    log.write_text("2026-01-01 12:00:00 ERROR pool exhausted\n")
    file = tmp_path / "warroom.toml"
    file.write_text(f"""
incident = {{ timezone = "Europe/Berlin" }}
journal = {{ path = "{tmp_path}/journal.db" }}
probe = [
  {{ kind = "docker", socket = "{docker_engine.socket}", every = "1s" }},
  {{ kind = "postgres", dsn = "{postgres_server.dsn()}", every = "1s" }},
  {{ kind = "redis", url = "{redis_server.url}", every = "1s" }},
  {{ kind = "machine" }},
]
log = [{{ name = "api", path = "{log}" }}]
{CALM}
""")
    file.chmod(0o600)
    return file


@pytest.mark.service("docker")
@pytest.mark.service("postgres")
@pytest.mark.service("redis")
async def test_an_incident_is_opened_lived_through_and_exported(
    config: Path, monkeypatch: pytest.MonkeyPatch, docker_engine: DockerEngine
) -> None:
    monkeypatch.chdir(config.parent)
    async with opened(config) as room:
        await every_pane_is_live(room)
        await it_is_opened_as_p2_and_becomes_p1(room)
        docker_engine.docker("kill", "shop-api")
        await room.sees("docker: shop-api down")
        await the_container_is_restarted_by_key(room)
        running = docker_engine.docker("inspect", "-f", "{{.State.Running}}", "shop-api")
        assert running.strip() == "true"
        await it_is_noted_resolved_and_exported(room)
        assert room.room.session.incident is not None
        assert room.room.session.incident.status is Status.RESOLVED
    (written,) = config.parent.glob("INC-*-post-mortem.md")
    assert written.stat().st_mode & 0o777 == 0o600
    said = written.read_text()
    for wanted in ("Checkout 5xx", "P0-P3", "P2", "P1", "shop-api down", "Restart", "done", NOTE):
        assert wanted in said, wanted


async def every_pane_is_live(room: RoomPage) -> None:
    await room.sees("shop-api", pane="docker")
    await room.sees("connections", pane="postgres")
    await room.sees("keys", pane="redis")
    await room.sees("cpu", pane="machine")
    await room.sees("pool exhausted", pane="logs")


async def it_is_opened_as_p2_and_becomes_p1(room: RoomPage) -> None:
    await room.press("i")
    await room.types("Checkout 5xx")
    await room.press("2")
    await room.closes()
    await room.sees("Checkout 5xx", "[P2]")
    await room.press("v", "1")
    await room.closes()
    await room.sees("[P1]", "severity P2 → P1")


async def the_container_is_restarted_by_key(room: RoomPage) -> None:
    await room.select("docker", "shop-api")
    await room.press("r")
    await room.sees("runs", "esc cancel")
    await room.pilot.pause(0.5)  # a card is deaf to keys until it can be read
    await room.press("enter")
    await room.sees("done:", "enter close")
    await room.press("enter")
    await room.closes()


async def it_is_noted_resolved_and_exported(room: RoomPage) -> None:
    await room.press("n")
    await room.types(NOTE)
    await room.sees(NOTE)
    await room.press("u", "5")
    await room.closes()
    await room.sees("status investigating → resolved")
    await room.press("e")
    await room.sees("enter write")
    await room.press("enter")
    await room.sees("written; what is still missing")
    await room.press("escape")
