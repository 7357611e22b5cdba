"""A container made anew: the same config, and the old one back whenever that does not work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, lost_right, mitigation, row, run
from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from tests.support.waiting import comes_true
from warroom.mitigations import _docker_wait
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Output,
    Risk,
)

pytestmark = pytest.mark.service("docker")
QUICK = {"stop_timeout": 1, "wait": 10.0}


@pytest.fixture(autouse=True)
async def _left(docker_engine: DockerEngine, name: str) -> AsyncIterator[None]:
    """What an exchange left is removed."""
    yield
    listed = await run(docker_engine, "ps", "-aq", "--filter", f"name={name}")
    if listed:
        await run(docker_engine, "rm", "-f", *listed.split())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs counts as up after a moment: for those that do not end by themselves."""
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)


async def names(engine: DockerEngine, name: str) -> list[str]:
    """Of the containers that have to do with it."""
    listed = await run(engine, "ps", "-a", "--filter", f"name={name}", "--format", "{{.Names}}")
    return sorted(listed.split())


def lasting(found: dict[str, Any]) -> dict[str, Any]:
    """What must be the same in the next container."""
    config = {k: v for k, v in found["Config"].items() if k != "Hostname"}
    host = {k: v for k, v in found["HostConfig"].items() if k != "Binds"}
    return {"config": config, "host": host, "image": found["Image"]}


@pytest.mark.usefixtures("soon")
async def test_the_new_one_has_the_same_config_and_the_old_one_is_gone(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
) -> None:
    key = await run(
        docker_engine, "run", "-d", "--name", name, "-e", "SHOP=été [x]", "--label", "team=shop",
        "--memory", "32m", "--restart", "on-failure:3", "-w", "/tmp", "--env", "EMPTY=",
        "--ulimit", "nofile=64:64", "--log-opt", "max-size=1m", "-v", "/data", "-v",
        f"{name}-named:/named:ro", "--tmpfs", "/scratch", docker_engine.image, *SLEEP,
    )  # fmt: skip
    await run(docker_engine, "exec", name, "sh", "-c", "echo kept > /data/x; echo lost > /tmp/x")
    before = await looked(docker_engine, name)
    async with mitigation("recreate", tunnel.socket, **QUICK) as again:
        card = await again.preview(row(key, name))
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}, "a preview only reads"
        assert (card.risk, card.word) == (Risk.DESTROY, name)
        assert ("made by", "the engine's API: it is no container of compose") in card.hits
        assert "go over to it" in card.warnings[-1]
        done = await again.perform(card)
    after = await looked(docker_engine, name)
    assert after["Id"] != key
    assert lasting(after) == lasting(before)
    assert await names(docker_engine, name) == [name]
    assert await run(docker_engine, "exec", name, "cat", "/data/x") == "kept"
    with pytest.raises(AssertionError, match="No such file"):
        await run(docker_engine, "exec", name, "cat", "/tmp/x")
    assert done.text.startswith(f"recreated {name} in ")
    await run(docker_engine, "rm", "-f", "-v", name)
    await run(docker_engine, "volume", "rm", f"{name}-named")


@pytest.mark.usefixtures("soon")
async def test_every_network_name_and_fixed_address_comes_along(
    docker_engine: DockerEngine, name: str
) -> None:
    nets = {f"{name}-a": "10.78.1", f"{name}-b": "10.78.2"}
    for net, subnet in nets.items():
        await run(docker_engine, "network", "create", "--subnet", f"{subnet}.0/24", net)
    try:
        await run(
            docker_engine, "run", "-d", "--name", name, "--network", f"{name}-a", "--ip",
            "10.78.1.77", "--network-alias", "api", docker_engine.image, *SLEEP,
        )  # fmt: skip
        await run(docker_engine, "network", "connect", "--alias", "db", f"{name}-b", name)
        async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
            await again.perform(await again.preview(None))
        after = await looked(docker_engine, name)
        there = after["NetworkSettings"]["Networks"]
        assert there[f"{name}-a"]["IPAddress"] == "10.78.1.77"
        assert {n: sorted(e["Aliases"]) for n, e in there.items()} == {
            f"{name}-a": sorted([after["Id"][:12], "api"]),
            f"{name}-b": sorted([after["Id"][:12], "db"]),
        }
    finally:
        await run(docker_engine, "rm", "-f", name)
        await run(docker_engine, "network", "rm", *nets)


@pytest.mark.usefixtures("soon")
async def test_what_it_wrote_last_is_kept_for_its_log_goes_with_it(
    docker_engine: DockerEngine, name: str
) -> None:
    script = "echo began; trap 'echo ending; exit 0' TERM; while :; do sleep 0.1; done"
    await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, "sh", "-c", script)
    output = Output()
    async with mitigation(
        "recreate", docker_engine.socket, output=output, container=name, **QUICK
    ) as again:
        done = await again.perform(await again.preview(None))
    (kept,) = done.exhibits
    assert [line.split("Z ")[1] for line in kept.text.splitlines()] == ["began", "ending"]
    assert list(output.lines)[-1] == "the new one is started"


async def test_one_that_comes_up_ill_gives_way_to_the_old_one(
    docker_engine: DockerEngine, name: str
) -> None:
    await run(docker_engine, "volume", "create", f"{name}-v")
    script = "test -e /v/x && echo second start && exit 3; touch /v/x; while :; do sleep 0.1; done"
    key = await run(
        docker_engine, "run", "-d", "--name", name, "-v", f"{name}-v:/v", docker_engine.image,
        "sh", "-c", f"trap 'rm -f /v/y; exit 0' TERM; {script}",
    )  # fmt: skip
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationFailed) as failed:
            await again.perform(card)
    assert "does not stay up: exited (3); it said: second start; " in str(failed.value)
    assert str(failed.value).endswith(f"the old {name} runs again")
    assert await names(docker_engine, name) == [name]
    assert (await looked(docker_engine, name))["Id"] == key
    await run(docker_engine, "rm", "-f", name)
    await run(docker_engine, "volume", "rm", f"{name}-v")


async def test_what_the_engine_refuses_to_make_leaves_the_old_one_running_all_the_time(
    docker_engine: DockerEngine, name: str, tmp_path: Path
) -> None:
    """The folder that it was given is gone: its next run could not have it either."""
    folder = tmp_path / "given"
    folder.mkdir()
    mount = f"type=bind,src={folder},dst=/given"
    key = await run(
        docker_engine, "run", "-d", "--name", name, "--mount", mount, docker_engine.image, *SLEEP
    )
    began = (await looked(docker_engine, name))["State"]["StartedAt"]
    folder.rmdir()
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationFailed, match=r"does not exist.*was left as it is"):
            await again.perform(card)
    state = await looked(docker_engine, name)
    assert (state["Id"], state["State"]["StartedAt"]) == (key, began)
    assert await names(docker_engine, name) == [name]


async def test_where_the_old_one_cannot_be_put_aside_nothing_is_done(
    docker_engine: DockerEngine, name: str
) -> None:
    key = await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, *SLEEP)
    aside = f"{name}-before-{key[:12]}"
    await run(docker_engine, "create", "--name", aside, docker_engine.image, "true")
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationFailed, match=r"already in use.*was left as it is"):
            await again.perform(card)
    assert (await looked(docker_engine, name))["Id"] == key


async def test_whoever_stops_it_gets_the_old_one_back(
    docker_engine: DockerEngine, name: str
) -> None:
    key = await asyncio.to_thread(
        docker_engine.docker, "run", "-d", "--name", name, "--health-cmd", "test -e /tmp/x",
        "--health-interval", "60s", docker_engine.image, *SLEEP,
    )  # fmt: skip
    output = Output()
    async with mitigation(
        "recreate", docker_engine.socket, output=output, container=name, **QUICK
    ) as again:
        doing = asyncio.create_task(again.perform(await again.preview(None)))
        assert await comes_true(lambda: "the new one is started" in output.lines)
        doing.cancel()
        await asyncio.sleep(0)
        doing.cancel()
        with pytest.raises(MitigationFailed, match=r"stopped before .* runs again"):
            await doing
    assert await names(docker_engine, name) == [name]
    state = await looked(docker_engine, name)
    assert (state["Id"], state["State"]["Running"]) == (key, True)


async def test_a_console_that_lost_the_right_to_act_half_way_puts_everything_back(
    docker_engine: DockerEngine, name: str
) -> None:
    key = await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, *SLEEP)
    began = (await looked(docker_engine, name))["State"]["StartedAt"]
    asked = []

    def fence() -> None:
        asked.append(1)
        if len(asked) > 1:
            lost_right()

    async with mitigation(
        "recreate", docker_engine.socket, fence=fence, container=name, **QUICK
    ) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationRefused, match=r"took it over; the old .* was left as it is"):
            await again.perform(card)
    state = await looked(docker_engine, name)
    assert (state["Id"], state["State"]["StartedAt"]) == (key, began)
    assert await names(docker_engine, name) == [name]


async def test_another_run_or_another_config_than_was_shown_is_left_alone(
    docker_engine: DockerEngine, name: str
) -> None:
    key = await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, *SLEEP)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        await run(docker_engine, "update", "--memory", "64m", "--memory-swap", "-1", name)
        with pytest.raises(MitigationRefused, match=r"config of .* was changed since"):
            await again.perform(card)
        card = await again.preview(None)
        await run(docker_engine, "restart", "-t", "0", name)
        with pytest.raises(MitigationRefused, match="is not the run that was shown"):
            await again.perform(card)
    assert (await looked(docker_engine, name))["Id"] == key


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("verb", [b"POST", b"DELETE"])
async def test_a_connection_that_breaks_says_what_to_look_for_and_verify_tells(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str, verb: bytes
) -> None:
    key = await run(docker_engine, "run", "-d", "--name", name, docker_engine.image, *SLEEP)
    async with mitigation("recreate", tunnel.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        tunnel.cut_on = verb
        if verb == b"POST":
            with pytest.raises(MitigationUncertain, match=f"look for {name} and {name}-before-"):
                await again.perform(card)
        else:
            done = await again.perform(card)
            assert f"{name}-before-{key[:12]} could not be removed" in done.text
    async with mitigation("recreate", docker_engine.socket) as later:
        said = await later.verify(card)
    assert f"{name}-before-{key[:12]}" in said


async def test_one_that_would_be_gone_once_stopped_is_refused(
    docker_engine: DockerEngine, name: str
) -> None:
    await run(docker_engine, "run", "-d", "--rm", "--name", name, docker_engine.image, *SLEEP)
    async with mitigation("recreate", docker_engine.socket, container=name) as again:
        with pytest.raises(MitigationRefused, match="it was started with --rm"):
            await again.preview(None)


async def test_one_that_something_else_looks_after_is_refused_with_its_hostile_name(
    docker_engine: DockerEngine, name: str
) -> None:
    label = "com.docker.swarm.service.name=[@click=app.exit]x[/]\x1b[2J\u202e"
    await run(
        docker_engine, "run", "-d", "--name", name, "--label", label, docker_engine.image, *SLEEP
    )
    async with mitigation("recreate", docker_engine.socket, container=name) as again:
        with pytest.raises(MitigationRefused, match="the swarm service") as refused:
            await again.preview(None)
    assert str(refused.value).isprintable()


@pytest.mark.usefixtures("soon")
async def test_the_image_that_runs_is_taken_although_its_name_means_another_by_now(
    docker_engine: DockerEngine, name: str
) -> None:
    tag = f"{name}:latest"
    await run(docker_engine, "tag", docker_engine.image, tag)
    await run(docker_engine, "run", "-d", "--name", name, tag, *SLEEP)
    before = (await looked(docker_engine, name))["Image"]
    await run(docker_engine, "commit", name, tag)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert "is another image by now" in card.warnings[0]
        await again.perform(card)
    assert (await looked(docker_engine, name))["Image"] == before
    await run(docker_engine, "rm", "-f", name)
    await run(docker_engine, "rmi", tag)
