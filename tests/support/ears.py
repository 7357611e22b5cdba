"""Ears before real servers: everything is passed on, and what a client asks for is written down.

Each knows just enough of its protocol to tell requests that read from those that change: the
method of HTTP (Docker's API), the command of RESP (Redis), the statement of PostgreSQL's frontend
messages. What it does not know for certain counts as a change.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_REDIS_READS: Final = frozenset(
    ("HELLO", "AUTH", "SELECT", "PING", "INFO", "DBSIZE", "SCAN", "TYPE", "TTL", "PTTL", "ROLE")
)
_REDIS_PARTS: Final = {
    "CLIENT": {"SETINFO", "SETNAME", "GETNAME", "LIST", "ID", "INFO"}, "CONFIG": {"GET"},
    "SLOWLOG": {"GET", "LEN"}, "MEMORY": {"USAGE", "STATS", "DOCTOR"}, "ACL": {"WHOAMI"},
    "LATENCY": {"LATEST", "HISTORY"},
}  # fmt: skip
_SQL_READS: Final = re.compile(
    "SELECT|WITH|SHOW|SET|RESET|BEGIN|START TRANSACTION|COMMIT|ROLLBACK|DEALLOCATE|DISCARD|CLOSE"
)
_SQL_WORDS: Final = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|ALTER|CREATE|DROP|GRANT|REVOKE|COPY|CALL|LOCK|VACUUM)\b"
    r"|\bPG_(TERMINATE|CANCEL)_BACKEND\s*\("
)
_SQL_NO_WORDS: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CANCEL, _SSL, _GSS = 80877102, 80877103, 80877104


@dataclass
class Ear:
    """Listens at `socket` (a path, or a port of 127.0.0.1). `heard` is what was asked, in order."""

    socket: Path | int = 0
    changes: Callable[[str], bool] = bool
    heard: list[str] = field(default_factory=list)

    @property
    def changing(self) -> list[str]:
        """What of it would have changed something."""
        return [one for one in self.heard if self.changes(one)]


def http_changes(request: str) -> bool:
    return not request.startswith(("GET ", "HEAD "))


def redis_changes(command: str) -> bool:
    """
    >>> [redis_changes(word) for word in ("INFO ALL", "FLUSHDB", "CLIENT LIST", "CLIENT KILL")]
    [False, True, False, True]
    """
    first, _, second = command.partition(" ")
    parts = _REDIS_PARTS.get(first)
    return first not in _REDIS_READS if parts is None else second not in parts


def sql_changes(statement: str) -> bool:
    """
    >>> [sql_changes(one) for one in ("SELECT 'DROP'", "select pg_cancel_backend(7)", "DROP x")]
    [False, True, True]
    """
    text = _SQL_NO_WORDS.sub(" ", statement).strip().upper()
    return bool(text) and (not _SQL_READS.match(text) or bool(_SQL_WORDS.search(text)))


# What a client says, by protocol: generators that are sent data and yield what is complete -------


class Http:
    """Requests over one connection, as `METHOD path`."""

    def __init__(self) -> None:
        self._data, self._body, self._raw, self._chunked = b"", 0, False, False

    def take(self, data: bytes) -> Iterator[str]:
        self._data += data
        while self._data and not self._raw:
            if self._body:
                skipped = min(self._body, len(self._data))
                self._data, self._body = self._data[skipped:], self._body - skipped
                continue
            if self._chunked:
                size, found, rest = self._data.partition(b"\r\n")
                if not found:
                    return
                length = int(size.split(b";")[0], 16)
                self._data, self._body, self._chunked = rest, length + 2, length > 0
                continue
            head, found, self._data = self._data.partition(b"\r\n\r\n")
            if not found:
                self._data = head
                return
            yield " ".join(head.split(b"\r\n")[0].decode("latin-1").split(" ")[:2])
            self._began(head.lower())

    def _began(self, head: bytes) -> None:
        length = re.search(rb"\r\ncontent-length: *(\d+)", head)
        self._body = int(length[1]) if length else 0
        self._chunked = b"\r\ntransfer-encoding: chunked" in head
        self._raw = b"\r\nupgrade:" in head


class Resp:
    """Commands over one connection, as their first words: `CLIENT KILL`."""

    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> Iterator[str]:
        self._data += data
        while (found := self._next()) is not None:
            words = found[:2] if found[0].upper().decode() in _REDIS_PARTS else found[:1]
            yield " ".join(word.decode("latin-1").upper() for word in words)

    def _next(self) -> list[bytes] | None:
        head, found, rest = self._data.partition(b"\r\n")
        if not found:
            return None
        words = []
        for _ in range(int(head[1:])):
            size, found, rest = rest.partition(b"\r\n")
            length = int(size[1:]) if found else 0
            if not found or len(rest) < length + 2:
                return None
            words.append(rest[:length])
            rest = rest[length + 2 :]
        self._data = rest
        return words


class Frontend:
    """Statements over one connection of PostgreSQL: simple queries, and what is prepared."""

    def __init__(self) -> None:
        self._data, self._started = b"", False

    def take(self, data: bytes) -> Iterator[str]:
        self._data += data
        while len(self._data) >= 8 if not self._started else len(self._data) >= 5:
            skip = 0 if not self._started else 1
            end = skip + int.from_bytes(self._data[skip : skip + 4])
            if len(self._data) < end:
                return
            kind, body = self._data[:skip], self._data[skip + 4 : end]
            self._data = self._data[end:]
            if not self._started:
                code = int.from_bytes(body[:4])
                self._started = code not in (_SSL, _GSS)
                if code == _CANCEL:
                    yield "CANCEL REQUEST"
            elif kind == b"Q":
                yield body.rstrip(b"\0").decode()
            elif kind == b"P":
                yield body.split(b"\0")[1].decode()
            elif kind == b"F":
                yield "FUNCTION CALL"


Protocol = Http | Resp | Frontend


@asynccontextmanager
async def relay(
    ear: Ear, there: Path | int, protocol: Callable[[], Protocol]
) -> AsyncIterator[Ear]:
    """Passes on between `ear.socket` and the server `there`."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await (
            asyncio.open_connection("127.0.0.1", there)
            if isinstance(there, int)
            else asyncio.open_unix_connection(str(there))
        )
        known = protocol()
        for pump in (_pump(near, on, lambda data: ear.heard.extend(known.take(data))),
                     _pump(far, back, len)):  # fmt: skip
            task = asyncio.create_task(pump)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    if isinstance(ear.socket, int):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ear.socket = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(serve, str(ear.socket))
    try:
        yield ear
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, heard: Callable[[bytes], object]
) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            heard(data)
            sink.write(data)
            await sink.drain()
    sink.close()
