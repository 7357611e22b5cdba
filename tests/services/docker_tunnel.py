"""A unix socket that leads to a Docker engine and can be cut, stalled and listened in on.

It stands for what lies between a responder and an engine: an SSH forward, a proxy, a network.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path


class Tunnel:
    """`requests` are the first lines of what was asked through it. `stalled` holds answers back;
    `cut_on` cuts everything as soon as a request beginning with it has been passed on."""

    def __init__(self, socket: Path, engine: Path) -> None:
        self.socket, self._engine = socket, engine
        self.requests: list[str] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.cut_on = b""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Tunnel:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.flowing.set()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accepted, str(self.socket))

    def cut(self) -> None:
        """Ends every connection, and takes no new one."""
        if self._server is not None:
            self._server.close()
        self.socket.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _accepted(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        answers, there = await asyncio.open_unix_connection(str(self._engine))
        self._writers |= {back, there}
        for pump in (self._ask(near, there), self._answer(answers, back)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                line = data.split(b"\r\n", 1)[0]
                self.requests.append(line.decode("ascii", "replace"))
                target.write(data)
                await target.drain()
                if self.cut_on and line.startswith(self.cut_on):
                    self.cut()
            target.close()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self.flowing.wait()
                target.write(data)
                await target.drain()
            target.close()
