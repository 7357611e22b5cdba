"""A relay between a client and a real server, cut at the worst moment."""

from __future__ import annotations

import asyncio
import socket
import struct


class Proxy:
    """Relays to 127.0.0.1:`port`, until a client's bytes contain `word` and `later` more of its
    messages have passed: then the connection is cut, after the server has acted on that message
    (`passes`) or before it gets it."""

    def __init__(self, port: int, word: bytes, *, passes: bool, later: int = 0) -> None:
        self._to, self._word, self._passes, self._later = port, word, passes, later
        self._server: asyncio.Server | None = None
        self.cuts = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        back = asyncio.create_task(self._pump(far_reader, writer))
        try:
            if await self._until_cut(reader, far_writer):
                back.cancel()  # no answer gets through from here on
                await asyncio.gather(back, return_exceptions=True)
                if self._passes:
                    await far_reader.read(1)  # the server has acted when it answers
                self.cuts += 1
                _reset(writer)
        finally:
            back.cancel()
            far_writer.close()

    async def _until_cut(self, reader: asyncio.StreamReader, sink: asyncio.StreamWriter) -> bool:
        """Passes on what the client says; True when it is time to cut."""
        left = -1
        while data := await reader.read(65536):
            if self._word in data:
                left = self._later + 1
            left -= 1
            if left != 0 or self._passes:
                sink.write(data)
                await sink.drain()
            if left == 0:
                return True
        return False

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Cut as a dying machine does: with a reset instead of an orderly end."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
