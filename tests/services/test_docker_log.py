"""A container's log from a real engine: both streams, through restarts and replacements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from tests.support.waiting import comes_true
from warroom.hosts.base import HostError
from warroom.hosts.containers import container_log
from warroom.hosts.docker import EngineRefused
from warroom.hosts.local import LocalHost

pytestmark = pytest.mark.service("docker")
WAIT: Final = "while :; do sleep 0.1; done"


async def lines(chunks: AsyncIterator[bytes], number: int) -> list[bytes]:
    """The next `number` lines at least."""
    data = b""
    async with asyncio.timeout(30):
        while data.count(b"\n") < number:
            data += await anext(chunks)
    return data.splitlines()


async def start(engine: DockerEngine, name: str, script: str, *options: str) -> None:
    argv = ("run", "-d", "--name", name, *options, engine.image, "sh", "-c", script)
    await asyncio.to_thread(engine.docker, *argv)


async def test_output_and_error_as_bytes_without_frames(docker_engine: DockerEngine, name: str):
    script = rf"echo out; printf 'err \377\033[31m\n' >&2; {WAIT}"
    await start(docker_engine, name, script, "--log-driver", "local")  # json-file mends UTF-8
    async with container_log(LocalHost(), name, socket=str(docker_engine.socket)) as chunks:
        assert sorted(await lines(chunks, 2)) == [b"err \xff\x1b[31m", b"out"]


async def test_the_last_lines_come_first(docker_engine: DockerEngine, name: str):
    await start(docker_engine, name, f"for i in $(seq 50); do echo $i; done; {WAIT}")
    written = partial(docker_engine.docker, "logs", "--tail", "1", name)
    assert await comes_true(lambda: written().strip() == "50")
    socket = str(docker_engine.socket)
    async with container_log(LocalHost(), name, last=3, socket=socket) as chunks:
        assert await lines(chunks, 3) == [b"48", b"49", b"50"]


@pytest.mark.parametrize("options", [(), ("-t",)], ids=["pipes", "terminal"])
async def test_every_line_once_through_restarts(
    docker_engine: DockerEngine, name: str, options: tuple[str, ...]
):
    counted = "n=$(cat /tmp/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/tmp/n"
    script = f"{counted}; echo run $n; {WAIT}"
    await start(docker_engine, name, script, *options)
    async with container_log(LocalHost(), name, socket=str(docker_engine.socket)) as chunks:
        assert await lines(chunks, 1) == [b"run 1"]
        for n in (2, 3):
            await asyncio.to_thread(docker_engine.docker, "restart", "-t", "0", name)
            assert await lines(chunks, 1) == [b"run %d" % n]


async def test_another_container_of_the_same_name_is_taken_up(
    docker_engine: DockerEngine, name: str
):
    await start(docker_engine, name, f"echo old; {WAIT}")
    async with container_log(LocalHost(), name, socket=str(docker_engine.socket)) as chunks:
        assert await lines(chunks, 1) == [b"old"]
        await asyncio.to_thread(docker_engine.docker, "rm", "-f", name)
        await start(docker_engine, name, f"echo new; echo newer; {WAIT}")
        assert await lines(chunks, 2) == [b"new", b"newer"]


async def test_it_is_said_while_there_is_nobody_to_say_anything(
    docker_engine: DockerEngine, name: str
):
    await start(docker_engine, name, f"echo up; {WAIT}")
    async with container_log(LocalHost(), name, socket=str(docker_engine.socket)) as chunks:
        assert (await lines(chunks, 1), chunks.trouble) == ([b"up"], "")
        await asyncio.to_thread(docker_engine.docker, "kill", name)
        assert await anext(chunks) == b""
        await asyncio.to_thread(docker_engine.docker, "wait", name)
        assert chunks.trouble.startswith(f"the container {name} ")
        assert chunks.trouble.endswith("; waiting for its next start")
        await asyncio.to_thread(docker_engine.docker, "start", name)
        assert await anext(chunks) == b""
        assert (await lines(chunks, 1), chunks.trouble) == ([b"up"], "")
        await asyncio.to_thread(docker_engine.docker, "rm", "-f", name)
        assert await anext(chunks) == b""
        assert "waiting for" in chunks.trouble


@pytest.mark.parametrize("options", [(), ("-t",)], ids=["pipes", "terminal"])
async def test_a_line_of_200_kilobytes_arrives_whole(
    docker_engine: DockerEngine, name: str, options: tuple[str, ...]
):
    script = f"head -c 200000 /dev/zero | tr '\\0' x; echo; {WAIT}"
    script = script.replace("tr ", "busybox tr ")
    await start(docker_engine, name, script, *options)
    async with container_log(LocalHost(), name, socket=str(docker_engine.socket)) as chunks:
        assert (await lines(chunks, 1))[0] == b"x" * 200_000


async def test_no_such_container_is_said_on_entering(docker_engine: DockerEngine):
    for wrong in ("nobody", "../../info", "a b"):
        with pytest.raises(EngineRefused, match=r"No such container|is no name") as refused:
            async with container_log(LocalHost(), wrong, socket=str(docker_engine.socket)):
                pass
        assert refused.value.status == 404


async def test_a_lost_engine_ends_the_reading_with_a_reason(
    docker_engine: DockerEngine, name: str, tmp_path: Path
):
    await start(docker_engine, name, f"echo one; {WAIT}")
    socket = tmp_path / "t.sock"
    async with (
        Tunnel(socket, docker_engine.socket) as tunnel,
        container_log(LocalHost(), name, socket=str(socket)) as chunks,
    ):
        await lines(chunks, 1)
        tunnel.cut()
        with pytest.raises(HostError, match="Docker engine"):
            await lines(chunks, 1)
