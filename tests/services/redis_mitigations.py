"""Mitigations of a real Redis for a test, and what fills it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.services.redis_clients import cli
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack.redis import Redis
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import MitigationContext, spec


class Makes:
    """Makes a mitigation of a kind, and closes it after the test."""

    def __init__(self) -> None:
        self._made: list[Any] = []

    def __call__(
        self, kind: str, url: str, around: dict[str, Any] | None = None, **given: Any
    ) -> Any:
        known = spec(f"redis.{kind}")
        context = MitigationContext(LocalHost(), SystemClock(), **(around or {}))
        one = known.create(known.options(url=Secret(url), **given), context)
        self._made.append(one)
        return one

    async def close(self) -> None:
        for one in self._made:
            await one.close()


@pytest.fixture
async def make() -> AsyncIterator[Makes]:
    made = Makes()
    yield made
    await made.close()


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    """The shared server, empty before and after."""
    cli(redis_server, "FLUSHALL")
    yield redis_server
    cli(redis_server, "FLUSHALL")


def fill(server: Redis, db: int, keys: int, prefix: str = "sess") -> None:
    """`keys` keys that never expire."""
    script = f"for i = 1, {keys} do redis.call('SET', '{prefix}:' .. i, i) end"
    cli(server, "-n", str(db), "EVAL", script, "0")


def size(server: Redis, db: int = 0) -> int:
    return int(cli(server, "-n", str(db), "DBSIZE"))
