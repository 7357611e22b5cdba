"""Through compose where its files still mean what runs, by labels alone everywhere else.

The compose programs are the real ones, and so is what they make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, mitigation, run, undoing
from tests.support.compose import PROGRAMS, Compose, compose
from tests.support.services import DockerEngine
from warroom.mitigations import _docker_wait
from warroom.mitigations.base import MitigationFailed, MitigationRefused

pytestmark = pytest.mark.service("docker")
QUICK: dict[str, Any] = {"stop_timeout": 1, "wait": 10.0}
each = pytest.mark.parametrize("program", PROGRAMS, indirect=True)


@pytest.fixture
def program(
    request: pytest.FixtureRequest,
    docker_engine: DockerEngine,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Compose]:
    """A project of this test's own, and the program it was made with as the only one there."""
    made = compose(getattr(request, "param", PROGRAMS[0]), docker_engine, name, tmp_path)
    monkeypatch.setenv("PATH", f"{made.path}:{os.environ['PATH']}")
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)
    yield made
    made.end()


@each
async def test_compose_makes_it_anew_and_the_card_says_so(
    docker_engine: DockerEngine, program: Compose
) -> None:
    name = program.up()
    before = await looked(docker_engine, name)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert (program.acts, (await looked(docker_engine, name))["Id"]) == ([], before["Id"])
        assert dict(card.hits)["made by"].startswith(f"{program.called} ")
        assert card.undo.startswith("nothing once the new one is up; if it does not")
        done = await again.perform(card)
    assert program.acts == [card.command[0].removeprefix(f"{program.called.split()[0]} ")]
    expected = "up --detach --no-deps --no-build --force-recreate --timeout 1 api"
    assert card.command[0].endswith(f" --file {program.file} {expected}")
    assert f" --project-name {program.project} " in card.command[0]
    assert program.names() == [name]
    assert (await looked(docker_engine, name))["Id"] != before["Id"]
    assert done.text.startswith(f"recreated {name} in ")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("changed", "its compose files mean another config than the one that runs"),
        ("away", "is not there"),
        ("writable", "others may write to"),
        ("folder", "others may write to"),
        ("given", "belongs to somebody else"),
        ("link", "is reached through a link"),
        ("several", "compose would do all 2 of"),
    ],
    ids=lambda word: word if " " not in word else "",
)
async def test_where_compose_would_do_something_else_the_engine_is_to_make_the_same_again(
    docker_engine: DockerEngine, program: Compose, spoil: str, why: str
) -> None:
    file = program.file
    if spoil == "link":
        file.rename(file.with_name("real.yaml"))
        file.symlink_to("real.yaml")
    name = program.up(*(["--scale", "api=2"] if spoil == "several" else []))
    if spoil == "changed":
        program.write("echo another; sleep 1d")
    elif spoil == "away":
        file.rename(file.with_name("nowhere.yaml"))
    elif spoil == "writable":
        file.chmod(0o666)
    elif spoil == "folder":
        file.parent.chmod(0o777)
    elif spoil == "given" and os.geteuid():
        pytest.skip("needs root to give a file away")
    elif spoil == "given":
        os.chown(file, 12345, 12345)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert dict(card.hits)["made by"].startswith("the engine's API: ")
        assert why in dict(card.hits)["made by"]
    assert program.acts == []
    async with mitigation(
        "recreate", docker_engine.socket, container=name, by="compose", **QUICK
    ) as again:
        if spoil == "changed":
            assert dict((await again.preview(None)).hits)["made by"].startswith("docker compose 2")
        else:
            with pytest.raises(MitigationRefused, match="compose cannot do it: "):
                await again.preview(None)


@pytest.mark.parametrize(
    "labels",
    [
        {"project": "--file=/etc/shadow"},
        {"service": "-h"},
        {"project.config_files": "x.yaml"},
        {"project.config_files": "-f,/etc/passwd"},
        {"project.config_files": ",".join(["/x"] * 11)},
        {"project.config_files": "/tmp/\x1b[2J\u202e[/x].yaml"},
        {"oneoff": "True"},
    ],
    ids=lambda labels: next(iter(labels)),
)
async def test_labels_that_want_something_get_nothing(
    docker_engine: DockerEngine, program: Compose, name: str, labels: dict[str, str]
) -> None:
    given = {"project": name, "service": "api", "project.config_files": str(program.file), **labels}
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in given.items()]
    await run(docker_engine, "run", "-d", "--name", name, *options, docker_engine.image, *SLEEP)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
    assert program.told == []
    texts = [*card.command, *(much for _, much in card.hits), *card.warnings]
    assert all(text.isprintable() for text in texts)


@each
async def test_compose_that_fails_has_failed_with_its_words(
    docker_engine: DockerEngine, program: Compose
) -> None:
    """The image's name is gone by now, and nobody answers where it is to be had from."""
    lost = f"127.0.0.1:1/{program.project}:1"
    docker_engine.docker("tag", docker_engine.image, lost)
    program.file.write_text(program.file.read_text().replace(docker_engine.image, lost))
    name = program.up()
    docker_engine.docker("rmi", lost)
    async with mitigation(
        "recreate", docker_engine.socket, container=name, by="compose", **QUICK
    ) as again:
        card = await again.preview(None)
        with pytest.raises(
            MitigationFailed,
            match=r"compose ended with .*127\.0\.0\.1:1.* (refused|unreachable)",
        ):
            await again.perform(card)
    assert (await looked(docker_engine, name))["State"]["Running"]


async def test_what_compose_took_away_is_made_again_when_the_new_one_does_not_come_up(
    docker_engine: DockerEngine, program: Compose
) -> None:
    """Somebody has broken the compose file, and a responder asks for compose all the same."""
    name = program.up()
    before = await looked(docker_engine, name)
    program.write("echo no such table: orders; exit 3")
    async with mitigation(
        "recreate", docker_engine.socket, container=name, by="compose", **QUICK
    ) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationFailed, match=r"no such table: orders.* is made again of"):
            await again.perform(card)
    (only,) = program.names()
    after = await looked(docker_engine, only)
    assert (only, after["State"]["Running"]) == (name, True)
    assert after["Id"] != before["Id"]
    for part in ("Cmd", "Image", "Labels"):
        assert after["Config"][part] == before["Config"][part]


async def test_a_service_without_any_container_is_scaled_by_compose(
    docker_engine: DockerEngine, program: Compose
) -> None:
    program.up()
    options = {"project": program.project, "service": "worker", **QUICK}
    async with mitigation("scale", docker_engine.socket, to=2, **options) as scale:
        card = await scale.preview(None)
        assert dict(card.hits)["made by"].startswith(f"{program.called} ")
        done = await scale.perform(card)
    (act,) = program.acts
    assert act.endswith(" --scale worker=2 worker")
    assert done.text.startswith("worker: 0 → 2 replicas")
    assert len(program.names("worker")) == 2
    assert done.undo is not None
    assert len(done.undo.options["only"]) == 2


@each
async def test_compose_takes_what_the_engine_made_for_its_own(
    docker_engine: DockerEngine, program: Compose
) -> None:
    """A replica that was copied, and a container that was made anew, are not touched by the next
    `up` of whoever deploys."""
    name = program.up()
    async with mitigation(
        "recreate", docker_engine.socket, container=name, by="engine", **QUICK
    ) as again:
        await again.perform(await again.preview(None))
    async with mitigation("scale", docker_engine.socket, container=name, by=1, **QUICK) as scale:
        done = await scale.perform(await scale.preview(None))
    assert program.acts == []
    ids = {(await looked(docker_engine, one))["Id"] for one in program.names()}
    assert len(ids) == 2
    assert len(program("ps", "-q").split()) == 2
    program.up("--scale", "api=2", "--no-deps")
    assert {(await looked(docker_engine, one))["Id"] for one in program.names()} == ids
    async with undoing(done.undo, docker_engine.socket) as back:
        await back.perform(await back.preview(None))
    assert program.names() == [name]
