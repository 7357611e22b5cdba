"""The network between a console and its PostgreSQL server, which can fail in every way."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from warroom.drill.stack.postgres import Postgres


class Partition:
    """Relays a unix socket in `folder` to the server's own.

    `silent`: nothing passes either way, nobody is told (a pulled cable). `mute`: the server hears
    everything, its answers do not arrive. `refuse`: nobody gets a new connection. `cut()` ends
    what is connected; `word` ends a connection once the server has answered to it; `delay` is how
    many seconds every message takes, each way.
    """

    def __init__(self, folder: Path, server: Postgres) -> None:
        self._folder, self._server = folder, server
        self._listening: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.mute = self.refuse = False
        self.word = b""
        self.delay = 0.0
        self.cuts = 0

    async def __aenter__(self) -> Partition:
        path = str(self._folder / f".s.PGSQL.{self._server.port}")
        self._listening = await asyncio.start_unix_server(self._serve, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        self.heal()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)  # they end with their connections

    def dsn(self, database: str, user: str = "postgres", more: str = "") -> str:
        return f"postgresql://{user}@/{database}?host={self._folder}&port={self._server.port}{more}"

    def silence(self) -> None:
        """From now on nothing passes."""
        self._open.clear()

    def heal(self) -> None:
        """Everything passes again; what was lost on the way stays lost."""
        if not self._open.is_set() or self.mute:
            self.cut()
        self.mute = self.refuse = False
        self._open.set()

    def cut(self) -> None:
        """End every connection."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self.refuse:
            writer.transport.abort()
            return
        far = str(self._server.socket_dir / f".s.PGSQL.{self._server.port}")
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(far)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        back = asyncio.create_task(self._answers(far_reader, writer))
        self._tasks.add(back)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self._open.wait()
                if self.word and self.word in data:
                    self.word = b""
                    back.cancel()  # no answer gets through from here on
                    far_writer.write(data)
                    await asyncio.gather(back, return_exceptions=True)
                    await far_reader.read(1)  # the server has acted when it answers
                    self.cuts += 1
                    break
                far_writer.write(data)
                await far_writer.drain()
        writer.transport.abort()
        far_writer.transport.abort()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self._open.wait()
                if not self.mute:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
