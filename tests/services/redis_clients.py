"""A redis probe that looks at a real server, and redis-cli beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack import redis
from warroom.drill.stack.program import find
from warroom.drill.stack.redis import Redis
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.redis import SPEC, Options, RedisProbe


def cli(server: Redis, *words: str | bytes) -> str:
    """What redis-cli prints."""
    argv = [str(find("redis-cli", "apt install redis-tools")), "-s", str(server.socket), *words]
    done = subprocess.run(argv, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def told(server: Redis, field: str) -> str:
    """A field of INFO as redis-cli gives it."""
    lines = cli(server, "INFO").splitlines()
    return next(x.partition(":")[2].strip() for x in lines if x.startswith(f"{field}:"))


class Probes:
    """Makes probes, and closes them after the test."""

    def __init__(self) -> None:
        self._made: list[RedisProbe] = []

    def __call__(
        self,
        url: str | Secret,
        *,
        host: Host | None = None,
        clock: Any = None,
        timeout: float = 5.0,
        **options: Any,
    ) -> RedisProbe:
        context = ProbeContext("cache", host or LocalHost(), clock or SystemClock(), timeout)
        secret = Secret(url) if isinstance(url, str) else url
        probe = SPEC.create(Options(secret, **options), context)
        assert isinstance(probe, RedisProbe)
        self._made.append(probe)
        return probe

    async def __aenter__(self) -> Probes:
        return self

    async def __aexit__(self, *_: object) -> None:
        for probe in self._made:
            await probe.close()


def wipe(server: Redis) -> None:
    """Nothing in it, nothing counted."""
    for words in (("FLUSHALL",), ("CONFIG", "RESETSTAT"), ("SLOWLOG", "RESET")):
        cli(server, *words)


@asynccontextmanager
async def another(folder: Path, name: str, *settings: str) -> AsyncIterator[Redis]:
    """A server of the test's own."""
    home = folder / name
    home.mkdir(mode=0o711)
    started = await redis.start(home, tcp=True, settings=settings)
    try:
        yield started
    finally:
        await started.stop()
        shutil.rmtree(home)


async def fault_of(probe: RedisProbe) -> ProbeFault:
    with pytest.raises(ProbeFault) as caught:
        await probe.sample()
    assert str(caught.value).isprintable()
    return caught.value


async def looked(probe: RedisProbe) -> bool:
    """Whether a look was possible."""
    try:
        await probe.sample()
    except ProbeFault:
        return False
    return True
