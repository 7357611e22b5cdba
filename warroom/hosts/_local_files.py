"""Whole files of this machine: read, and replaced in one step."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

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
from warroom.hosts.base import OUTPUT_LIMIT, FileContent, HostError

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOCK_TRIES: Final = 400
_LOCK_PAUSE_S: Final = 0.005

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` returns. Who is cancelled waits until it is over: a file is never replaced
    after the caller was told that it would not be."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def read(path: str, limit: int) -> FileContent:
    """See `Host.read_file`."""
    with _told(path), _folder(path) as (folder, name):
        return _content(path, folder, name, limit)


def replace(path: str, data: bytes, expected: bytes | None, mode: int) -> None:
    """See `Host.replace_file`. The folder is forced to the disk, too."""
    with _told(path), _folder(path) as (folder, name):
        old = _held(path, folder, name, expected)
        new = beside(name)
        try:
            _write(folder, new, data, old, mode)
            with _alone(path, folder):
                _held(path, folder, name, expected)
                os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)
            raise
        os.fsync(folder)
        _tidy(folder, name)


@contextmanager
def _alone(path: str, folder: int) -> Iterator[None]:
    """While no other console of this machine is between its look and its renaming. The kernel
    gives the lock back when its holder ends, however that ends (flock(2))."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
    else:
        raise HostError(f"{shown(path)}: its folder is locked by another program")
    try:
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)


def _held(path: str, folder: int, name: str, expected: bytes | None) -> FileContent | None:
    """What is in the file's place now. Raises FileChanged unless that is `expected`."""
    try:
        now = _content(path, folder, name, len(expected or b"") + OUTPUT_LIMIT)
    except FileNotFoundError:
        now = None
    compare(path, now.data if now else None, expected)
    return now


def _content(path: str, folder: int, name: str, limit: int) -> FileContent:
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:  # what O_NOFOLLOW says of a link, open(2)
            raise no_regular_file(path, is_link=True) from error
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise no_regular_file(path, is_link=False)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise too_large(path, limit)
    mode = stat.S_IMODE(found.st_mode)
    return FileContent(data, found.st_uid, found.st_gid, mode, found.st_mtime_ns / 1e9)


def _write(folder: int, name: str, data: bytes, old: FileContent | None, mode: int) -> None:
    descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if old is not None and (old.uid, old.gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, old.uid, old.gid)
        os.fchmod(descriptor, old.mode if old else mode)
        os.fsync(descriptor)


def _tidy(folder: int, name: str) -> None:
    """Take away what killed consoles left beside the file; the file itself is done already."""
    with suppress(OSError), os.scandir(folder) as entries:
        now = os.stat(name, dir_fd=folder).st_mtime
        for entry in entries:
            if is_left(entry.name, name):
                age = now - os.stat(entry.name, dir_fd=folder, follow_symlinks=False).st_mtime
                if age > LEFT_S:
                    os.unlink(entry.name, dir_fd=folder)


@contextmanager
def _folder(path: str) -> Iterator[tuple[int, str]]:
    """The folder of `path`, held open, and the file's name in it."""
    place, name = os.path.split(path)
    if not name:
        raise HostError(f"{shown(path)} names no file")
    descriptor = os.open(place or ".", _FOLDER)
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Errors in plain words."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except ValueError as error:  # a NUL in the path
        raise HostError(f"{shown(path)}: {error}") from error
    except OSError as error:
        raise HostError(f"{shown(path)}: {(error.strerror or str(error)).lower()}") from error
