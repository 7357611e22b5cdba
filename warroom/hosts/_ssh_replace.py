"""Whole files of a far machine over SFTP: read, and replaced in one step.

OpenSSH's extensions do what SFTP 3 alone cannot: `posix-rename@openssh.com` replaces a file in one
step, `fsync@openssh.com` forces it to the disk (OpenSSH's PROTOCOL, section 4). There is none for a
folder: after a power failure on the far machine the old file may be there again, whole.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import asyncssh

from warroom.hosts._replace import (
    LEFT_S,
    beside,
    compare,
    is_left,
    missing,
    no_regular_file,
    shown,
    too_large,
)
from warroom.hosts._ssh_files import FarDisk
from warroom.hosts._ssh_words import plain
from warroom.hosts.base import OUTPUT_LIMIT, FileContent, FileMissing, HostError, HostLost
from warroom.hosts.base import HostUnreachable as Unreachable
from warroom.hosts.follow import Barred

_CUT: Final = (
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    asyncssh.ConnectionLost,
    OSError,  # of the connection's own socket: the far side's errors are all SFTP's
)

_ONE_BY_ONE: Final[dict[str, Any]] = {"encoding": None, "max_requests": 1}
"""Bytes, one request after the other: of several at once asyncssh tells the errors of a cut
connection to nobody but the log, which is the console's screen."""


class FarFiles:
    """Files of the host that messages call `name`."""

    def __init__(self, disk: FarDisk, name: str) -> None:
        self._disk, self._name = disk, name

    async def read(self, path: str, limit: int) -> FileContent:
        """See `Host.read_file`."""
        client = await self._client()
        with self._told(path):
            return await _content(client, path, limit)

    async def replace(self, path: str, data: bytes, expected: bytes | None, mode: int) -> None:
        """See `Host.replace_file`."""
        client = await self._client()
        folder, name = posixpath.split(path)
        if not name:
            raise HostError(f"{shown(path)} names no file")
        new = posixpath.join(folder, beside(name))
        with self._told(path):
            old = await _held(client, path, expected)
            try:
                await _write(client, new, data, old, mode)
                await _held(client, path, expected)
                await self._rename(client, new, path)
            except BaseException:
                with suppress(OSError, asyncssh.Error):
                    await client.remove(os.fsencode(new))
                raise
            await _tidy(client, folder, name)

    async def _rename(self, client: asyncssh.SFTPClient, new: str, path: str) -> None:
        try:
            await client.posix_rename(os.fsencode(new), os.fsencode(path))
        except _CUT as error:
            raise HostLost(
                f"{self._name}: the connection was cut while {shown(path)} was replaced"
            ) from error

    async def _client(self) -> asyncssh.SFTPClient:
        try:
            return await self._disk.client()
        except Barred as error:
            raise Unreachable(str(error)) from error

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        """Errors in plain words."""
        where = f"{self._name}: {shown(path)}"
        try:
            yield
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise missing(path) from error
        except asyncssh.SFTPPermissionDenied as error:
            raise HostError(f"{where}: permission denied") from error
        except _CUT as error:
            raise Unreachable(f"{self._name}: the connection was cut") from error
        except asyncssh.SFTPFailure as error:  # all that SFTP 3 says of a full disk, among others
            raise HostError(
                f"{where}: the far machine could not write or read it; is its disk full?"
            ) from error
        except (asyncssh.Error, ValueError) as error:
            raise HostError(f"{where}: {plain(error)}") from error


async def _held(
    client: asyncssh.SFTPClient, path: str, expected: bytes | None
) -> FileContent | None:
    """What is in the file's place now. Raises FileChanged unless that is `expected`."""
    try:
        now = await _content(client, path, len(expected or b"") + OUTPUT_LIMIT)
    except (asyncssh.SFTPNoSuchFile, FileMissing):
        now = None
    compare(path, now.data if now else None, expected)
    return now


async def _content(client: asyncssh.SFTPClient, path: str, limit: int) -> FileContent:
    found = await client.lstat(os.fsencode(path))
    kind = found.permissions or 0
    if not stat.S_ISREG(kind):
        raise no_regular_file(path, is_link=stat.S_ISLNK(kind))
    async with client.open(os.fsencode(path), "rb", **_ONE_BY_ONE) as file:
        data: bytes = await file.read(limit + 1)  # opened for bytes
    if len(data) > limit:
        raise too_large(path, limit)
    mode = stat.S_IMODE(kind)
    return FileContent(data, found.uid or 0, found.gid or 0, mode, float(found.mtime or 0))


async def _write(
    client: asyncssh.SFTPClient, path: str, data: bytes, old: FileContent | None, mode: int
) -> None:
    private = asyncssh.SFTPAttrs(permissions=0o600)
    async with client.open(os.fsencode(path), "xb", private, **_ONE_BY_ONE) as file:
        await file.write(data)
        found = await file.stat()
        if old is not None and (old.uid, old.gid) != (found.uid, found.gid):
            await file.setstat(asyncssh.SFTPAttrs(uid=old.uid, gid=old.gid))
        await file.setstat(asyncssh.SFTPAttrs(permissions=old.mode if old else mode))
        await file.fsync()


async def _tidy(client: asyncssh.SFTPClient, folder: str, name: str) -> None:
    """Take away what killed consoles left beside the file; the file itself is done already."""
    with suppress(OSError, asyncssh.Error):
        entries = await client.readdir(os.fsencode(folder or "."))
        now = next(e.attrs.mtime or 0 for e in entries if os.fsdecode(e.filename) == name)
        for entry in entries:
            there = os.fsdecode(entry.filename)
            if is_left(there, name) and now - (entry.attrs.mtime or 0) > LEFT_S:
                await client.remove(os.fsencode(posixpath.join(folder, there)))
