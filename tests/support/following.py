"""A log engine that runs, and waiting for what it comes to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from warroom.config.settings import LogEntry
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.logs.engine import LogEngine


@asynccontextmanager
async def following(*entries: LogEntry, at: Host | None = None) -> AsyncIterator[LogEngine]:
    """The logs of those entries, of this machine or of the host `at`."""
    host = at or LocalHost()
    engine = LogEngine(entries, {host.name: host})
    engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        await host.close()


async def until(engine: LogEngine, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `holds`, looking whenever the engine says that something changed."""
    async with asyncio.timeout(seconds):
        while not holds():
            engine.changed.clear()
            await engine.changed.wait()
