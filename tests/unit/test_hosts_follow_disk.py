"""A followed file on the real disk, with a real writer that rotates it in every usual way."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.effort import at_most
from warroom.hosts._disk import Disk
from warroom.hosts.follow import Follower
from warroom.hosts.following import FollowedFile
from warroom.hosts.local import LocalHost


async def test_the_last_lines_of_a_huge_file_are_found_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: reading it from the front would take seconds
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % i for i in range(1000)))
    with at_most(0.5):
        async with LocalHost().follow(str(log), last=3) as chunks:
            assert await anext(chunks) == b"line 997\nline 998\nline 999\n"


class Writer:
    """A program that writes numbered lines to a log as fast as it is let."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.lock = threading.Lock()
        self.left: list[int] = []
        """How often it may write until the next look, and until those after it; then at will."""
        self._file = path.open("ab", buffering=0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._over.wait(0.002):
            with self.lock:
                if self.left:
                    if not self.left[0]:
                        continue
                    self.left[0] -= 1
                lines = range(self.count, self.count + 20)
                self._file.write(b"".join(b"%08d GET /%s\n" % (n, b"x" * (n % 50)) for n in lines))
                self.count += 20

    def looked(self) -> None:
        """Somebody has read what it wrote."""
        with self.lock:
            self.left = self.left[1:]

    def reopen(self) -> None:
        with self.lock:
            self._file.close()
            self._file = self.path.open("ab", buffering=0)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
            self._file.close()


def rename_then_reopen(writer: Writer, number: int) -> None:
    """logrotate's `create`: the program goes on in the old file until it is told."""
    writer.path.rename(f"{writer.path}.{number}")
    writer.path.touch()
    time.sleep(INTERVAL / 2)
    writer.reopen()


def rename_and_create_later(writer: Writer, number: int) -> None:
    """logrotate's `nocreate`: for a while there is no file of that name."""
    writer.path.rename(f"{writer.path}.{number}")
    time.sleep(1.5 * INTERVAL)
    writer.reopen()


def gzip_then_recreate(writer: Writer, number: int) -> None:
    """logrotate's `compress` without delay: the file that went is packed and removed at once."""
    old = writer.path.rename(f"{writer.path}.{number}")
    writer.path.touch()
    writer.reopen()
    with gzip.open(f"{old}.gz", "wb") as packed:
        packed.write(old.read_bytes())
    old.unlink()


def remove_and_recreate(writer: Writer, number: int) -> None:
    writer.path.unlink()
    writer.reopen()


def copytruncate(writer: Writer, number: int) -> None:
    """What a program writes between copy and truncation is lost by logrotate: it must not. Nor may
    it write as much as was there before anybody has looked: nobody could tell."""
    with writer.lock:
        shutil.copy(writer.path, f"{writer.path}.{number}")
        os.truncate(writer.path, 0)
        writer.left = [1, 1]  # a look may be under way


def swap_symlink(writer: Writer, number: int) -> None:
    """A log per day, and a link to today's."""
    with writer.lock:
        fresh = writer.path.with_name(f"day-{number}")
        fresh.touch()
        link = writer.path.with_name("link")
        link.symlink_to(fresh)
        link.rename(writer.path)
    writer.reopen()


STYLES: tuple[Callable[[Writer, int], None], ...] = (
    rename_then_reopen,
    rename_and_create_later,
    gzip_then_recreate,
    remove_and_recreate,
    copytruncate,
    swap_symlink,
)


async def collect(
    chunks: AsyncIterator[bytes],
    until: Callable[[bytes], bool],
    taken: Callable[[bytes], object] = lambda _: None,
) -> bytes:
    """All of it up to what is waited for; `taken` is called after every chunk."""
    got = bytearray()
    async with asyncio.timeout(60):
        async for chunk in chunks:
            got += chunk
            taken(chunk)
            if until(got[-20000:]):
                break
    return bytes(got)


ROTATIONS = 100
INTERVAL = 0.005
"""Seconds between two looks: twenty times as often as a console looks, so that as many rotations
take a twentieth of the time."""


@pytest.mark.parametrize("rotate", STYLES, ids=lambda style: style.__name__)
async def test_no_line_is_lost_or_doubled_in_a_hundred_rotations(
    tmp_path: Path, rotate: Callable[[Writer, int], None]
) -> None:
    writer = Writer(tmp_path / "log")
    looks = threading.Semaphore(0)

    def looked(chunk: bytes) -> None:
        writer.looked()
        if chunk:
            looks.release()

    def work() -> None:
        with writer.writing():
            for number in range(ROTATIONS):
                for _ in range(4):  # a rotation of what nobody has seen is what nobody can promise
                    assert looks.acquire(timeout=30)
                rotate(writer, number)
                while looks.acquire(blocking=False):
                    pass

    chunks = FollowedFile(Follower(str(writer.path), 0, Disk()), INTERVAL)
    try:
        assert await anext(chunks) == b""
        working = asyncio.create_task(asyncio.to_thread(work))
        got = await collect(
            chunks,
            lambda end: working.done() and b"%08d " % (writer.count - 1) in end,
            looked,
        )
        await working
    finally:
        await chunks.close()
    numbers = [int(line.split(b" ", 1)[0]) for line in got.splitlines()]
    assert (len(numbers), sorted(numbers)) == (writer.count, list(range(writer.count)))


async def test_a_file_that_appears_late_is_read_from_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "later" / "log"
    async with LocalHost().follow(str(log), last=1) as chunks:
        assert (await anext(chunks), chunks.trouble) == (b"", f"{log}: not there yet")
        log.parent.mkdir()
        log.write_bytes(b"one\ntwo\nthree\n")
        assert await collect(chunks, lambda end: b"three" in end) == b"one\ntwo\nthree\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being root")
async def test_permission_that_is_lost_is_told_and_nothing_is_missed_when_it_is_back(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n")
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(65534)
    try:
        async with LocalHost().follow(str(log)) as chunks:
            assert await anext(chunks) == b"one\n"
            os.seteuid(0)
            log.rename(tmp_path / "log.1")
            log.write_bytes(b"two\n")
            log.chmod(0o600)
            os.seteuid(65534)
            assert (await anext(chunks), chunks.trouble) == (b"", f"{log}: permission denied")
            os.seteuid(0)
            log.chmod(0o644)
            os.seteuid(65534)
            assert await collect(chunks, lambda end: b"two" in end) == b"two\n"
            assert chunks.trouble == ""
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
async def test_what_is_no_file_is_told_and_never_blocks(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    async with asyncio.timeout(30), LocalHost().follow(str(path)) as chunks:
        assert await anext(chunks) == b""
    words = {"folder": "a folder, not a file", "pipe": "not a regular file"}
    assert chunks.trouble == f"{path}: {words[kind]}"


async def test_bytes_of_every_value_and_a_line_of_ten_megabytes_come_through(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    data = bytes(range(256)).replace(b"\n", b"") + b"\n" + b"y" * 10_000_000 + b"\nend\n"
    log.write_bytes(data)
    async with LocalHost().follow(str(log)) as chunks:
        assert await collect(chunks, lambda end: end.endswith(b"end\n")) == data


async def test_closing_the_host_ends_the_iteration_and_closes_the_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n")
    host = LocalHost()
    async with host.follow(str(log)) as chunks:
        await anext(chunks)
        await host.close()
        assert [chunk async for chunk in chunks] == []
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert str(log) not in links
