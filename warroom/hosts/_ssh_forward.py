"""A far address as a unix socket here.

The socket is ours, not asyncssh's: it stays through a lost connection, and who connects to it
opens the connection again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncssh

from warroom.hosts._ssh_link import Link
from warroom.hosts._ssh_words import plain
from warroom.hosts.base import Address, HostError, TcpAddress

_BLOCK: Final = 64 * 1024


class Forward:
    """Carries connections to the unix socket `path` to `address`, as the far host sees it."""

    def __init__(self, link: Link, address: Address, path: Path) -> None:
        self.path = path
        self._link, self._address = link, address
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._doubtful = True  # until somebody was let through, and after somebody was not

    async def open(self) -> None:
        """Make the socket, in a folder of its own that nobody else may enter."""
        self.path.parent.mkdir(mode=0o700)
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def check(self) -> None:
        """See that the far address answers, unless it lately did. Raises HostError."""
        if self._doubtful:
            _, writer = await self._far_end()
            writer.close()
        else:
            await self._link.connection()

    async def close(self) -> None:
        """Cut every connection and remove the socket."""
        if self._server is not None:
            self._server.close()
        for task in self._carrying:
            task.cancel()
        if self._carrying:
            await asyncio.wait(self._carrying)
        self.path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            self.path.parent.rmdir()

    async def _far_end(self) -> tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]:
        connection = await self._link.connection()
        self._doubtful = True
        try:
            if isinstance(self._address, TcpAddress):
                where = f"{self._address.host}:{self._address.port}"
                ends = await connection.open_connection(
                    self._address.host, self._address.port, encoding=None
                )
            else:
                where = self._address.path
                ends = await connection.open_unix_connection(where, encoding=None)
        except (OSError, asyncssh.Error) as error:
            raise HostError(
                f"{self._link.name}: nothing answers there at {where} ({plain(error)})"
            ) from error
        self._doubtful = False
        return ends

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            await self._carry(reader, writer)
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._far_end()
        except HostError:
            return  # the client sees its connection closed; `check` has the words
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except (OSError, asyncssh.Error):
            return  # either side was cut: so is the other, below
        finally:
            far_writer.close()


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes],
    sink: asyncio.StreamWriter | asyncssh.SSHWriter[bytes],
) -> None:
    """Carry bytes one way, and then say that no more will come: Docker ends its half first."""
    while data := await source.read(_BLOCK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
