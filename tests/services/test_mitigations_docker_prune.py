"""What nobody uses is removed: what the card showed, no more, and volumes only when chosen."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker_doing import SLEEP, looked, lost_right, mitigation, run
from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from tests.support.waiting import comes_true
from warroom.mitigations._docker_waste import ALL, CACHE, CONTAINERS, IMAGES, UNNAMED, VOLUMES
from warroom.mitigations.base import (
    Mitigation,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
)

pytestmark = pytest.mark.service("docker")


def pruning(engine: DockerEngine, what: str, **options: Any) -> Any:
    """At once, whatever ended when."""
    return mitigation("prune", engine.socket, answers={"what": what}, **{"older": 0, **options})


@pytest.fixture
async def engine(docker_engine: DockerEngine) -> AsyncIterator[DockerEngine]:
    """An engine of our own with nothing on it that others left: a prune means all of it."""
    if docker_engine.engine.program is None:
        pytest.skip("only on an engine that the tests have started: run them as root")
    for what in ("container", "image", "builder"):
        await run(docker_engine, what, "prune", "-f")
    volumes = (await run(docker_engine, "volume", "ls", "-q")).split()
    if volumes:
        await run(docker_engine, "volume", "rm", "-f", *volumes)
    yield docker_engine


async def ended(engine: DockerEngine, name: str, *more: str) -> str:
    """A container that wrote 5,000 bytes and ended."""
    script = "head -c 5000 /dev/zero > /tmp/x"
    await run(engine, "run", "--name", name, *more, engine.image, "sh", "-c", script)
    return str((await looked(engine, name))["Id"])


async def test_the_card_says_what_goes_and_how_much_that_frees_and_only_reads(
    engine: DockerEngine, tunnel: Tunnel, name: str
) -> None:
    await ended(engine, name)
    dangling = await run(engine, "commit", name)
    host = await run(engine, "info", "--format", "{{.Name}}")
    async with mitigation("prune", tunnel.socket, answers={"what": ALL}, older=0) as prune:
        card = await prune.preview(None)
    assert {line.split()[0] for line in tunnel.requests} == {"GET"}
    assert (card.risk, card.word) == (Risk.DESTROY, host)
    hits = [f"{what}: {much}" for what, much in card.hits]
    assert hits[0] == "frees: about 10 kB"
    assert any(hit.startswith(f"container: {name}: exited (0) ") for hit in hits)
    assert any(hit.startswith(f"image: {dangling.removeprefix('sha256:')[:12]}: ") for hit in hits)
    assert any("images" in hit and "volumes" in hit for hit in hits if hit.startswith("docker"))


async def test_containers_and_images_go_and_what_runs_or_has_a_name_stays(
    engine: DockerEngine, name: str
) -> None:
    await ended(engine, name)
    dangling = await run(engine, "commit", name)
    await run(engine, "run", "-d", "--name", f"{name}-runs", engine.image, *SLEEP)
    try:
        async with pruning(engine, ALL) as prune:
            done = await prune.perform(await prune.preview(None))
        assert done.text.startswith("removed 1 container, 1 image, about 10 kB are free")
        assert name in done.exhibits[0].text
        assert dangling in done.exhibits[0].text
        names = (await run(engine, "ps", "-a", "--format", "{{.Names}}")).split()
        assert names == [f"{name}-runs"]
        assert dangling not in await run(engine, "images", "-aq", "--no-trunc")
        assert engine.image in await run(engine, "images", "--format", "{{.Repository}}:{{.Tag}}")
    finally:
        await run(engine, "rm", "-f", f"{name}-runs")


async def test_volumes_stay_unless_they_are_chosen_and_those_with_a_name_stay_longer(
    engine: DockerEngine, name: str
) -> None:
    named = f"{name}-data"
    await ended(engine, name, "-v", "/anonymous", "-v", f"{named}:/named")
    async with pruning(engine, ALL) as prune:
        await prune.perform(await prune.preview(None))
    assert len((await run(engine, "volume", "ls", "-q")).split()) == 2
    async with pruning(engine, UNNAMED) as prune:
        card = await prune.preview(None)
        assert ("left alone", "1 unused volume that somebody gave a name") in card.hits
        await prune.perform(card)
    assert (await run(engine, "volume", "ls", "-q")).split() == [named]
    async with pruning(engine, VOLUMES) as prune:
        card = await prune.preview(None)
        assert "gone for good" in card.warnings[0]
        await prune.perform(card)
    assert await run(engine, "volume", "ls", "-q") == ""


async def test_what_ended_lately_may_be_evidence_and_is_left_alone(
    engine: DockerEngine, name: str
) -> None:
    await ended(engine, name)
    await run(engine, "create", "--name", f"{name}-made", engine.image, "true")
    try:
        async with pruning(engine, CONTAINERS, older="1h") as prune:
            with pytest.raises(MitigationRefused, match="2 containers that ended less than 1h00m"):
                await prune.preview(None)
    finally:
        await run(engine, "rm", f"{name}-made")


async def test_what_somebody_began_to_use_or_made_since_the_card_stays(
    engine: DockerEngine, name: str
) -> None:
    await run(engine, "create", "--name", name, engine.image, *SLEEP)
    await ended(engine, f"{name}-old")
    async with pruning(engine, CONTAINERS) as prune:
        card = await prune.preview(None)
        await run(engine, "start", name)
        await ended(engine, f"{name}-new")
        done = await prune.perform(card)
    assert "removed 1 container" in done.text
    assert f"1 are used again: {name}: " in done.text
    names = (await run(engine, "ps", "-a", "--format", "{{.Names}}")).split()
    assert sorted(names) == [name, f"{name}-new"]
    await run(engine, "rm", f"{name}-new")


async def test_nothing_to_remove_is_said(engine: DockerEngine) -> None:
    for what in (IMAGES, CACHE, VOLUMES):
        async with pruning(engine, what) as prune:
            with pytest.raises(MitigationRefused, match=f"no unused {what}"):
                await prune.preview(None)


async def test_another_engine_than_the_one_shown_is_left_alone(
    engine: DockerEngine, name: str
) -> None:
    await ended(engine, name)
    async with pruning(engine, ALL) as prune:
        card = await prune.preview(None)
        shown = replace(card, target=replace(card.target, identity={"engine": "AAAA:BBBB"}))
        with pytest.raises(MitigationRefused, match="another engine answers now: AAAA:BBBB was"):
            await prune.perform(shown)
    assert name in await run(engine, "ps", "-a", "--format", "{{.Names}}")


async def test_a_console_that_lost_the_right_to_act_removes_nothing(
    engine: DockerEngine, name: str
) -> None:
    await ended(engine, name)
    async with pruning(engine, ALL, fence=lost_right) as prune:
        card = await prune.preview(None)
        with pytest.raises(MitigationRefused, match="took it over"):
            await prune.perform(card)
    assert name in await run(engine, "ps", "-a", "--format", "{{.Names}}")


async def test_a_connection_that_breaks_says_what_is_known_and_verify_counts(
    engine: DockerEngine, tunnel: Tunnel, name: str
) -> None:
    await ended(engine, name)
    async with mitigation("prune", tunnel.socket, answers={"what": ALL}, older=0) as prune:
        card = await prune.preview(None)
        tunnel.cut_on = b"DELETE"
        with pytest.raises(MitigationUncertain, match="known: removed nothing"):
            await prune.perform(card)
    async with pruning(engine, ALL) as later:
        assert (await later.verify(card)).endswith("5 kB before")


def built(engine: DockerEngine, folder: Path, word: str) -> None:
    """An image built by BuildKit, which keeps a cache. Skips where no docker CLI can ask for it."""
    (folder / "x").write_text(word)
    (folder / "Dockerfile").write_text(f"FROM {engine.image}\nCOPY x /x\n")
    for program in ("docker", "/usr/bin/docker"):
        argv = [program, "--host", f"unix://{engine.socket}", "build", "-t", "warroom-built:1", "."]
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        done = subprocess.run(
            argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return
    pytest.skip(f"no docker CLI with BuildKit here: {done.stderr.strip()[-200:]}")


async def test_the_build_cache_goes_but_what_was_used_since_the_card(
    engine: DockerEngine, tmp_path: Path
) -> None:
    await asyncio.to_thread(built, engine, tmp_path, "one")
    async with pruning(engine, CACHE) as prune:
        card = await prune.preview(None)
        hits = dict(card.hits)
        assert hits["build cache"].partition(",")[0].endswith("records")
        await asyncio.to_thread(built, engine, tmp_path, "one")
        with pytest.raises(MitigationFailed, match="nothing was removed"):
            await prune.perform(card)
        assert await comes_true(lambda: freed(prune))
    await run(engine, "rmi", "warroom-built:1")


async def freed(prune: Mitigation) -> bool:
    """Whether a prune with a fresh card frees anything: not what was used a moment ago."""
    try:
        done = await prune.perform(await prune.preview(None))
    except MitigationFailed:
        return False
    return "of build cache" in done.text


def test_a_config_cannot_choose_volumes() -> None:
    with pytest.raises(AssertionError, match="volumes"):
        asyncio.run(_made("all volumes"))


async def _made(what: str) -> None:
    async with mitigation("prune", Path("/nowhere"), what=what):
        raise MitigationFailed("it was made")
