"""An HTTP endpoint that writes down every byte it is sent, and answers or breaks as it is told."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from dataclasses import dataclass, field
from typing import Any, Literal

Break = Literal["", "accepted", "begun", "asked", "half status", "half body", "silent"]
"""Where the connection is cut: at once, after the first bytes of a request, after all of it, in
the middle of the status line, of the body; or never, and nothing is said."""


@dataclass
class Came:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """Serves on 127.0.0.1 while it is entered. `answers` are by method, else `answer`."""

    breaks: Break = ""
    answer: tuple[int, str] = (200, "ok")
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    headers: str = ""
    tls: ssl.SSLContext | None = None
    came: list[Came] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Endpoint:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def changes(self) -> list[Came]:
        """Requests that were to change something."""
        return [one for one in self.came if not one.line.startswith("GET ")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.breaks != "accepted":
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went first, which some tests want
        finally:
            if self.breaks:
                _reset(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.breaks == "begun":
            await reader.readexactly(10)
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.came.append(Came(head[0], headers, body))
        if self.breaks == "asked":
            return
        if self.breaks == "silent":
            await reader.read()
            return
        status, text = self.answers.get(head[0].partition(" ")[0], self.answer)
        content = text.encode("utf-8", "surrogateescape")
        begin = f"HTTP/1.1 {status} X\r\n{self.headers}Content-Length: {len(content)}\r\n\r\n"
        data = begin.encode("latin-1") + content
        cut = {"half status": 7, "half body": len(data) - len(content) // 2 - 1}
        writer.write(data[: cut.get(self.breaks, len(data))])
        await writer.drain()
        if self.breaks == "half body":
            await asyncio.sleep(0.05)  # what was written is to arrive before the cut


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closing then sends a reset, as a dead peer's system would."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and writer.get_extra_info("sslcontext") is None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
