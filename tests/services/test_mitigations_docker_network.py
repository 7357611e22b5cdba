"""Out of a network and back in, with the names and the address it had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, lost_right, mitigation, row, run, undoing
from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from warroom.mitigations.base import MitigationRefused, MitigationUncertain

pytestmark = pytest.mark.service("docker")


@pytest.fixture
async def net(docker_engine: DockerEngine, name: str) -> AsyncIterator[str]:
    """A network of this test's own."""
    net = f"{name}-net"
    number = int(name.rpartition("-")[2]) % 200
    await run(docker_engine, "network", "create", "--subnet", f"10.77.{number}.0/24", net)
    yield net
    for one in (await looked(docker_engine, net))["Containers"]:
        await run(docker_engine, "network", "disconnect", "-f", net, one)
    await run(docker_engine, "network", "rm", net)


async def started(engine: DockerEngine, name: str, net: str, *more: str) -> str:
    return await run(
        engine, "run", "-d", "--name", name, "--network", net, *more, engine.image, *SLEEP
    )


async def endpoints(engine: DockerEngine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await looked(engine, name))["NetworkSettings"]["Networks"]
    return found


async def test_it_is_cut_off_goes_on_running_and_comes_back_as_it_was(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str, net: str
) -> None:
    address = f"{(await looked(docker_engine, net))['IPAM']['Config'][0]['Subnet'][:-4]}77"
    key = await started(
        docker_engine, name, net, "--ip", address, "--network-alias", "api", "--network-alias", "v1"
    )
    before = (await endpoints(docker_engine, name))[net]
    began = (await looked(docker_engine, name))["State"]["StartedAt"]
    async with mitigation("disconnect", tunnel.socket) as cut:
        card = await cut.preview(row(key, name))
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}, "a preview only reads"
        assert card.command[1] == f"docker network disconnect {net} {name}"
        hits = dict(card.hits)
        assert hits["address there"] == address
        assert {"api", "v1"} <= set(hits["known there as"].split(", "))
        assert "only network" in card.warnings[-1]
        done = await cut.perform(card)
    assert done.text == f"{name} is cut off from {net}; it is left with no network at all"
    assert await endpoints(docker_engine, name) == {}

    async with undoing(done.undo, docker_engine.socket) as back:
        card = await back.preview(None)
        assert f"--ip {address}" in card.command[1]
        await back.perform(card)
    after = (await endpoints(docker_engine, name))[net]
    assert after["IPAddress"] == address
    assert set(after["Aliases"]) == set(before["Aliases"])
    state = (await looked(docker_engine, name))["State"]
    assert (state["Running"], state["StartedAt"]) == (True, began)


async def test_of_several_networks_one_is_named_and_only_that_is_cut(
    docker_engine: DockerEngine, name: str, net: str
) -> None:
    await started(docker_engine, name, net)
    await run(docker_engine, "network", "connect", "bridge", name)
    async with mitigation("disconnect", docker_engine.socket, container=name) as cut:
        with pytest.raises(MitigationRefused, match=f"in 2 networks, name one: .*{net}"):
            await cut.preview(None)
    async with mitigation(
        "disconnect", docker_engine.socket, container=name, answers={"network": "bridge"}
    ) as cut:
        done = await cut.perform(await cut.preview(None))
    assert done.text.endswith(f"it is left with {net}")
    assert list(await endpoints(docker_engine, name)) == [net]


async def test_those_who_share_it_are_on_the_card(
    docker_engine: DockerEngine, name: str, net: str
) -> None:
    await started(docker_engine, name, net)
    await started(docker_engine, f"{name}-web", net)
    try:
        async with mitigation("disconnect", docker_engine.socket, container=name) as cut:
            assert ("others in it", f"{name}-web") in (await cut.preview(None)).hits
    finally:
        await run(docker_engine, "rm", "-f", f"{name}-web")


async def test_one_that_was_put_back_in_since_is_left_alone(
    docker_engine: DockerEngine, name: str, net: str
) -> None:
    await started(docker_engine, name, net)
    async with mitigation("disconnect", docker_engine.socket, container=name) as cut:
        card = await cut.preview(None)
        await run(docker_engine, "network", "disconnect", net, name)
        with pytest.raises(MitigationRefused, match=f"is not in {net} any more"):
            await cut.perform(card)
        await run(docker_engine, "network", "connect", net, name)
        with pytest.raises(MitigationRefused, match="put back since; look again"):
            await cut.perform(card)
        await run(docker_engine, "restart", "-t", "0", name)
        with pytest.raises(MitigationRefused, match="is not the run that was shown"):
            await cut.perform(card)
    assert list(await endpoints(docker_engine, name)) == [net]


async def test_a_console_that_lost_the_right_to_act_cuts_nothing(
    docker_engine: DockerEngine, name: str, net: str
) -> None:
    await started(docker_engine, name, net)
    async with mitigation(
        "disconnect", docker_engine.socket, fence=lost_right, container=name
    ) as cut:
        card = await cut.preview(None)
        with pytest.raises(MitigationRefused, match="took it over"):
            await cut.perform(card)
    assert list(await endpoints(docker_engine, name)) == [net]


async def test_a_connection_cut_while_asking_is_uncertain_and_can_be_looked_up(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str, net: str
) -> None:
    await started(docker_engine, name, net)
    async with mitigation("disconnect", tunnel.socket, container=name) as cut:
        card = await cut.preview(None)
        tunnel.cut_on = b"POST"
        with pytest.raises(MitigationUncertain, match="may or may not have been disconnected"):
            await cut.perform(card)
    async with mitigation("disconnect", docker_engine.socket, container=name) as again:
        said = await again.verify(card)
    is_in = net in await endpoints(docker_engine, name)
    assert said == f"{name} is {'' if is_in else 'not '}in that network"


@pytest.mark.parametrize("mode", ["host", "none"])
async def test_what_has_no_network_of_its_own_is_refused_in_words(
    docker_engine: DockerEngine, name: str, mode: str
) -> None:
    await asyncio.to_thread(
        docker_engine.docker, "create", "--name", name, "--network", mode, docker_engine.image,
        *SLEEP,
    )  # fmt: skip
    async with mitigation("disconnect", docker_engine.socket, container=name) as cut:
        with pytest.raises(MitigationRefused, match=f"its network mode is {mode}"):
            await cut.preview(None)


@pytest.mark.parametrize(
    "called", ["[@click=app.exit]x[/]", "a\x1b[2J\x9b1mb", "\u202egnp.exe", "*"]
)
async def test_a_network_may_be_called_anything_and_moves_nothing(
    docker_engine: DockerEngine, name: str, called: str
) -> None:
    called = called if called == "*" else f"{name}{called}"
    net = await run(docker_engine, "network", "create", called)
    try:
        await started(docker_engine, name, net, "--network-alias", "[/x]")
        answers = {"network": net[:12]}
        async with mitigation(
            "disconnect", docker_engine.socket, container=name, answers=answers
        ) as cut:
            card = await cut.preview(None)
            done = await cut.perform(card)
        texts = [card.title, *card.command, *(much for _, much in card.hits), card.undo, done.text]
        assert all(text.isprintable() for text in texts)
        assert net[:12] in card.command[1], "what is typed at a prompt names it by its id"
        async with undoing(done.undo, docker_engine.socket) as back:
            card = await back.preview(None)
            assert "--alias '[/x]'" in card.command[1]
            await back.perform(card)
        assert called in await endpoints(docker_engine, name)
    finally:
        await run(docker_engine, "rm", "-f", name)
        await run(docker_engine, "network", "rm", net)


async def test_what_no_record_could_hold_to_undo_it_is_refused(
    docker_engine: DockerEngine, name: str, net: str
) -> None:
    await started(docker_engine, name, net, "--network-alias", "a\x1b[2Jb")
    async with mitigation("disconnect", docker_engine.socket, container=name) as cut:
        with pytest.raises(MitigationRefused, match="a name there that no record can hold"):
            await cut.preview(None)
