"""One whole incident against real servers, from the first key to the post-mortem."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.services import DockerEngine
from tests.tui.page import opened
from warroom.domain.incident import Status
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis


@pytest.mark.service("docker")
@pytest.mark.service("postgres")
@pytest.mark.service("redis")
async def test_an_incident_is_opened_lived_through_and_exported(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    docker_engine: DockerEngine,
    postgres_server: Postgres,
    redis_server: Redis,
) -> None:
    monkeypatch.chdir(tmp_path)
    docker_engine.run("shop-api", "sleep", "3600")
    docker_engine.run("shop-web", "sleep", "3600")
    log = tmp_path / "api.log"
    log.write_text("2026-01-01 12:00:00 ERROR pool exhausted\n")
    config = tmp_path / "warroom.toml"
    config.write_text(f"""
[incident]
timezone = "Europe/Berlin"
[journal]
path = "{tmp_path}/journal.db"
[[probe]]
kind = "docker"
socket = "{docker_engine.socket}"
every = "1s"
[[probe]]
kind = "postgres"
dsn = "{postgres_server.dsn()}"
every = "1s"
[[probe]]
kind = "redis"
url = "{redis_server.url}"
every = "1s"
[[probe]]
kind = "machine"
[[log]]
name = "api"
path = "{log}"
""")
    config.chmod(0o600)
    async with opened(config) as room:
        await room.sees("shop-api", pane="docker")
        await room.sees("connections", pane="postgres")
        await room.sees("cpu", pane="machine")
        await room.sees("pool exhausted", pane="logs")

        await room.press("i")
        await room.types("Checkout 5xx")
        await room.press("2")
        await room.closes()
        await room.sees("Checkout 5xx", "[P2]")
        await room.press("v", "1")
        await room.closes()
        await room.sees("[P1]", "severity P2 → P1")

        docker_engine.docker("kill", "shop-api")
        await room.sees("docker: shop-api down")

        await room.select("docker", "shop-api")
        await room.press("r")
        await room.sees("shop-api", "runs", "esc cancel")
        await room.pilot.pause(0.5)
        await room.press("enter")
        await room.sees("done:")
        await room.press("enter")
        await room.closes()
        assert (
            docker_engine.docker("inspect", "-f", "{{.State.Running}}", "shop-api").strip()
            == "true"
        )

        await room.press("n")
        await room.types("the pool was too small")
        await room.sees("the pool was too small")
        await room.press("u", "5")
        await room.closes()
        await room.sees("status investigating → resolved")
        await room.press("e")
        await room.sees("post-mortem:")
        assert room.room.session.incident is not None
        assert room.room.session.incident.status is Status.RESOLVED

    (written,) = tmp_path.glob("INC-*-post-mortem.md")
    assert written.stat().st_mode & 0o777 == 0o600
    said = written.read_text()
    for wanted in (
        "Checkout 5xx",
        "P0-P3",
        "P2",
        "P1",
        "shop-api",
        "the pool was too small",
        "done",
    ):
        assert wanted in said, wanted
