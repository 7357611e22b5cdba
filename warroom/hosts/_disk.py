"""This machine's files, as a follower reads them.

A look is one `stat`, a read one `pread`, nearly always served from the page cache within
microseconds; a thread would cost ten times that. So they are done in place, until one takes longer
than `SLOW`: from then on (a busy disk, a network file system) every access goes through a thread
and the event loop waits for none of them. Opening goes through a thread from the start: it may
read megabytes backwards, or wait for a network.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Final, TypeVar

from warroom.hosts.follow import Barred, Gone, Look

SLOW: Final = 0.02
"""Seconds of one access above which accesses move to a thread."""
_CANDIDATES = 16  # copies that are tried after a truncation
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe must not block us

T = TypeVar("T")


class Disk:
    """`Files` on this machine."""

    def __init__(self) -> None:
        self._slow = False

    async def look(self, path: str) -> Look:
        return _look(await self.access(os.stat, path))

    async def open(self, path: str) -> OpenFile:
        return OpenFile(self, await self.access(_open, path, thread=True))

    async def copies(self, path: str) -> Sequence[str]:
        return await self.access(_copies, path, thread=True)

    async def access(self, function: Callable[..., T], *args: Any, thread: bool = False) -> T:
        """`function(*args)`, here or in a thread. Raises Gone or Barred for an OSError."""
        try:
            if thread or self._slow:
                return await asyncio.to_thread(function, *args)
            began = time.perf_counter()
            try:
                return function(*args)
            finally:
                self._slow = time.perf_counter() - began > SLOW
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Gone from error
        except PermissionError as error:
            raise Barred("permission denied") from error
        except OSError as error:
            raise Barred(error.strerror or str(error)) from error
        except ValueError as error:  # a NUL in the path
            raise Barred(str(error)) from error


class OpenFile:
    """A `Handle` on this machine."""

    def __init__(self, disk: Disk, file: FileIO) -> None:
        self._disk, self._file = disk, file

    async def look(self) -> Look:
        return _look(await self._disk.access(os.fstat, self._file.fileno()))

    async def read(self, size: int, offset: int) -> bytes:
        return await self._disk.access(os.pread, self._file.fileno(), size, offset)

    async def close(self) -> None:
        self._file.close()


def _look(found: os.stat_result) -> Look:
    return Look((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns / 1e9)


def _open(path: str) -> FileIO:
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return FileIO(descriptor)  # an object, so that nothing leaks when nobody waits for it
    os.close(descriptor)
    raise Barred("a folder, not a file" if stat.S_ISDIR(mode) else "not a regular file")


def _copies(path: str) -> list[str]:
    """Files in the same folder whose name begins like that of `path`, newest first."""
    target = Path(path)
    found = []
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name != target.name and entry.name.startswith(target.stem):
                seen = entry.stat(follow_symlinks=False)  # nobody may point us elsewhere
                if stat.S_ISREG(seen.st_mode):
                    found.append((seen.st_mtime_ns, entry.path))
    return [name for _, name in sorted(found, reverse=True)[:_CANDIDATES]]
