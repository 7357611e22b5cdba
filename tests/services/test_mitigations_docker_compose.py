"""Through compose where its files still mean what runs, by labels alone everywhere else."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, mitigation, run
from tests.support.compose import PROGRAMS, Compose, compose
from tests.support.services import DockerEngine
from warroom.mitigations import _docker_wait
from warroom.mitigations.base import MitigationFailed, MitigationRefused

pytestmark = pytest.mark.service("docker")
QUICK: dict[str, Any] = {"stop_timeout": 1, "wait": 10.0}


@pytest.fixture
def program(
    request: pytest.FixtureRequest,
    docker_engine: DockerEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Compose:
    called = getattr(request, "param", PROGRAMS[0])
    made = compose(tmp_path, docker_engine, called, sys.executable)
    monkeypatch.setenv("PATH", f"{made.path}:{os.environ['PATH']}")
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)
    return made


@pytest.fixture
async def project(docker_engine: DockerEngine, name: str) -> AsyncIterator[str]:
    """The name of a project of this test's own."""
    yield name
    label = f"label=com.docker.compose.project={name}"
    listed = await run(docker_engine, "ps", "-aq", "--filter", label)
    if listed:
        await run(docker_engine, "rm", "-f", *listed.split())


async def started(
    engine: DockerEngine, project: str, file: Path | str, number: int = 1, **labels: str
) -> str:
    """A container as compose would have made it from `file`; its name."""
    given = {
        "project": project, "service": "api", "oneoff": "False", "config-hash": "f00",
        "container-number": str(number), "project.config_files": str(file), **labels,
    }  # fmt: skip
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in given.items()]
    name = f"{project}-api-{number}"
    await run(engine, "run", "-d", "--name", name, *options, engine.image, *SLEEP)
    return name


@pytest.mark.parametrize("program", PROGRAMS, indirect=True)
async def test_compose_makes_it_anew_and_the_card_says_so(
    docker_engine: DockerEngine, program: Compose, project: str
) -> None:
    name = await started(docker_engine, project, program.file)
    before = await looked(docker_engine, name)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert program.acts == [], "a preview only reads"
        assert dict(card.hits)["made by"].endswith(" 2.24.5")
        assert card.undo.startswith("nothing: compose removes the old container before")
        done = await again.perform(card)
    (argv,) = program.acts
    assert " ".join(argv) == card.command[0]
    expected = "up --detach --no-deps --no-build --force-recreate --timeout 1 api"
    assert card.command[0].endswith(f"--project-name {project} --file {program.file} {expected}")
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
    docker_engine: DockerEngine, program: Compose, project: str, spoil: str, why: str
) -> None:
    file = program.file
    if spoil == "changed":
        file.write_text("bad")
    elif spoil == "away":
        file = file.with_name("nowhere.yaml")
    elif spoil == "writable":
        file.chmod(0o666)
    elif spoil == "folder":
        file.parent.chmod(0o777)
    elif spoil == "given" and os.geteuid():
        pytest.skip("needs root to give a file away")
    elif spoil == "given":
        os.chown(file, 12345, 12345)
    elif spoil == "link":
        file = file.with_name("link.yaml")
        file.symlink_to(program.file)
    elif spoil == "several":
        await started(docker_engine, project, file, 2)
    name = await started(docker_engine, project, file)
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert dict(card.hits)["made by"].startswith("the engine's API: ")
        assert why in dict(card.hits)["made by"]
    assert program.acts == []
    async with mitigation(
        "recreate", docker_engine.socket, container=name, by="compose", **QUICK
    ) as again:
        if spoil == "changed":
            assert dict((await again.preview(None)).hits)["made by"].endswith("2.24.5")
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


async def test_compose_that_fails_has_failed_with_its_words(
    docker_engine: DockerEngine, program: Compose, project: str
) -> None:
    name = await started(docker_engine, project, program.file)
    program.breaks()
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        with pytest.raises(MitigationFailed, match=r"the old one is there: no space left"):
            await again.perform(card)
    assert (await looked(docker_engine, name))["State"]["Running"]


async def test_a_service_without_any_container_is_scaled_by_compose(
    docker_engine: DockerEngine, program: Compose, project: str
) -> None:
    await started(docker_engine, project, program.file)
    options = {"project": project, "service": "worker", **QUICK}
    async with mitigation("scale", docker_engine.socket, to=2, **options) as scale:
        card = await scale.preview(None)
        assert dict(card.hits)["made by"].endswith(" 2.24.5")
        done = await scale.perform(card)
    (argv,) = program.acts
    assert argv[-3:] == ["--scale", "worker=2", "worker"]
    assert done.text.startswith("worker: 0 → 2 replicas")
    assert done.undo is not None
    assert len(done.undo.options["only"]) == 2


async def test_the_real_one_takes_the_same_words(
    docker_engine: DockerEngine, project: str, tmp_path: Path
) -> None:
    """Where it is installed."""
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed: apt install docker-compose")
    file = tmp_path / "docker-compose.yml"
    argv = list(SLEEP)
    file.write_text(
        f'version: "3"\nservices:\n  api:\n    image: {docker_engine.image}\n    command: {argv}\n'
        "    network_mode: none\n"
    )
    file.chmod(0o644)
    prefix = ("docker-compose", "--host", f"unix://{docker_engine.socket}", "-p", project)
    await _done(*prefix, "-f", str(file), "up", "-d")
    label = f"label=com.docker.compose.project={project}"
    name = await run(docker_engine, "ps", "--filter", label, "--format", "{{.Names}}")
    before = (await looked(docker_engine, name))["Id"]
    async with mitigation("recreate", docker_engine.socket, container=name, **QUICK) as again:
        card = await again.preview(None)
        assert dict(card.hits)["made by"].startswith("docker-compose ")
        await again.perform(card)
    assert (await looked(docker_engine, name))["Id"] != before
    async with mitigation("scale", docker_engine.socket, container=name, by=1, **QUICK) as scale:
        await scale.perform(await scale.preview(None))
    listed = await _done(*prefix, "-f", str(file), "ps", "-q")
    assert len(listed.split()) == 2, "compose takes the new replica for its own"


async def _done(*argv: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()
