"""Several containers on one card: in order, each compared and told by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.services.docker_doing import SLEEP, looked, lost_right, mitigation, run, undoing
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


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs counts as up after a moment: for those that do not end by themselves."""
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)


@pytest.fixture
async def names(docker_engine: DockerEngine, name: str) -> AsyncIterator[list[str]]:
    """Of three containers of a project, that run: the first depends on the third."""
    found = [f"{name}-{service}" for service in ("api", "web", "db")]
    await asyncio.gather(*(started(docker_engine, name, one) for one in found))
    yield found
    await run(docker_engine, "rm", "-f", *found)


async def started(engine: DockerEngine, project: str, name: str) -> None:
    service = name.rpartition("-")[2]
    labels = {"project": project, "service": service}
    if service == "api":
        labels["depends_on"] = "db:service_started:false"
    given = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    await run(engine, "run", "-d", "--name", name, *given, engine.image, *SLEEP)


async def starts(engine: DockerEngine, names: list[str]) -> dict[str, str]:
    return {name: (await looked(engine, name))["State"]["StartedAt"] for name in names}


def bulk(engine: DockerEngine, verb: str, names: list[str], **more: object) -> object:
    return mitigation(
        "bulk", engine.socket, answers={"verb": verb, "containers": " ".join(names)},
        **{**QUICK, **more},
    )  # fmt: skip


@pytest.mark.usefixtures("soon")
async def test_one_card_lists_all_and_what_others_depend_on_comes_first(
    docker_engine: DockerEngine, tunnel: Tunnel, names: list[str]
) -> None:
    api, web, db = names
    before = await starts(docker_engine, names)
    output = Output()
    answers = {"verb": "restart", "containers": f"{api}, {web} {db} {api}"}
    async with mitigation(
        "bulk", tunnel.socket, output=output, answers=answers, **QUICK
    ) as restart:
        card = await restart.preview(None)
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}, "a preview only reads"
        assert (card.risk, card.target.label) == (Risk.CHANGE, "3 containers")
        assert [what for what, _ in card.hits] == [f"1. {db}", f"2. {api}", f"3. {web}"]
        assert len(card.command) == len(card.holds) == 3
        assert f"depend on it: {api}" in dict(card.hits)[f"1. {db}"]
        done = await restart.perform(card)
    assert done.text == f"3 done: {db}, {api}, {web}"
    asked = [line.split("/")[3][:12] for line in tunnel.requests if line.startswith("POST")]
    shorts = [(await looked(docker_engine, one))["Id"][:12] for one in (db, api, web)]
    assert asked == shorts
    after = await starts(docker_engine, names)
    assert all(after[one] != before[one] for one in names)
    assert [line for line in output.lines if "of 3" in line] == [
        f"1 of 3: {db}", f"2 of 3: {api}", f"3 of 3: {web}",
    ]  # fmt: skip


async def test_the_first_that_fails_ends_it_and_the_rest_is_not_begun(
    docker_engine: DockerEngine, name: str, names: list[str]
) -> None:
    await run(docker_engine, "rm", "-f", names[1])
    script = "test -e /tmp/x && exit 3; touch /tmp/x; while :; do sleep 0.1; done"
    argv = ("run", "-d", "--name", names[1], docker_engine.image, "sh", "-c", script)
    await run(docker_engine, *argv)
    before = await starts(docker_engine, names)
    async with bulk(docker_engine, "restart", [names[2], names[1], names[0]]) as restart:
        card = await restart.preview(None)
        with pytest.raises(MitigationFailed) as failed:
            await restart.perform(card)
    told = str(failed.value)
    assert told.startswith(f"1 done: {names[2]}; {names[1]} failed: {names[1]} was restarted, but")
    assert told.endswith(f"not begun: {names[0]}")
    after = await starts(docker_engine, names)
    assert after[names[0]] == before[names[0]]


@pytest.mark.usefixtures("soon")
async def test_one_that_changed_since_the_card_is_left_alone_and_the_others_go_on(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    async with bulk(docker_engine, "restart", names[:2]) as restart:
        card = await restart.preview(None)
        await run(docker_engine, "restart", "-t", "0", names[0])
        before = await starts(docker_engine, names)
        done = await restart.perform(card)
    assert done.text.startswith(f"1 done: {names[1]}; {names[0]} was left alone: ")
    assert (await starts(docker_engine, names))[names[0]] == before[names[0]]


@pytest.mark.usefixtures("soon")
async def test_all_are_stopped_dependants_first_and_started_again_together(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    async with bulk(docker_engine, "stop", names) as stop:
        card = await stop.preview(None)
        assert (card.risk, card.word) == (Risk.DESTROY, "3 containers")
        assert [what for what, _ in card.hits][-1] == f"3. {names[2]}", "what others need ends last"
        done = await stop.perform(card)
    assert not any([(await looked(docker_engine, one))["State"]["Running"] for one in names])
    async with undoing(done.undo, docker_engine.socket) as back:
        await back.perform(await back.preview(None))
    assert all([(await looked(docker_engine, one))["State"]["Running"] for one in names])


@pytest.mark.usefixtures("soon")
async def test_a_stop_that_came_half_way_is_taken_back_for_those_that_it_reached(
    docker_engine: DockerEngine, tunnel: Tunnel, names: list[str]
) -> None:
    api, web, db = names
    second = (await looked(docker_engine, api))["Id"]
    answers = {"verb": "stop", "containers": " ".join(names)}
    async with mitigation("bulk", tunnel.socket, answers=answers, **QUICK) as stop:
        card = await stop.preview(None)
        version = tunnel.requests[-1].split("/")[1]
        tunnel.cut_on = f"POST /{version}/containers/{second}/stop".encode()
        with pytest.raises(MitigationUncertain, match=f"1 done: {web}; not begun: {db}") as half:
            await stop.perform(card)
    assert half.value.kept is not None
    undo = half.value.kept.undo
    assert undo is not None and undo.title == "Start 2 containers again"
    await run(docker_engine, "wait", api)  # the engine goes on with what it was asked for
    async with undoing(undo, docker_engine.socket) as back:
        await back.perform(await back.preview(None))
    states = [(await looked(docker_engine, one))["State"]["Running"] for one in names]
    assert states == [True, True, True]


@pytest.mark.usefixtures("soon")
async def test_those_it_cannot_be_done_to_are_left_out_with_the_reason(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    await run(docker_engine, "stop", "-t", "0", names[0])
    async with bulk(docker_engine, "start", names) as start:
        card = await start.preview(None)
        assert (card.target.label, len(card.holds)) == (names[0], 1)
        out = [why for what, why in card.hits if what == "left out"]
        assert sorted(out) == sorted(f"{one} is running already" for one in names[1:])
        await start.perform(card)
        with pytest.raises(MitigationRefused, match="is running already; "):
            await start.preview(None)


@pytest.mark.usefixtures("soon")
async def test_logs_of_all_are_kept_and_recreate_makes_each_anew(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    keys = [(await looked(docker_engine, one))["Id"] for one in names[:2]]
    async with bulk(docker_engine, "recreate", names[:2]) as again:
        card = await again.preview(None)
        assert card.risk is Risk.DESTROY
        await again.perform(card)
    assert all([(await looked(docker_engine, one))["Id"] not in keys for one in names[:2]])
    async with bulk(docker_engine, "logs", names) as logs:
        card = await logs.preview(None)
        assert card.risk is Risk.READ
        assert (await logs.perform(card)).text.startswith("3 done: ")


async def test_a_broken_connection_and_a_stop_say_where_it_stood_and_verify_tells_of_each(
    docker_engine: DockerEngine, tunnel: Tunnel, names: list[str]
) -> None:
    answers = {"verb": "restart", "containers": " ".join(names[:2])}
    async with mitigation("bulk", tunnel.socket, answers=answers, **QUICK) as restart:
        card = await restart.preview(None)
        tunnel.cut_on = b"POST"
        with pytest.raises(MitigationUncertain, match=f"not begun: {names[1]}"):
            await restart.perform(card)
    async with mitigation("bulk", docker_engine.socket, answers=answers) as later:
        said = await later.verify(card)
    assert [part.partition(":")[0] for part in said.split("; ")] == names[:2]
    assert said.endswith("the run that was shown")


async def test_whoever_stops_it_is_told_where_it_stood(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    output = Output()
    async with bulk(docker_engine, "restart", names[:2], output=output) as restart:
        doing = asyncio.create_task(restart.perform(await restart.preview(None)))
        assert await comes_true(lambda: bool(output.lines))
        doing.cancel()
        with pytest.raises(MitigationUncertain, match=f"stopped at {names[0]}, which may"):
            await doing


async def test_a_console_that_lost_the_right_to_act_touches_none(
    docker_engine: DockerEngine, names: list[str]
) -> None:
    before = await starts(docker_engine, names)
    async with bulk(docker_engine, "restart", names, fence=lost_right) as restart:
        card = await restart.preview(None)
        with pytest.raises(MitigationRefused, match="took it over"):
            await restart.perform(card)
    assert await starts(docker_engine, names) == before


@pytest.mark.parametrize("names_", ["", "a;b", "--all", "../x", "[x]", "a\x1b[2J", "a " * 300])
async def test_what_names_no_container_is_refused_without_a_request(
    docker_engine: DockerEngine, tunnel: Tunnel, names_: str
) -> None:
    with pytest.raises(MitigationRefused) as refused:
        async with mitigation(
            "bulk", tunnel.socket, answers={"verb": "stop", "containers": names_}
        ) as stop:
            await stop.preview(None)
    assert str(refused.value).isprintable()
    assert not [line for line in tunnel.requests if not line.startswith("GET")]
