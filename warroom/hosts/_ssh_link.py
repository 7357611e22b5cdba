"""The connections to one far host: opened at first use, shared, opened again when lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import asyncssh

from warroom.hosts._ssh_trust import KnownHosts, files_for
from warroom.hosts._ssh_words import plain, unreachable
from warroom.hosts.base import HostError, HostLost, HostUnreachable

SESSIONS: Final = 10
"""Sessions of a connection; sshd's default MaxSessions refuses one more."""
CONNECTIONS: Final = 4
"""Most connections to one host; who comes when all are full waits."""
CONNECT_TIMEOUT: Final = 10.0
KEEPALIVE: Final = 5.0
"""Seconds between two signs of life; three without an answer and the connection is lost."""
BACK_OFF: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

T = TypeVar("T")


class Line:
    """One connection, and how many sessions of it are taken."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self.connection, self.used, self.capacity = connection, 0, SESSIONS


class Link:
    """All connections to `destination` ("alias" or "user@alias" of ssh's config)."""

    def __init__(self, name: str, destination: str, config: str = "") -> None:
        self.name, self.destination = name, destination
        self._config = [config] if config else _config_files()
        self._lines: list[Line] = []
        self._freed = asyncio.Event()
        self._opening: asyncio.Task[Line] | None = None
        self._fault, self._failures, self._retry_at = "", 0, 0.0
        self._closed = False

    async def connection(self) -> asyncssh.SSHClientConnection:
        """A live connection, for what takes no session (forwards). Raises HostUnreachable."""
        lines = self._alive()
        return (lines[0] if lines else await self._connect()).connection

    async def session(
        self,
        opened: Callable[[asyncssh.SSHClientConnection], Awaitable[T]],
        refused: str = "runs no commands",
    ) -> tuple[T, Callable[[], None]]:
        """What `opened` makes of a connection with a session to spare, and how to give the
        session back. Raises HostUnreachable, HostLost when the connection is cut meanwhile, and
        HostError when the host refuses sessions, which `refused` puts into words."""
        while True:
            line = await self._line()
            line.used += 1
            try:
                return await opened(line.connection), partial(self._release, line)
            except asyncssh.ChannelOpenError as error:
                self._release(line)
                if line.used == 0:
                    raise HostError(f"{self.name} {refused}: {plain(error)}") from error
                line.capacity = line.used  # its MaxSessions is lower than usual
            except (OSError, asyncssh.Error) as error:
                self._release(line)
                # what was asked for may have begun before its answer was lost
                raise HostLost(f"{self.name}: {plain(error)}") from error
            except asyncio.CancelledError:
                self._release(line)
                raise

    async def close(self) -> None:
        """Close every connection; none is opened again."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        lines, self._lines = self._lines, []
        for line in lines:
            line.connection.close()
        await asyncio.gather(*(line.connection.wait_closed() for line in lines))

    def _alive(self) -> list[Line]:
        self._lines = [line for line in self._lines if not line.connection.is_closed()]
        return self._lines

    async def _line(self) -> Line:
        """A connection that has a session to spare."""
        while True:
            lines = self._alive()
            for line in lines:
                if line.used < line.capacity:
                    return line
            if len(lines) < CONNECTIONS:
                await self._connect()
            else:
                self._freed.clear()
                await self._freed.wait()

    def _release(self, line: Line) -> None:
        line.used -= 1
        self._freed.set()

    async def _connect(self) -> Line:
        """One more connection. Who is cancelled leaves the attempt to the others who wait."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise HostUnreachable(f"{self.name}: closed")
        if self._opening is None or self._opening.done():
            wait = self._retry_at - loop.time()
            if wait > 0:
                raise HostUnreachable(f"{self._fault} (next try in {wait:.0f} s)")
            self._opening = loop.create_task(self._open())
            self._opening.add_done_callback(_looked_at)
        return await asyncio.shield(self._opening)

    async def _open(self) -> Line:
        known = KnownHosts([])
        try:
            async with asyncio.timeout(2 * CONNECT_TIMEOUT):
                found = await asyncssh.SSHClientConnectionOptions.construct(None, **self._options())
                known = await asyncio.to_thread(KnownHosts, files_for(found.known_hosts))
                options = self._options() | _quiet(found.proxy_command)
                connection = await asyncssh.connect(**options, known_hosts=known)
        except (OSError, asyncssh.Error, ValueError) as error:
            pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
            self._failures += 1
            self._retry_at = asyncio.get_running_loop().time() + pause
            self._fault = f"{self.name}: {unreachable(self.destination, error, known)}"
            raise HostUnreachable(self._fault) from error
        self._fault, self._failures = "", 0
        line = Line(connection)
        self._lines.append(line)
        return line

    def _options(self) -> dict[str, object]:
        user, _, alias = self.destination.rpartition("@")
        options: dict[str, object] = {
            "host": alias,
            "config": self._config,
            "connect_timeout": CONNECT_TIMEOUT,
            "login_timeout": CONNECT_TIMEOUT,
            "keepalive_interval": KEEPALIVE,
            "password": None,
        }
        return options | {"username": user} if user else options


def _quiet(proxy: Sequence[str] | None) -> dict[str, object]:
    """asyncssh takes what a ProxyCommand writes to its stderr (a banner, a warning) for what the
    host says, and then the connection breaks: so that goes nowhere. The pipe itself stays open,
    since its end would be taken for the end of the connection."""
    if not proxy:
        return {}
    return {"proxy_command": ["sh", "-c", 'exec "$@" 3>&2 2>/dev/null', "sh", *proxy]}


def _looked_at(task: asyncio.Task[Line]) -> None:
    if not task.cancelled():
        task.exception()  # nobody may wait for it any more; that is no error of its own


def _config_files() -> list[str]:
    """Those that ssh reads, in its order: what stands first wins (ssh_config(5))."""
    files = (str(Path("~/.ssh/config").expanduser()), "/etc/ssh/ssh_config")
    return [file for file in files if os.access(file, os.R_OK)]
