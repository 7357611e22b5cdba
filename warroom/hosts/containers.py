"""A container's log, followed through restarts and through a container that takes its place."""

from __future__ import annotations

import json
import re
import struct
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Final

from warroom.domain.text import LINE_LIMIT
from warroom.hosts.base import Following, Host
from warroom.hosts.docker import Engine, EngineLost, EngineRefused, connect
from warroom.hosts.docker_container import Container, container

_HEADER: Final = struct.Struct(">BxxxL")  # stream id and length, API reference of "attach"
_STARTS: Final = ["start", "rename"]  # compose names a new container after starting it, or before
_FOLLOW: Final = {"follow": "1", "stdout": "1", "stderr": "1"}
_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) ")
_PIECE: Final = 16 * 1024  # what the engine's copier reads of a line at once
_LONGEST: Final = 1024 * 1024
_FRACTION: Final = re.compile(r"\.([0-9]+)")

Chunks = AsyncGenerator[bytes, None]


@asynccontextmanager
async def container_log(
    host: Host, name: str, *, last: int = 200, socket: str = ""
) -> AsyncIterator[Following]:
    """Chunks of whole lines of a container's standard output and error, from its last `last` lines
    on, as they come; a line of one is never cut by the other.

    When the container ends, its next run is waited for, or that of another container of the same
    name, and `trouble` says so meanwhile; no line is lost or given twice between the two. Raises
    HostError on entering when there is no such container or no engine, and while reading when the
    engine goes away.
    """
    engine = await connect(host, socket)
    try:
        followed = _Followed(engine, container(await engine.inspect(name)))
        async with aclosing(followed.chunks(last)) as chunks:
            followed.all = chunks
            yield followed
    finally:
        await engine.close()


async def last_lines(engine: Engine, run: Container, count: int) -> list[bytes]:
    """The last `count` lines of a container's log, output and error by time. Raises HostError."""
    params = {"stdout": "1", "stderr": "1", "tail": str(count)}
    async with aclosing(_read(engine, run, params, _messages(run))) as chunks:
        text = b"".join([chunk async for chunk in chunks])
    return text.splitlines()[-count:]


async def newest_lines(engine: Engine, run: Container, count: int, limit: int) -> list[bytes]:
    """Like `last_lines`, each line with its time before it (RFC 3339, nanoseconds), and the newest
    of at most `limit` bytes in all. Raises HostError."""
    params = {"stdout": "1", "stderr": "1", "tail": str(count)}
    kept: deque[bytes] = deque(maxlen=count)
    size = 0
    messages = StampedTerminalLines() if run.tty else StampedFrames()
    async with aclosing(_read(engine, run, params, messages)) as chunks:
        async for chunk in chunks:
            for line in chunk.removesuffix(b"\n").split(b"\n"):
                if len(kept) == count:
                    size -= len(kept[0])
                kept.append(line)
                size += len(line)
            while size > limit and kept:
                size -= len(kept.popleft())
    return list(kept)


class _Followed:
    """`Following` over every run of a container: while none is there, an empty chunk tells."""

    def __init__(self, engine: Engine, run: Container) -> None:
        self.trouble = ""
        self.all: AsyncIterator[bytes]
        self._engine, self._run = engine, run

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self.all)

    async def chunks(self, last: int) -> Chunks:
        since, params = "", _FOLLOW | {"tail": str(last)}
        while True:
            messages = _messages(self._run, since)
            async with aclosing(_read(self._engine, self._run, params, messages)) as chunks:
                async for chunk in chunks:
                    yield chunk
            self.trouble = _waits(self._run, await _now(self._engine, self._run))
            yield b""
            self._run, ended = await _next_run(self._engine, self._run)
            self.trouble = ""
            yield b""
            since = messages.newest or ended
            params = _FOLLOW | ({"since": since} if since else {"tail": "all"})


def _waits(run: Container, now: Container | None) -> str:
    """Why a log says nothing: its container lives no more."""
    if now is None or now.id != run.id:
        return f"the container {run.name} is gone; waiting for another of that name"
    words = "has ended" if now.has_process else f"is {now.words}"
    return f"the container {run.name} {words}; waiting for its next start"


async def _read(
    engine: Engine, run: Container, params: dict[str, str], messages: Messages
) -> Chunks:
    params = params | {"timestamps": "1"}
    async with engine.chunks(f"containers/{run.id}/logs", params) as chunks:
        async for chunk in chunks:
            lines = messages.feed(chunk)
            if lines:
                yield lines
    rest = messages.end()
    if rest:
        yield rest


def _messages(run: Container, known: str = "") -> Messages:
    return TerminalLines(known) if run.tty else Frames(known)


class Messages:
    """Takes apart what the engine sends of a log; every message has its time before it.

    `newest` is the time of the last message, as a unix time that `since` takes. Messages up to
    `known` (such a time) have been given before and are left out: a stream that follows a
    container may or may not go on into its next run.
    """

    def __init__(self, known: str = "") -> None:
        self._known, self._stamp, self._rest = known, b"", b""

    @property
    def newest(self) -> str:
        return _unix(self._stamp) if self._stamp else self._known

    def feed(self, chunk: bytes) -> bytes:
        """The whole lines in `chunk` and what was left before it."""
        raise NotImplementedError

    def end(self) -> bytes:
        """Lines that were never finished, each finished here."""
        raise NotImplementedError

    def _is_news(self, stamp: bytes) -> bool:
        if self._known and _nanoseconds(_unix(stamp)) <= _nanoseconds(self._known):
            return False
        self._known, self._stamp = "", stamp
        return True


class Frames(Messages):
    """Without a terminal: a header of 8 bytes, then one message of one of the two streams."""

    def __init__(self, known: str = "") -> None:
        super().__init__(known)
        self._open: dict[int, bytes] = {}

    def feed(self, chunk: bytes) -> bytes:
        data, at, lines = self._rest + chunk, 0, []
        while len(data) - at >= _HEADER.size:
            stream, length = _HEADER.unpack_from(data, at)
            if length > _LONGEST:
                raise EngineLost("the Docker engine sent a log that is none")
            end = at + _HEADER.size + length
            if end > len(data):
                break
            stamp, _, message = data[at + _HEADER.size : end].partition(b" ")
            at = end
            if self._is_news(stamp):
                lines.append(self._line(stream, message))
        self._rest = data[at:]
        return b"".join(lines)

    def end(self) -> bytes:
        lines = [line + b"\n" for line in self._open.values() if line]
        self._open.clear()
        return b"".join(lines)

    def _line(self, stream: int, message: bytes) -> bytes:
        """Long lines come in pieces of 16 KiB, and the other stream may speak in between."""
        line = self._open.pop(stream, b"") + message
        if line.endswith(b"\n") or len(line) > LINE_LIMIT:
            return line
        self._open[stream] = line
        return b""


class TerminalLines(Messages):
    """With a terminal: one stream without headers, its long lines in pieces with a time each."""

    def __init__(self, known: str = "") -> None:
        super().__init__(known)
        self._overlong = False

    def feed(self, chunk: bytes) -> bytes:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if lines and self._overlong:
            del lines[0]
            self._overlong = False
        given = b"".join(map(self._line, lines))
        if self._overlong or len(self._rest) > _LONGEST:  # its first part is given, the rest not
            given += b"" if self._overlong else self._line(self._rest)
            self._rest, self._overlong = b"", True
        return given

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return self._line(rest) if rest else b""

    def _line(self, line: bytes) -> bytes:
        stamp, _, message = line.partition(b" ")
        if not self._is_news(stamp):
            return b""
        pieces = []
        while next_stamp := _STAMP.match(message, _PIECE):
            pieces.append(message[:_PIECE])
            message = message[next_stamp.end() :]
        return b"".join(pieces) + message + b"\n"


class StampedFrames(Frames):
    """Each line with its time before it."""

    def _line(self, stream: int, message: bytes) -> bytes:
        begun = stream in self._open
        return super()._line(stream, message if begun else self._stamp + b" " + message)


class StampedTerminalLines(TerminalLines):
    """Each line with its time before it."""

    def _line(self, line: bytes) -> bytes:
        given = super()._line(line)
        return self._stamp + b" " + given if given else given


def _unix(stamp: bytes) -> str:
    """`2026-11-21T11:28:04.123456789Z` as the unix time `1795260484.123456789`; empty when it is
    no time."""
    text = stamp.decode("ascii", "replace")
    fraction = _FRACTION.search(text)
    try:
        seconds = int(datetime.fromisoformat(_FRACTION.sub("", text)).timestamp())
    except ValueError:
        return ""
    return f"{seconds}.{(fraction[1] if fraction else '')[:9].ljust(9, '0')}"


def _nanoseconds(unix: str) -> int:
    whole, _, fraction = unix.partition(".")
    return int(whole or "0") * 10**9 + int(fraction or "0")


async def _next_run(engine: Engine, last: Container) -> tuple[Container, str]:
    """The run after `last`, and the unix time at which `last` ended if that is known.

    The events are listened to before the look, so that a start in between is not missed.
    """
    wanted = {"type": ["container"], "event": _STARTS, "container": [last.name]}
    async with engine.objects("events", {"filters": json.dumps(wanted)}) as events:
        now = await _now(engine, last)
        ended = _end(last, now)
        if now is not None and _is_next(last, now):
            return now, ended
        async for _ in events:
            now = await _now(engine, last)
            if now is not None and _is_next(last, now):
                return now, ended or _end(last, now)
    raise EngineLost(f"the Docker engine at {engine.where} ended its events")


async def _now(engine: Engine, last: Container) -> Container | None:
    try:
        return container(await engine.inspect(last.name))
    except EngineRefused:  # removed; another may take its name
        return None


def _is_next(last: Container, now: Container) -> bool:
    return now.has_process and (now.id, now.started) != (last.id, last.started)


def _end(last: Container, now: Container | None) -> str:
    """When the run ended, in unix time. It says from where the next one is read when no line was
    seen: StartedAt is no good for that, the first lines may be older."""
    if now is None or now.id != last.id or now.finished_at is None:
        return ""
    return f"{now.finished_at.timestamp():.6f}"
