"""The engine of the logs alone, without a screen: how soon a file is there, what memory it takes,
and how long it holds the loop at a time.

Run as a module, in a process of its own; it prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil

from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.hosts.local import LocalHost
from warroom.logs.engine import LogEngine

_SHOWN: Final = 48
"""Lines of a screen."""


def _engine(path: Path) -> LogEngine:
    return LogEngine([LogEntry(name=Name("one"), path=str(path))], {"": LocalHost()})


async def opening(path: Path) -> dict[str, Any]:
    """Milliseconds until a screen of lines is there, and MiB more than before."""
    own = psutil.Process()
    before = own.memory_info().rss
    began = time.perf_counter()
    engine = _engine(path)
    engine.start()
    while engine.ring.count < _SHOWN:
        await engine.changed.wait()
        engine.changed.clear()
    took = time.perf_counter() - began
    await engine.stop()
    return {"first_ms": 1000 * took, "grown_mib": (own.memory_info().rss - before) / 2**20}


async def holding(path: Path, seconds: float) -> dict[str, Any]:
    """Milliseconds of processor time that single turns of the loop take while `path` grows and
    the most frequent clients are asked for every second."""
    engine = _engine(path)
    engine.start()
    asking = asyncio.create_task(_ask(engine))
    turns: list[float] = []
    gc.freeze()  # as the console does once it stands
    until, before = time.monotonic() + seconds, time.thread_time()
    while time.monotonic() < until:
        await asyncio.sleep(0)
        now = time.thread_time()
        turns.append(1000 * (now - before))
        before = now
    asking.cancel()
    lines = engine.ring.last
    await engine.stop()
    turns.sort()
    return {"longest_ms": turns[-1], "next_ms": turns[-2], "lines": lines}


async def _ask(engine: LogEngine) -> None:
    while True:
        await asyncio.sleep(1)
        engine.talkers.ranking("ip", 50, now=time.time())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seconds", type=float, help="follow that long; else only open it")
    given = parser.parse_args()
    doing = holding(given.path, given.seconds) if given.seconds else opening(given.path)
    json.dump(asyncio.run(doing), sys.stdout)


if __name__ == "__main__":
    main()
