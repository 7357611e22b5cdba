"""A line to a PostgreSQL server that can go dead, and come back or break."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

from tests.torture.children import Child


class Line:
    """`dsn` leads through it to a database of the server at that unix socket. In a process of its
    own, so that it is slow for nobody else. `folder` is made."""

    def __init__(self, folder: Path, socket_dir: Path, port: int, database: str) -> None:
        folder.mkdir()
        folder.chmod(0o755)
        name = f".s.PGSQL.{port}"
        self._child = Child(_relay, folder / name, socket_dir / name)
        self._child.hear()
        place = urlencode({"host": str(folder), "port": port}, safe="/")
        self.dsn = f"postgresql://postgres@/{database}?{place}"

    def cut(self) -> None:
        """Nothing gets through in either direction, and nobody is told."""
        self._child.tell("cut")

    def heal(self, *, broken: bool) -> None:
        """What waited gets through; or every connection is `broken` and new ones are made."""
        self._child.tell("break" if broken else "heal")

    def close(self) -> None:
        self._child.kill()
        self._child.process.join()


def _relay(here: Path, there: Path, pipe: Connection) -> None:
    asyncio.run(_Relay(here, there).run(pipe))


class _Relay:
    def __init__(self, here: Path, there: Path) -> None:
        self._here, self._there = here, there
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def run(self, pipe: Connection) -> None:
        self._open.set()
        server = await asyncio.start_unix_server(self._serve, self._here)
        self._here.chmod(0o777)
        async with server:
            pipe.send("ready")
            while True:
                word = await asyncio.to_thread(pipe.recv)
                if word == "cut":
                    self._open.clear()
                    continue
                if word == "break":
                    for writer in list(self._writers):
                        writer.transport.abort()
                self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._there)
        both = {writer, far_writer}
        self._writers |= both
        ways = (self._pump(reader, far_writer), self._pump(far_reader, writer))
        await asyncio.gather(*ways, return_exceptions=True)
        self._writers -= both

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()
