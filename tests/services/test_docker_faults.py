"""An engine that is absent, foreign, out of reach or cut off is one plain line."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker_tunnel import Tunnel
from tests.services.docker_watching import SLEEP, cells, run, state, watching
from tests.support.services import DockerEngine
from warroom.probes import _docker_watch
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("docker")


async def test_no_engine_is_one_plain_line(tmp_path: Path):
    async with watching(tmp_path / "none.sock") as watched:
        with pytest.raises(ProbeFault) as fault:
            await watched.sample()
        assert str(fault.value) == f"no Docker engine at {tmp_path}/none.sock — is docker running?"
        assert fault.value.down


async def test_a_socket_we_may_not_use_says_what_to_do(docker_engine: DockerEngine):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101 - a Path here would be "blocking" to the linter
        async with Tunnel(Path(folder) / "t.sock", docker_engine.socket) as tunnel:
            tunnel.socket.chmod(0o400)
            with as_nobody():
                async with watching(tunnel.socket) as watched:
                    with pytest.raises(ProbeFault) as fault:
                        await watched.sample()
    assert re.search(r"may not use \S+ — add the user \w+ to group \w+", str(fault.value))
    assert not fault.value.down, "the engine may be well"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not hold for root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_service_that_is_no_engine_is_named_so(http_service: Callable[..., Any]):
    service = http_service()
    service.respond("/version", 200, "<html>hello</html>", {"Content-Type": "text/html"})
    async with watching(f"tcp://127.0.0.1:{service.port}") as watched:
        with pytest.raises(ProbeFault, match="is not a Docker engine"):
            await watched.sample()


@pytest.mark.service("redis")
async def test_another_protocol_is_named_so(redis_server: Any):
    async with watching(f"tcp://127.0.0.1:{redis_server.port}") as watched:
        with pytest.raises(ProbeFault, match=r"is not a Docker engine|broke the connection"):
            await watched.sample()


async def test_an_engine_that_is_too_old_says_what_is_needed(http_service: Callable[..., Any]):
    service = http_service()
    body = '{"Version": "1.6.2", "ApiVersion": "1.18"}'
    service.respond("/version", 200, body, {"Content-Type": "application/json"})
    service.respond("/v1.18/version", 200, body, {"Content-Type": "application/json"})
    async with watching(f"tcp://127.0.0.1:{service.port}") as watched:
        with pytest.raises(ProbeFault, match=r"1\.6\.2 .*too old: .*API 1\.18, needed is 1\.24"):
            await watched.sample()


async def test_an_engine_that_goes_away_is_down_and_comes_back_by_itself(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(tunnel.socket, names=(name,)) as watched:
        await watched.until(state(name, "running"))
        tunnel.cut()
        fault = await watched.until_down("no Docker engine at")
        assert fault.down
        await run(docker_engine, "kill", name)  # nobody tells us
        await tunnel.open()
        async with asyncio.timeout(30):
            while True:
                await watched.pushed()
                try:
                    sample = await watched.sample()
                    break
                except ProbeFault:
                    continue
        assert cells(sample, name)["state"] == "exited (137)"


async def test_a_tunnel_that_hangs_is_noticed(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_docker_watch, "SILENCE_S", 0.3)
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(tunnel.socket, names=(name,), timeout=1.0) as watched:
        await watched.until(state(name, "running"))
        tunnel.flowing.clear()
        fault = await watched.until_down("no answer from the Docker engine")
        assert fault.down
