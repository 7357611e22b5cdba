"""More containers of a compose service, and fewer: as compose would make them, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, lost_right, mitigation, row, run, undoing
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
QUICK: dict[str, Any] = {"stop_timeout": 1, "wait": 10.0}


@dataclass
class Service:
    """`api` of a project of this test's own, as compose would have made it."""

    engine: DockerEngine
    project: str

    async def starts(self, number: int, *more: str, argv: tuple[str, ...] = SLEEP) -> str:
        labels = {
            "project": self.project, "service": "api", "container-number": str(number),
            "oneoff": "False", "config-hash": "f00",
        }  # fmt: skip
        given = [f"--label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        name = f"{self.project}-api-{number}"
        return await run(
            self.engine, "run", "-d", "--name", name, *given, *more, self.engine.image, *argv
        )

    async def names(self) -> list[str]:
        label = f"label=com.docker.compose.project={self.project}"
        listed = await run(self.engine, "ps", "--filter", label, "--format", "{{.Names}}")
        return sorted(name.removeprefix(f"{self.project}-") for name in listed.split())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs counts as up after a moment: for those that do not end by themselves."""
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)


@pytest.fixture
async def service(docker_engine: DockerEngine, name: str) -> AsyncIterator[Service]:
    yield Service(docker_engine, name)
    label = f"label=com.docker.compose.project={name}"
    listed = await run(docker_engine, "ps", "-aq", "--filter", label)
    if listed:
        await run(docker_engine, "rm", "-f", "-v", *listed.split())


@pytest.mark.usefixtures("soon")
async def test_one_more_is_like_the_newest_with_the_next_number_and_goes_again(
    service: Service, tunnel: Tunnel
) -> None:
    key = await service.starts(1, "-e", "SHOP=1", "-p", "8000", "-v", "/data")
    async with mitigation("scale", tunnel.socket, answers={"replicas": "+1"}, **QUICK) as scale:
        card = await scale.preview(row(key, "x"))
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}, "a preview only reads"
        assert (card.risk, card.title) == (Risk.CHANGE, "Scale api from 1 to 2")
        assert ("replicas", "1 → 2") in card.hits
        done = await scale.perform(card)
    assert done.text == f"api: 1 → 2 replicas; {service.project}-api-2 up"
    assert done.expires_s == 3600
    assert await service.names() == ["api-1", "api-2"]
    one = await looked(service.engine, f"{service.project}-api-1")
    two = await looked(service.engine, f"{service.project}-api-2")
    assert two["Config"]["Labels"]["com.docker.compose.container-number"] == "2"
    assert two["Config"]["Env"] == one["Config"]["Env"]
    assert two["Config"]["Hostname"] == two["Id"][:12]
    volumes = [found["Mounts"][0]["Name"] for found in (one, two)]
    assert volumes[0] != volumes[1], "a volume without a name is nobody else's"

    async with undoing(done.undo, service.engine.socket) as back:
        card = await back.preview(None)
        assert card.risk is Risk.CHANGE, "what was added goes with Enter"
        done = await back.perform(card)
    assert await service.names() == ["api-1"]
    assert [one.title for one in done.exhibits] == []


@pytest.mark.usefixtures("soon")
async def test_fewer_takes_the_highest_numbers_keeps_their_logs_and_wants_the_name(
    service: Service,
) -> None:
    script = "echo I am here; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    for number in (1, 2, 3):
        await service.starts(number, argv=("sh", "-c", script))
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, to=1, **options) as scale:
        card = await scale.preview(None)
        assert (card.risk, card.word) == (Risk.DESTROY, "api")
        done = await scale.perform(card)
    assert await service.names() == ["api-1"]
    assert [one.text.split("Z ")[1] for one in done.exhibits] == ["I am here"] * 2
    assert done.undo is not None
    assert done.undo.options["to"] == 3


@pytest.mark.usefixtures("soon")
async def test_the_way_back_takes_only_what_was_added(service: Service) -> None:
    await service.starts(1)
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, by=1, **options) as scale:
        done = await scale.perform(await scale.preview(None))
    await service.starts(3)
    async with undoing(done.undo, service.engine.socket) as back:
        await back.perform(await back.preview(None))
        assert await service.names() == ["api-1", "api-3"]
        with pytest.raises(MitigationRefused, match="gone already"):
            await back.preview(None)


async def test_what_does_not_come_up_is_removed_again_with_its_last_words(
    service: Service,
) -> None:
    """The volume is shared: the second finds what the first left."""
    volume = f"{service.project}-v:/v"
    script = "test -e /v/x && echo taken && exit 3; touch /v/x; while :; do sleep 0.1; done"
    await service.starts(1, "-v", volume, argv=("sh", "-c", script))
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, by=1, **options) as scale:
        card = await scale.preview(None)
        with pytest.raises(MitigationFailed, match=r"said: taken; what was made is removed"):
            await scale.perform(card)
    assert await service.names() == ["api-1"]
    label = f"label=com.docker.compose.project={service.project}"
    assert len((await run(service.engine, "ps", "-aq", "--filter", label)).split()) == 1
    await run(service.engine, "rm", "-f", f"{service.project}-api-1")
    await run(service.engine, "volume", "rm", f"{service.project}-v")


async def test_whoever_stops_it_has_as_many_as_before(service: Service) -> None:
    health = ("--health-cmd", "test -e /x", "--health-interval", "60s")
    await service.starts(1, *health)
    output = Output()
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, output=output, by=1, **options) as scale:
        doing = asyncio.create_task(scale.perform(await scale.preview(None)))
        assert await comes_true(lambda: bool(output.lines))
        doing.cancel()
        with pytest.raises(MitigationFailed, match="stopped before all were up"):
            await doing
    assert await service.names() == ["api-1"]


async def test_a_service_that_changed_since_it_was_shown_is_left_alone(service: Service) -> None:
    await service.starts(1)
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, by=1, **options) as scale:
        card = await scale.preview(None)
        await service.starts(2)
        with pytest.raises(MitigationRefused, match="is not what was shown") as refused:
            await scale.perform(card)
    assert f"{service.project}-api-1 then" in str(refused.value)
    assert f"{service.project}-api-2 now" in str(refused.value)
    assert await service.names() == ["api-1", "api-2"]


async def test_a_console_that_lost_the_right_to_act_makes_and_removes_nothing(
    service: Service,
) -> None:
    await service.starts(1)
    await service.starts(2)
    options = {"service": "api", "project": service.project, **QUICK}
    for by in (1, -1):
        async with mitigation(
            "scale", service.engine.socket, fence=lost_right, by=by, **options
        ) as scale:
            card = await scale.preview(None)
            with pytest.raises(MitigationRefused, match="took it over"):
                await scale.perform(card)
    assert await service.names() == ["api-1", "api-2"]


async def test_a_connection_that_breaks_says_what_to_look_for_and_verify_counts(
    service: Service, tunnel: Tunnel
) -> None:
    await service.starts(1)
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", tunnel.socket, by=1, **options) as scale:
        card = await scale.preview(None)
        tunnel.cut_on = b"POST"
        with pytest.raises(MitigationUncertain, match=f"look for {service.project}-api-2"):
            await scale.perform(card)
    async with mitigation("scale", service.engine.socket, by=1, **options) as later:
        said = await later.verify(card)
    assert said.endswith("it was to be 2")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("-p", "18321:80"), "port 18321 of the host"),
        (("--name", "{project}-shop"), "has a fixed name"),
        (("--label", "com.docker.swarm.service.name=x"), "the swarm service x"),
    ],
    ids=["port", "name", "swarm"],
)
async def test_what_only_one_can_have_is_refused_in_words(
    service: Service, more: tuple[str, ...], why: str
) -> None:
    await service.starts(1, *(part.format(project=service.project) for part in more))
    options = {"service": "api", "project": service.project, **QUICK}
    async with mitigation("scale", service.engine.socket, by=1, **options) as scale:
        with pytest.raises(MitigationRefused, match=why):
            await scale.preview(None)


async def test_counts_that_make_no_sense_are_refused(service: Service) -> None:
    key = await service.starts(1)
    for text, why in (
        ("-1", "that would leave none"), ("1", "has 1 replicas already"), ("0", "leave none"),
        ("+11", "at most 10 come or go at once"), ("99", "at most 10"), ("x", "does not look like"),
        ("1;ls", "does not look like"), ("٣", "does not look like"),
    ):  # fmt: skip
        with pytest.raises(MitigationRefused, match=why):
            async with mitigation(
                "scale", service.engine.socket, answers={"replicas": text}
            ) as scale:
                await scale.preview(row(key, "x"))
    assert await service.names() == ["api-1"]


async def test_what_is_no_service_has_nothing_to_scale(
    docker_engine: DockerEngine, name: str
) -> None:
    hostile = "com.docker.compose.project=--file=/etc/x [/x]\x1b[2J"
    key = await run(
        docker_engine, "run", "-d", "--name", name, "--label", hostile, "--label",
        "com.docker.compose.service=a b", docker_engine.image, *SLEEP,
    )  # fmt: skip
    async with mitigation("scale", docker_engine.socket, by=1) as scale:
        with pytest.raises(MitigationRefused, match="no replica of a compose service"):
            await scale.preview(row(key, name))
