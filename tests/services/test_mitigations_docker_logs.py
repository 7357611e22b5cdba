"""The newest lines of a container's log become evidence, and nothing else happens."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.docker_doing import mitigation, run
from tests.services.docker_tunnel import Tunnel
from tests.support.hostile import CORPUS
from tests.support.services import DockerEngine
from warroom.domain.evidence import EvidenceKind
from warroom.domain.text import harmless
from warroom.mitigations.base import MitigationFailed, MitigationRefused, Risk

pytestmark = pytest.mark.service("docker")


async def wrote(engine: DockerEngine, name: str, script: str, *more: str) -> None:
    """A container that wrote something and has ended."""
    await run(engine, "run", "-d", "--name", name, *more, engine.image, "sh", "-c", script)
    await run(engine, "wait", name)


async def test_output_and_errors_are_kept_by_time_and_only_read(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
) -> None:
    await wrote(docker_engine, name, "echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three")
    async with mitigation("logs", tunnel.socket, container=name) as logs:
        card = await logs.preview(None)
        assert card.risk is Risk.READ
        done = await logs.perform(card)
    assert {line.split()[0] for line in tunnel.requests} == {"GET"}
    (kept,) = done.exhibits
    assert [line.split("Z ")[1] for line in kept.text.splitlines()] == ["one", "two", "three"]
    assert (kept.kind, kept.title) == (EvidenceKind.LINES, f"log of {name}")
    assert kept.begin is not None
    assert kept.end is not None
    assert kept.begin < kept.end
    assert done.text.startswith(f"3 lines of {name} are kept, from ")


async def test_the_newest_are_kept_as_many_as_were_asked_for(
    docker_engine: DockerEngine, name: str
) -> None:
    await wrote(docker_engine, name, "for i in $(seq 1 900); do echo line $i; done")
    async with mitigation("logs", docker_engine.socket, container=name, lines=40) as logs:
        done = await logs.perform(await logs.preview(None))
    lines = done.exhibits[0].text.splitlines()
    assert (len(lines), lines[0][-8:], lines[-1][-8:]) == (40, "line 861", "line 900")


async def test_a_terminals_log_is_read_too(docker_engine: DockerEngine, name: str) -> None:
    await wrote(docker_engine, name, "echo one; printf '50%%\\r100%%\\n'", "--tty")
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        done = await logs.perform(await logs.preview(None))
    text = done.exhibits[0].text
    assert [line.split("Z ")[1] for line in text.splitlines()] == ["one", "50%␍100%"]


async def test_what_a_terminal_would_obey_is_shown_instead(
    docker_engine: DockerEngine, name: str
) -> None:
    hostile = "".join(CORPUS.values()).replace("'", "")
    await wrote(docker_engine, name, f"printf '%s' '{hostile}'; printf '\\377\\200\\0\\n'")
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        done = await logs.perform(await logs.preview(None))
    text = done.exhibits[0].text
    assert harmless(text, lines=True) == text
    assert harmless(hostile[:40]) in text


async def test_ten_megabytes_in_a_line_are_cut_and_said(
    docker_engine: DockerEngine, name: str
) -> None:
    script = "dd if=/dev/zero bs=1M count=10 2>/dev/null; echo; echo last"
    await wrote(docker_engine, name, script)
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        done = await logs.perform(await logs.preview(None))
    text = done.exhibits[0].text
    assert len(text) < 1024 * 1024
    assert text.endswith("last")


async def test_one_that_wrote_nothing_says_so(docker_engine: DockerEngine, name: str) -> None:
    await wrote(docker_engine, name, "true")
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        done = await logs.perform(await logs.preview(None))
    assert (done.text, done.exhibits) == (f"{name} has written nothing", ())


async def test_without_a_log_it_is_refused_and_without_a_container_it_has_failed(
    docker_engine: DockerEngine, name: str
) -> None:
    await wrote(docker_engine, name, "echo one", "--log-driver", "none")
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        with pytest.raises(MitigationRefused, match='its log driver is "none"'):
            await logs.preview(None)
    await run(docker_engine, "rm", name)
    await wrote(docker_engine, name, "echo one")
    async with mitigation("logs", docker_engine.socket, container=name) as logs:
        card = await logs.preview(None)
        await asyncio.to_thread(docker_engine.docker, "rm", name)
        with pytest.raises(MitigationFailed, match="cannot be read: No such container"):
            await logs.perform(card)
