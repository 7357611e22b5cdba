"""Restart, stop and start on a real engine: the run that was shown, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from tests.support.sshd import SshServer
from tests.support.waiting import comes_true
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Row
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.mitigations.base import (
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    spec,
    unfenced,
)

pytestmark = pytest.mark.service("docker")
SLEEP: Final = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


@asynccontextmanager
async def mitigation(
    verb: str,
    socket: Path,
    host: Host | None = None,
    fence: Callable[[], None] = unfenced,
    **options: Any,
) -> AsyncIterator[Mitigation]:
    kind = spec(f"docker.{verb}")
    given = kind.options(socket=str(socket), **{"stop_timeout": 1, "wait": 10.0, **options})
    context = MitigationContext(host or LocalHost(), SystemClock(), fence=fence)
    made = kind.create(given, context)
    try:
        yield made
    finally:
        await made.close()


async def run(engine: DockerEngine, *args: str) -> str:
    return await asyncio.to_thread(engine.docker, *args)


async def inspect(engine: DockerEngine, name: str, what: str) -> str:
    return await run(engine, "inspect", "-f", f"{{{{{what}}}}}", name)


def row(key: str, name: str) -> Row:
    return Row(key, name, (name,), data={"id": key})


async def test_a_console_that_lost_the_right_to_act_leaves_the_container_alone(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
) -> None:
    def fence() -> None:
        raise MitigationRefused("another console took it over")

    await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, *SLEEP)
    began = await inspect(docker_engine, name, ".State.StartedAt")
    async with mitigation("restart", tunnel.socket, fence=fence, container=name) as made:
        card = await made.preview(None)
        with pytest.raises(MitigationRefused, match="took it over"):
            await made.perform(card)
    assert await inspect(docker_engine, name, ".State.StartedAt") == began


async def test_the_selected_container_is_restarted_and_the_card_said_so(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    key = await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    before = await inspect(docker_engine, name, ".State.StartedAt")
    async with mitigation("restart", tunnel.socket) as restart:
        card = await restart.preview(row(key, name))
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}, "a preview only reads"
        assert card.command[0].startswith(f"POST /containers/{key[:12]}/restart?t=1 on unix://")
        done = await restart.perform(card)
    assert [line.split()[1] for line in tunnel.requests if line.startswith("POST")] == [
        f"/v1.41/containers/{key}/restart?t=1"
    ]
    assert await inspect(docker_engine, name, ".State.StartedAt") != before
    assert done.text.startswith(f"restarted {name} in ")
    assert done.text.endswith("UTC, it has no health check")
    assert done.evidence["started_before"] == before


async def test_a_restart_waits_for_the_health_check(docker_engine: DockerEngine, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP, health="true")
    async with mitigation("restart", docker_engine.socket, container=name) as restart:
        done = await restart.perform(await restart.preview(None))
    assert done.text.endswith("UTC, healthy")
    assert await inspect(docker_engine, name, ".State.Health.Status") == "healthy"


async def test_a_restart_after_which_it_is_ill_has_failed(docker_engine: DockerEngine, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP, health="echo no route; false")
    async with mitigation("restart", docker_engine.socket, container=name) as restart:
        card = await restart.preview(None)
        with pytest.raises(MitigationFailed, match="restarted, but is unhealthy: no route"):
            await restart.perform(card)


@pytest.mark.parametrize("policy", ["no", "always"])
async def test_a_restart_after_which_it_ends_at_once_has_failed(
    docker_engine: DockerEngine, name: str, policy: str
):
    script = "test -e /tmp/x && exit 3; touch /tmp/x; while :; do sleep 0.1; done"
    await run(
        docker_engine, "run", "-d", "--name", name, "--restart", policy, docker_engine.image,
        "sh", "-c", script,
    )  # fmt: skip
    async with mitigation("restart", docker_engine.socket, container=name) as restart:
        card = await restart.preview(None)
        with pytest.raises(MitigationFailed, match="restarted, but does not stay up"):
            await restart.perform(card)


async def test_not_healthy_in_time_has_failed_in_words(docker_engine: DockerEngine, name: str):
    await run(
        docker_engine, "run", "-d", "--name", name, "--health-cmd", "true",
        "--health-interval", "60s", docker_engine.image, *SLEEP,
    )  # fmt: skip
    async with mitigation("restart", docker_engine.socket, container=name, wait=1.5) as restart:
        card = await restart.preview(None)
        with pytest.raises(MitigationFailed, match=r"runs, but not healthy after 1\.5 s"):
            await restart.perform(card)


async def test_another_run_than_the_one_shown_is_left_alone(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    key = await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("restart", tunnel.socket) as restart:
        card = await restart.preview(row(key, name))
        await run(docker_engine, "restart", "-t", "0", name)
        now = await inspect(docker_engine, name, ".State.StartedAt")
        with pytest.raises(MitigationRefused) as refused:
            await restart.perform(card)
    assert card.target.identity["started_at"] in str(refused.value)
    assert now in str(refused.value)
    assert not [line for line in tunnel.requests if line.startswith("POST")]


async def test_one_that_its_own_policy_restarts_again_and_again_is_still_the_one_shown(
    docker_engine: DockerEngine, name: str
) -> None:
    await run(
        docker_engine, "run", "-d", "--name", name, "--restart", "always", docker_engine.image,
        "sh", "-c", "exit 3",
    )  # fmt: skip

    async def restarts() -> int:
        return int(await inspect(docker_engine, name, ".RestartCount"))

    async with mitigation("restart", docker_engine.socket, container=name) as restart:
        card = await restart.preview(None)
        shown = await restarts()

        async def again() -> bool:
            return await restarts() > shown

        assert await comes_true(again)
        with pytest.raises(MitigationFailed, match="restarted, but does not stay up"):
            await restart.perform(card)


async def test_another_container_of_the_same_name_is_left_alone(
    docker_engine: DockerEngine, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("stop", docker_engine.socket, container=name) as stop:
        card = await stop.preview(None)
        await run(docker_engine, "rm", "-f", name)
        await asyncio.to_thread(docker_engine.run, name, *SLEEP)
        with pytest.raises(MitigationRefused, match="nothing was done: No such container"):
            await stop.perform(card)
    assert await inspect(docker_engine, name, ".State.Running") == "true"


async def test_one_that_was_renamed_is_left_alone(docker_engine: DockerEngine, name: str):
    key = await asyncio.to_thread(docker_engine.run, f"{name}-old", *SLEEP)
    async with mitigation("restart", docker_engine.socket) as restart:
        card = await restart.preview(row(key, f"{name}-old"))
        await run(docker_engine, "rename", f"{name}-old", name)
        with pytest.raises(MitigationRefused, match=f"{name}-old is called {name} now"):
            await restart.perform(card)


async def test_a_connection_cut_while_asking_is_uncertain(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("restart", tunnel.socket, container=name) as restart:
        card = await restart.preview(None)
        tunnel.cut_on = b"POST"
        with pytest.raises(MitigationUncertain, match="may or may not have been restarted"):
            await restart.perform(card)


async def test_a_connection_lost_before_asking_has_done_nothing(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("restart", tunnel.socket, container=name) as restart:
        card = await restart.preview(None)
        tunnel.cut()
        with pytest.raises(MitigationRefused, match="nothing was done"):
            await restart.perform(card)


async def test_stop_then_start(docker_engine: DockerEngine, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("stop", docker_engine.socket, container=name) as stop:
        done = await stop.perform(await stop.preview(None))
        assert done.text.startswith(f"stopped {name} in ")
        assert done.text.endswith("; exited (0)")
        assert done.undo is not None
        assert (done.undo.kind, done.undo.title) == ("docker.start", f"Start {name} again")
        with pytest.raises(MitigationRefused, match="is not running"):
            await stop.preview(None)
    async with mitigation("start", docker_engine.socket, container=name) as start:
        done = await start.perform(await start.preview(None))
        assert done.text.startswith(f"started {name} in ")
    assert await inspect(docker_engine, name, ".State.Running") == "true"


async def test_stopping_what_was_started_with_rm_says_that_it_is_gone(
    docker_engine: DockerEngine, name: str
):
    await run(docker_engine, "run", "-d", "--rm", "--name", name, docker_engine.image, *SLEEP)
    async with mitigation("stop", docker_engine.socket, container=name) as stop:
        card = await stop.preview(None)
        assert "removes it" in card.warnings[0]
        done = await stop.perform(card)
    assert done.text.endswith("it was removed, as --rm asked")


async def test_what_the_engine_refuses_has_failed_with_its_words(
    docker_engine: DockerEngine, name: str
):
    await run(docker_engine, "create", "--name", name, docker_engine.image, "/no/such/program")
    async with mitigation("start", docker_engine.socket, container=name) as start:
        card = await start.preview(None)
        with pytest.raises(MitigationFailed, match=f"{name} was not started: .*no such file"):
            await start.perform(card)


async def test_those_that_share_its_network_are_on_the_card(docker_engine: DockerEngine, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    side = f"{name}-side"
    await run(
        docker_engine, "run", "-d", "--name", side, "--network", f"container:{name}",
        docker_engine.image, *SLEEP,
    )  # fmt: skip
    try:
        async with mitigation("restart", docker_engine.socket, container=name) as restart:
            card = await restart.preview(None)
            assert ("depend on it", side) in card.hits
    finally:
        await run(docker_engine, "rm", "-f", side)


async def test_no_target_is_refused_in_words(docker_engine: DockerEngine, tmp_path: Path):
    async with mitigation("restart", docker_engine.socket) as restart:
        with pytest.raises(MitigationRefused, match="select a row"):
            await restart.preview(None)
    async with mitigation("restart", docker_engine.socket, container="nobody") as restart:
        with pytest.raises(MitigationRefused, match="No such container"):
            await restart.preview(None)
    async with mitigation("restart", tmp_path / "none", container="x") as restart:
        with pytest.raises(MitigationRefused, match="no Docker engine at"):
            await restart.preview(None)


async def test_the_beginning_of_an_id_is_not_a_name(docker_engine: DockerEngine, name: str):
    key = await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with mitigation("restart", docker_engine.socket, container=key[:6]) as restart:
        with pytest.raises(MitigationRefused, match=f"the nearest is {name}"):
            await restart.preview(None)


@pytest.mark.service("ssh")
async def test_a_restart_over_ssh(docker_engine: DockerEngine, ssh_server: SshServer, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    host = SshHost("box", "box", str(ssh_server.config))
    try:
        async with mitigation("restart", docker_engine.socket, host, container=name) as restart:
            card = await restart.preview(None)
            assert card.host == "box"
            assert f"unix://{docker_engine.socket}" in card.command[0]
            done = await restart.perform(card)
            assert done.text.startswith(f"restarted {name}")
    finally:
        await host.close()
