"""HTTP services inside this process that can be made to fail.

They speak HTTP/1.1 with keep-alive over plain asyncio, so that dozens of requests a second cost
next to nothing, and write an access log (Apache's combined format) of the requests that they
really answered.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

_HEAD_LIMIT: Final = 64 * 1024
_HANG_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for. `client` is its IP address as the access log shows it."""

    method: str
    target: str
    client: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered; `delay` in seconds passes first. `headers` replace the usual ones."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


def as_json(value: object, status: int = 200) -> Response:
    """`value` as an application/json answer."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


@dataclass(slots=True)
class Faults:
    """What is wrong with a service now; all off at first.

    `latency` (seconds) comes on top; `status` replaces every answer's; `body` replaces every
    body; `hang` accepts and never answers; `drop` cuts the connection after half the answer.
    """

    latency: float = 0.0
    status: int | None = None
    body: bytes | None = None
    hang: bool = False
    drop: bool = False

    def clear(self) -> None:
        self.latency, self.status, self.body, self.hang, self.drop = 0.0, None, None, False, False


Handler = Callable[[Request], Awaitable[Response]]


class Web:
    """An HTTP service on a free port of 127.0.0.1.

    Answers come from `handler`, and before it from what `respond` laid down for a path.
    """

    def __init__(
        self,
        name: str = "web",
        handler: Handler | None = None,
        *,
        access_log: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name, self.port, self.faults = name, 0, Faults()
        self.requests: deque[Request] = deque(maxlen=1000)
        """The last 1,000 requests."""
        self._handler, self._tls = handler, tls
        self._laid: dict[str, Response] = {}
        self._log: IO[str] | None = access_log.open("a", buffering=1) if access_log else None
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def respond(
        self,
        path: str,
        status: int = 200,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> None:
        """Lays down the answer to every request for `path`."""
        content = body.encode() if isinstance(body, str) else body
        self._laid[path] = Response(status, content, dict(headers or {}), delay)

    async def start(self) -> Web:
        """Listens; on the same port again after `refuse`."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, limit=_HEAD_LIMIT, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def refuse(self) -> None:
        """Stops listening, so that connections are refused, until `start`."""
        if self._server:
            self._server.close()
            self._server = None
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def stop(self) -> None:
        await self.refuse()
        if self._log:
            self._log.close()
            self._log = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            client = str(writer.get_extra_info("peername")[0])
            while await self._one(reader, writer, client):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client went away or does not speak HTTP: there is nobody to tell
        except asyncio.CancelledError:
            pass  # refuse() ends it; asyncio's own callback would report the cancellation
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> bool:
        """Serves one request; False when the connection shall end."""
        request = await _read(reader, client)
        if request is None:
            return False
        self.requests.append(request)
        response = await self._answer(request)
        content = _rendered(request, response)
        if self.faults.drop:
            writer.write(content[: len(content) // 2])
            return False
        writer.write(content)
        await writer.drain()
        self._log_line(request, response)
        return request.headers.get("connection", "").lower() != "close"

    async def _answer(self, request: Request) -> Response:
        faults = self.faults
        if faults.hang:
            await asyncio.sleep(_HANG_SECONDS)
        response = self._laid.get(request.path)
        if response is None and self._handler:
            response = await self._handler(request)
        response = response or Response(404, b"not found\n")
        if response.delay or faults.latency:
            await asyncio.sleep(response.delay + faults.latency)
        body = response.body if faults.body is None else faults.body
        return Response(faults.status or response.status, body, response.headers)

    def _log_line(self, request: Request, response: Response) -> None:
        if self._log:
            at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
            agent = request.headers.get("user-agent", "-")
            line = f"{request.method} {request.target} HTTP/1.1"
            size = len(response.body)
            self._log.write(
                f'{request.client} - - [{at}] "{line}" {response.status} {size} "-" "{agent}"\n'
            )


async def _read(reader: asyncio.StreamReader, client: str) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(min(int(headers.get("content-length", 0)), 1 << 20))
    return Request(method, target, headers.get("x-forwarded-for", client), headers, body)


def _rendered(request: Request, response: Response) -> bytes:
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": len(response.body)}
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in (headers | dict(response.headers)).items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return head if request.method == "HEAD" else head + response.body
