"""The figures of the docker probe are those that the docker CLI shows."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.services.docker_watching import cells, run, watching
from tests.support.services import DockerEngine
from warroom.hosts.docker import connect
from warroom.hosts.local import LocalHost

pytestmark = pytest.mark.service("docker")

_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def in_bytes(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


async def test_memory_equals_the_docker_cli_with_a_page_cache_in_play(
    docker_engine: DockerEngine, name: str
):
    fill = "dd if=/dev/zero of=/tmp/f bs=1M count=30 2>/dev/null"  # once: read again it is active
    await run(
        docker_engine, "run", "-d", "--name", name, "-m", "64m", docker_engine.image,
        "sh", "-c", f"{fill}; while :; do sleep 1000; done",
    )  # fmt: skip
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.until(lambda s: (cells(s, name)["mem"] or 0) > 0)
        for _ in range(20):  # until both saw the same resting figure
            said = await run(
                docker_engine, "stats", "--no-stream", "--format",
                "{{.MemUsage}} {{.MemPerc}}", name,
            )  # fmt: skip
            used, _, limit, percent = said.split()
            seen = cells(await watched.sample(), name)
            if seen["mem"] == pytest.approx(in_bytes(used), rel=0.01):
                break
        assert seen["mem"] == pytest.approx(in_bytes(used), rel=0.01)
        assert in_bytes(limit) == 64 * 2**20
        assert seen["mem_percent"] == pytest.approx(float(percent.rstrip("%")), abs=0.1)
        raw = await raw_memory(docker_engine, name)
        assert raw > seen["mem"] + 10 * 2**20, "a page cache is there, and not counted"


async def raw_memory(engine: DockerEngine, name: str) -> float:
    """What the engine itself says is used, the cache included."""
    host = await connect(LocalHost(), str(engine.socket))
    try:
        async with host.objects(f"containers/{name}/stats", {"stream": "0"}) as stats:
            return float((await anext(stats))["memory_stats"]["usage"])
    finally:
        await host.close()


async def test_cpu_agrees_with_the_docker_cli_for_half_a_cpu(
    docker_engine: DockerEngine, name: str
):
    await run(
        docker_engine, "run", "-d", "--name", name, "--cpus", "0.4", docker_engine.image,
        "sh", "-c", "while :; do :; done",
    )  # fmt: skip
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.until(lambda s: "cpu_percent" in s.metrics)
        for _ in range(20):  # each looks at a second of its own, in which others may want the CPU
            argv = ("stats", "--no-stream", "--format", "{{.CPUPerc}}", name)
            said = float((await run(docker_engine, *argv)).rstrip("%"))
            sample = await watched.sample()
            if cells(sample, name)["cpu"] == pytest.approx(said, abs=12):
                break
        assert cells(sample, name)["cpu"] == pytest.approx(said, abs=12)
        assert sample.metrics["cpu_percent"] == cells(sample, name)["cpu"]
