"""A docker probe on a real engine, looked at whenever it says that something is new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.services import DockerEngine
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Row, Sample
from warroom.hosts.local import LocalHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.docker import SPEC, DockerProbe, Options

SLEEP: Final = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


class Watched:
    """A probe on some containers, that can be waited for until it shows something."""

    def __init__(self, probe: DockerProbe) -> None:
        self.probe = probe

    async def sample(self) -> Sample:
        return await self.probe.sample()

    async def until(self, holds: Callable[[Sample], Any], seconds: float = 30.0) -> Sample:
        """The first sample for which `holds`; looks again only when the probe says so."""
        async with asyncio.timeout(seconds):
            while True:
                sample = await self.probe.sample()
                if holds(sample):
                    return sample
                await self.pushed()

    async def until_down(self, words: str, seconds: float = 30.0) -> ProbeFault:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await self.probe.sample()
                except ProbeFault as fault:
                    if words in str(fault):
                        return fault
                await self.pushed()

    async def pushed(self) -> None:
        assert self.probe.changed is not None
        await self.probe.changed.wait()
        self.probe.changed.clear()


@asynccontextmanager
async def watching(
    socket: Path | str, host: Any = None, timeout: float = 5.0, **options: Any
) -> AsyncIterator[Watched]:
    context = ProbeContext("docker", host or LocalHost(), SystemClock(), timeout)
    probe = SPEC.create(Options(socket=str(socket), **options), context)
    assert isinstance(probe, DockerProbe)
    try:
        yield Watched(probe)
    finally:
        await probe.close()


def cells(sample: Sample, name: str) -> dict[str, Any]:
    keys = [column.key for column in sample.columns]
    return dict(zip(keys, row(sample, name).cells, strict=True))


def row(sample: Sample, name: str) -> Row:
    return next(row for row in sample.rows if row.name == name)


def state(name: str, words: str) -> Callable[[Sample], bool]:
    return lambda sample: any(r.name == name and r.cells[1] == words for r in sample.rows)


async def run(engine: DockerEngine, *args: str) -> str:
    return await asyncio.to_thread(engine.docker, *args)
