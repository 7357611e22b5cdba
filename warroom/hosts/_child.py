"""A child process that leads a group of its own, and what comes out of it."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import AS_IT_IS, CommandMissing, HostError, Surroundings

GRACE: Final = 1.0
"""Seconds between asking a process group to end and ending it."""
HELD_OPEN: Final = 0.5
"""Seconds that output is still read after a command ended and left children that hold it open."""
BACKLOG: Final = 1024 * 1024
"""Bytes of a stream that wait to be taken before the process is made to wait."""


class Kept:
    """The beginning of an output, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.kept, self.cut, self._limit = bytearray(), False, limit

    def add(self, data: bytes) -> None:
        room = self._limit - len(self.kept)
        self.kept += data[:room]
        self.cut = self.cut or len(data) > room


class Backlog:
    """Chunks on their way from a callback to whoever takes them; `full` and `eased` hold up and
    let go whatever brings them."""

    def __init__(self, full: Callable[[], None], eased: Callable[[], None]) -> None:
        self._full, self._eased = full, eased
        self._chunks: deque[bytes] = deque()
        self._size, self._ended = 0, False
        self._changed = asyncio.Event()

    def add(self, data: bytes) -> None:
        before, self._size = self._size, self._size + len(data)
        self._chunks.append(data)
        self._changed.set()
        if before < BACKLOG <= self._size:
            self._full()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._changed.set()

    async def take(self) -> AsyncIterator[bytes]:
        """Everything there is, joined, as it comes."""
        while True:
            while not self._chunks and not self._ended:
                self._changed.clear()
                await self._changed.wait()
            if not self._chunks:
                return
            data = b"".join(self._chunks)
            self._chunks.clear()
            was_full, self._size = self._size >= BACKLOG, 0
            if was_full:
                self._eased()
            yield data


def parted(
    backlog: Backlog, errors: Callable[[bytes], None] | None
) -> Callable[[int, bytes], None]:
    """A sink that hands a standard error to `errors`, if anybody wants it apart."""

    def sink(fd: int, data: bytes) -> None:
        if fd == 2 and errors is not None:
            errors(data)
        else:
            backlog.add(data)

    return sink


class Child(asyncio.SubprocessProtocol):
    """A running process. `exited` and `silent` (both outputs closed) say how far it is."""

    def __init__(self, sink: Callable[[int, bytes], None]) -> None:
        self.exited, self.silent = asyncio.Event(), asyncio.Event()
        self._sink = sink
        self._open: set[int] = set()
        self._transport: asyncio.SubprocessTransport | None = None

    @staticmethod
    async def start(
        argv: Sequence[str],
        sink: Callable[[int, bytes], None],
        *,
        stdin: bytes = b"",
        merged: bool = False,
        where: Surroundings = AS_IT_IS,
    ) -> Child:
        """Start `argv`; `sink(1 or 2, data)` gets its outputs, all as 1 when `merged`.

        Raises CommandMissing and HostError.
        """
        if not argv:
            raise HostError("an empty command cannot be run")
        child = Child(sink)
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: child,
                *argv,
                stdin=PIPE if stdin else DEVNULL,
                stdout=PIPE,
                stderr=STDOUT if merged else PIPE,
                start_new_session=True,
                cwd=_folder(where.directory),
                env=_environment(where),
            )
        except (FileNotFoundError, NotADirectoryError):
            raise CommandMissing(f"{program(argv)} is not installed here") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL within a word
            reason = getattr(error, "strerror", None) or str(error)
            raise HostError(f"{program(argv)} cannot be run: {reason.lower()}") from error
        if stdin:
            child._feed(stdin)
        return child

    @property
    def code(self) -> int:
        """The exit code; 128 + signal when a signal ended it, as a shell says it."""
        assert self._transport is not None
        code = self._transport.get_returncode()
        assert code is not None, "asked before it exited"
        return code if code >= 0 else 128 - code

    def hold(self) -> None:
        """Stop reading what it writes, so that it waits."""
        self._pipe(1).pause_reading()

    def go_on(self) -> None:
        """Read again what it writes."""
        self._pipe(1).resume_reading()

    async def end(self) -> None:
        """End the whole group: asked first, then made to."""
        try:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self.exited.wait()
        finally:
            self._signal(signal.SIGKILL)  # those of the group who did not listen
            self.forget()
        await self.exited.wait()

    def forget(self) -> None:
        """Close the pipes, whoever else still holds their other ends."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._open = {fd for fd in (1, 2) if transport.get_pipe_transport(fd) is not None}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._sink(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self.silent.set()

    def process_exited(self) -> None:
        self.exited.set()

    def _feed(self, stdin: bytes) -> None:
        assert self._transport is not None
        pipe = self._transport.get_pipe_transport(0)
        assert isinstance(pipe, asyncio.WriteTransport)
        pipe.write(stdin)  # kept by asyncio until the child reads it, dropped if it does not
        pipe.close()

    def _pipe(self, fd: int) -> asyncio.ReadTransport:
        assert self._transport is not None
        pipe = self._transport.get_pipe_transport(fd)
        assert isinstance(pipe, asyncio.ReadTransport)
        return pipe

    def _signal(self, number: signal.Signals) -> None:
        assert self._transport is not None
        with suppress(ProcessLookupError, PermissionError):  # gone, or became another user's
            os.killpg(self._transport.get_pid(), number)


def _folder(directory: str) -> str | None:
    """Where a command runs. Raises HostError: what the system says names the program instead."""
    path = Path(directory).expanduser()
    if not path.is_dir():
        raise HostError(f"{harmless(directory)} is not a folder here")
    return str(path) if directory else None


def _environment(where: Surroundings) -> dict[str, str] | None:
    """This process's environment, or the named variables of it, and what is added."""
    if where.env is None:
        return {**os.environ, **dict(where.values)} if where.values else None
    kept = {name: os.environ[name] for name in where.env if name in os.environ}
    return {**kept, **dict(where.values)}


def program(argv: Sequence[str]) -> str:
    """How messages call a command: by its program alone, for arguments may hold anything."""
    return shorten(harmless(argv[0]), 80)
