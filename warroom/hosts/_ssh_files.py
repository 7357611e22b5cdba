"""A far machine's files over SFTP, as a follower reads them.

One session of the connection serves every followed file. SFTP tells no inode, so a name's file is
told from its successor by what a look costs least:

- its size: a file that is larger by its name than by its handle, looked at later, is another;
- its content: the last bytes of the open file must stand at the same place in the named one;
- its inode, where all of that is alike and the file has come to rest (`_ssh_inodes`).

What is kept through rotation is what `hosts.follow` says, and through a cut connection, too: then
the position is found again by its mark, in the file or in its uncompressed successor beside it
(log.1). A file that was emptied while both its size and its second of change look the same is
noticed with its next line.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import asyncssh

from warroom.hosts._ssh_inodes import Inodes
from warroom.hosts._ssh_link import Link
from warroom.hosts._ssh_words import plain
from warroom.hosts.base import HostError
from warroom.hosts.follow import MARK, Barred, Gone, Look

CHECK: Final = 1.0
"""Seconds between two comparisons of a file that grows with the one its name leads to."""
_CANDIDATES = 16
_NO_SFTP: Final = "offers no SFTP, by which files are followed"

T = TypeVar("T")
_File = asyncssh.SFTPClientFile


class FarDisk:
    """The one SFTP session of a far host."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._client: asyncssh.SFTPClient | None = None
        self._starting, self.asking = asyncio.Lock(), asyncio.Lock()

    def view(self, path: str) -> View:
        """`Files` for one followed name."""
        return View(self, path)

    async def client(self) -> asyncssh.SFTPClient:
        """The session, opened again when it was lost. Raises Barred."""
        async with self._starting:
            if self._client is None:
                self._client = await self._start()
            return self._client

    async def _start(self) -> asyncssh.SFTPClient:
        try:
            client, release = await self.link.session(
                lambda connection: connection.start_sftp_client(), _NO_SFTP
            )
        except asyncssh.SFTPError as error:
            raise Barred(f"{self.link.name} {_NO_SFTP}: {plain(error)}") from error
        except HostError as error:
            raise Barred(str(error)) from error
        self._ended = asyncio.ensure_future(client.wait_closed())
        self._ended.add_done_callback(lambda _: self._lost(client, release))
        return client

    def _lost(self, client: asyncssh.SFTPClient, release: Callable[[], None]) -> None:
        release()
        if self._client is client:
            self._client = None

    async def answer(self, question: Awaitable[T]) -> T:
        """What the far side says. Raises Gone or Barred."""
        try:
            return await question
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise Gone from error
        except asyncssh.SFTPPermissionDenied as error:
            raise Barred("permission denied") from error
        except (OSError, asyncssh.Error, ValueError) as error:
            raise Barred(f"{self.link.name}: {plain(error)}") from error


class View:
    """`Files` for the name `path`; `generation` counts the files that it has led to."""

    def __init__(self, disk: FarDisk, path: str) -> None:
        self._disk, self._path = disk, path
        self._generation = 0
        self._current: FarFile | None = None
        self._compared_at = 0.0
        self._inodes = Inodes(disk.link, path, disk.asking)

    async def look(self, path: str) -> Look:
        client = await self._disk.client()
        current = self._current
        if current is None or current.closed:
            return _look(self._generation, await self._disk.answer(client.stat(os.fsencode(path))))
        named = await self._disk.answer(client.stat(os.fsencode(path)))
        opened = await self._disk.answer(current.file.stat())
        if await self._is_another(current, named, opened):
            self._generation += 1
            return _look(self._generation, named)
        return _look(self._generation, opened)

    async def open(self, path: str) -> FarFile:
        client = await self._disk.client()
        file = await self._disk.answer(client.open(os.fsencode(path), "rb", encoding=None))
        attributes = await self._disk.answer(file.stat())
        if not stat.S_ISREG(attributes.permissions or 0):
            await self._disk.answer(file.close())
            raise Barred("not a regular file")
        if path != self._path:
            return FarFile(self._disk, file, object())
        self._current = FarFile(self._disk, file, self._generation, self._closed)
        self._inodes.opened()
        return self._current

    async def copies(self, path: str) -> Sequence[str]:
        """Files in the same folder whose name begins like that of `path`, newest first."""
        client = await self._disk.client()
        folder, name = posixpath.split(path)
        stem = posixpath.splitext(name)[0]
        found = []
        for entry in await self._disk.answer(client.readdir(os.fsencode(folder or "."))):
            there = os.fsdecode(entry.filename)
            is_file = stat.S_ISREG(entry.attrs.permissions or 0)
            if is_file and there != name and there.startswith(stem):
                found.append((entry.attrs.mtime or 0, posixpath.join(folder, there)))
        return [place for _, place in sorted(found, reverse=True)[:_CANDIDATES]]

    def _closed(self, file: FarFile) -> None:
        if file is self._current:
            self._inodes.forget()

    async def _is_another(
        self, current: FarFile, named: asyncssh.SFTPAttrs, opened: asyncssh.SFTPAttrs
    ) -> bool:
        """Whether the name (`named`, seen first) leads to another file than the open one."""
        if (named.size or 0) > (opened.size or 0):
            return await self._is_larger(current)
        if named.size == opened.size and self._inodes.differ(_state(named, opened)):
            return True
        if (named.size, named.mtime) == (opened.size, opened.mtime) or not opened.size:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._compared_at < CHECK:
            return False  # it grew between the two looks; nothing is lost by waiting
        self._compared_at = now
        place = max(0, opened.size - MARK)
        client = await self._disk.client()
        beside = FarFile(
            self._disk,
            await self._disk.answer(client.open(os.fsencode(self._path), "rb", encoding=None)),
            object(),
        )
        try:
            there = await beside.read(opened.size - place, place)
        finally:
            await beside.close()
        return there != await current.read(opened.size - place, place)

    async def _is_larger(self, current: FarFile) -> bool:
        """Whether the named file is larger than the open one still, looked at in this order: the
        same file could only have grown meanwhile, unless it was truncated between the first two
        looks."""
        client = await self._disk.client()
        named = await self._disk.answer(client.stat(os.fsencode(self._path)))
        opened = await self._disk.answer(current.file.stat())
        return (named.size or 0) > (opened.size or 0)


class FarFile:
    """A `Handle` on a far machine."""

    def __init__(
        self,
        disk: FarDisk,
        file: _File,
        id_: Hashable,
        on_close: Callable[[FarFile], None] = lambda _: None,
    ) -> None:
        self.file, self.closed = file, False
        self._disk, self._id, self._on_close = disk, id_, on_close

    async def look(self) -> Look:
        return _look(self._id, await self._disk.answer(self.file.stat()))

    async def read(self, size: int, offset: int) -> bytes:
        if not size:
            return b""
        read: bytes = await self._disk.answer(self.file.read(size, offset))  # opened for bytes
        return read

    async def close(self) -> None:
        self.closed = True
        self._on_close(self)
        with suppress(Gone, Barred):  # with its session, it is closed already
            await self._disk.answer(self.file.close())


def _state(*found: asyncssh.SFTPAttrs) -> Hashable:
    return tuple((one.size, one.mtime) for one in found)


def _look(id_: Hashable, found: asyncssh.SFTPAttrs) -> Look:
    return Look(id_, found.size or 0, float(found.mtime or 0))
