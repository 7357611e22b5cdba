"""What is piped into the console is followed to its end, a pipe or a file, once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from warroom.config.values import Name
from warroom.hosts.local import LocalHost
from warroom.logs.engine import LogEngine, SourceState
from warroom.logs.piped import Piped
from warroom.logs.view import LogView


@asynccontextmanager
async def following(fd: int) -> AsyncIterator[LogEngine]:
    engine = LogEngine((Piped(Name("stdin"), fd=fd),), {"": LocalHost()})
    engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def until(engine: LogEngine, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not holds():
            engine.changed.clear()
            await engine.changed.wait()


def shown(engine: LogEngine) -> list[str]:
    return [line.text for line in LogView(engine.ring).window(engine.ring.last, 1000)]


async def test_a_pipe_is_followed_and_its_end_is_said() -> None:
    out, into = os.pipe()
    async with following(out) as engine:
        os.write(into, b"one\ntwo\n")
        await until(engine, lambda: shown(engine) == ["one", "two"])
        assert engine.status()[0].state is SourceState.FOLLOWING
        os.write(into, b"three without an end")
        os.close(into)
        await until(engine, lambda: engine.status()[0].error == "what was piped in has ended")
        await until(engine, lambda: len([*shown(engine), *engine.ring.tails]) == 3)
    os.close(out)


async def test_what_nobody_takes_in_holds_its_writer_and_nothing_of_it_is_lost() -> None:
    out, into = os.pipe()
    lines = b"".join(b"line %d %b\n" % (n, b"x" * 500) for n in range(20_000))
    async with following(out) as engine:
        writing = asyncio.create_task(asyncio.to_thread(_write, into, lines))
        await until(engine, lambda: engine.ring.last == 20_000)
        await writing
        assert shown(engine)[-1].startswith("line 19999 ")
    os.close(out)


def _write(into: int, data: bytes) -> None:
    with os.fdopen(into, "wb") as file:
        file.write(data)


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "old.log"
    file.write_bytes(b"line\n" * 50_000 + b"last\n")
    fd = os.open(file, os.O_RDONLY)
    async with following(fd) as engine:
        await until(engine, lambda: engine.status()[0].error == "what was piped in has ended")
        assert (engine.ring.last, shown(engine)[-1]) == (50_001, "last")
    os.close(fd)
