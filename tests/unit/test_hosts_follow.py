"""A followed file loses no line and gives none twice, whatever rotates it.

The decisions are tried on a model of a disk with every order of events that hypothesis thinks of,
and then on the real disk with a real writer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.hosts import follow
from warroom.hosts.follow import Barred, Follower, Gone, Look, last_lines
from warroom.hosts.local import LocalHost


class ModelFile:
    """An inode: bytes, and a stamp that moves with every write."""

    def __init__(self, id_: int) -> None:
        self.id, self.data, self.stamp, self.handles = id_, bytearray(), 0.0, 0

    def write(self, data: bytes) -> None:
        self.data += data
        self.stamp += 1

    def truncate(self) -> None:
        self.data.clear()
        self.stamp += 1


class ModelHandle:
    def __init__(self, file: ModelFile) -> None:
        self.file = file
        file.handles += 1

    async def look(self) -> Look:
        return Look(self.file.id, len(self.file.data), self.file.stamp)

    async def read(self, size: int, offset: int) -> bytes:
        return bytes(self.file.data[offset : offset + size])

    async def close(self) -> None:
        self.file.handles -= 1


class ModelDisk:
    """Names that lead to inodes, and a clock; what happens to `log` is up to the test."""

    def __init__(self) -> None:
        self.now, self.made, self.barred = 0.0, 0, False
        self.names: dict[str, ModelFile] = {}
        self.written: list[bytes] = []

    def create(self, name: str = "log") -> ModelFile:
        self.made += 1
        self.names[name] = ModelFile(self.made)
        return self.names[name]

    def line(self) -> bytes:
        self.written.append(b"line %d of the model" % len(self.written))
        return self.written[-1] + b"\n"

    def find(self, path: str) -> ModelFile:
        if self.barred and path == "log":
            raise Barred("permission denied")
        if path not in self.names:
            raise Gone
        return self.names[path]

    async def look(self, path: str) -> Look:
        file = self.find(path)
        return Look(file.id, len(file.data), file.stamp)

    async def open(self, path: str) -> ModelHandle:
        return ModelHandle(self.find(path))

    async def copies(self, path: str) -> Sequence[str]:
        return sorted((name for name in self.names if name != path), reverse=True)


async def drain(follower: Follower) -> bytes:
    """Everything that a follower has to give now."""
    got = await follower.poll()
    while follower.behind:
        got += await follower.poll()
    return got


EVENTS = ("write", "half", "late", "rename", "copytruncate", "recreate", "gone", "bar", "tick")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), max_size=40), st.integers(1, 40))
def test_every_line_comes_once_and_in_order_whatever_happens(events: list[str], chunk: int) -> None:
    async def story() -> None:
        disk = ModelDisk()
        disk.create()
        follower = Follower("log", 0, disk, clock=lambda: disk.now)
        got = await drain(follower)
        for event in events:
            got += await happens(event, disk, follower)
            got += await drain(follower)
        disk.barred = False
        got += await drain(follower)
        disk.now += follow.PATIENCE
        got += await drain(follower)
        assert got.split(b"\n")[:-1] == disk.written

    real = follow.CHUNK
    follow.CHUNK = 64 * chunk  # small enough that lines and chunks end in different places
    try:
        asyncio.run(story())
    finally:
        follow.CHUNK = real


async def happens(event: str, disk: ModelDisk, follower: Follower) -> bytes:
    """One event, as a logging program and logrotate make it; what was read meanwhile."""
    got = b""
    if "log" not in disk.names:  # whatever was never seen under its name cannot be followed
        disk.create()
        got = await drain(follower)
    if disk.barred and event not in ("write", "half", "tick"):
        event = "bar"
    log = disk.names["log"]
    match event:
        case "write":
            log.write(b"".join(disk.line() for _ in range(7)))
        case "half":
            line = disk.line()
            log.write(line[:5])
            got += await drain(follower)
            log.write(line[5:])
        case "late":  # the writer reopens some time after the rename
            disk.names[f"log.{disk.made}"] = log
            disk.create()
            got += await drain(follower)
            log.write(disk.line())
            disk.now += follow.LINGER / 2
        case "rename":
            disk.names[f"log.{disk.made}"] = log
            disk.create().write(disk.line())
        case "copytruncate" if log.data:  # a file of which nothing was seen has no mark
            got += await drain(follower)
            log.write(disk.line())  # not read yet when the copy is made
            disk.create(f"log.{disk.made:03}").write(bytes(log.data))
            log.truncate()
            log.write(disk.line())
        case "recreate":
            disk.create()
        case "gone":
            del disk.names["log"]
        case "bar":
            disk.barred = not disk.barred
        case "tick":
            disk.now += follow.LINGER
    return got


async def test_every_file_that_went_is_closed_when_its_time_is_over() -> None:
    disk = ModelDisk()
    files = [disk.create()]
    follower = Follower("log", 0, disk, clock=lambda: disk.now)
    for _ in range(30):
        await drain(follower)
        files.append(disk.create())
    await drain(follower)
    disk.now += follow.LINGER
    await drain(follower)
    assert [file.handles for file in files] == [0] * 30 + [1]
    await follower.close()
    assert [file.handles for file in files] == [0] * 31


async def test_a_deleted_file_is_let_go_of_so_that_its_space_comes_free() -> None:
    disk = ModelDisk()
    log = disk.create()
    log.write(b"x\n")
    follower = Follower("log", 10, disk, clock=lambda: disk.now)
    assert await drain(follower) == b"x\n"
    del disk.names["log"]
    await drain(follower)
    disk.now += follow.LINGER
    await drain(follower)
    assert log.handles == 0


async def test_a_line_that_stays_unfinished_is_shown_and_never_glued_to_another_files_line() -> (
    None
):
    disk = ModelDisk()
    disk.create().write(b"first\nunfini")
    follower = Follower("log", 10, disk, clock=lambda: disk.now)
    assert await drain(follower) == b"first\n"
    disk.now += follow.PATIENCE
    assert await drain(follower) == b"unfini"
    disk.create().write(b"of the new file\n")
    assert await drain(follower) == b"\nof the new file\n"


async def test_a_file_written_anew_under_the_same_inode_is_read_from_its_beginning() -> None:
    disk = ModelDisk()
    log = disk.create()
    log.write(b"old 1\nold 2\n")
    follower = Follower("log", 10, disk, clock=lambda: disk.now)
    await drain(follower)
    log.truncate()
    log.write(b"new one\nnew two\nnew three, longer than what was there before\n")
    assert (await drain(follower)).startswith(b"new one\n")


async def test_a_name_that_swings_back_goes_on_where_it_was_left() -> None:
    disk = ModelDisk()
    blue = disk.create()
    blue.write(b"blue 1\n")
    follower = Follower("log", 10, disk, clock=lambda: disk.now)
    assert await drain(follower) == b"blue 1\n"
    green = disk.create()
    green.write(b"green 1\n")
    assert await drain(follower) == b"green 1\n"
    disk.now += follow.LINGER
    await drain(follower)
    blue.write(b"blue 2\n")
    disk.names["log"] = blue
    assert await drain(follower) == b"blue 2\n"


async def test_trouble_is_told_in_words_and_ends_with_it() -> None:
    disk = ModelDisk()
    follower = Follower("log", 10, disk, clock=lambda: disk.now)
    await follower.poll()
    assert follower.trouble == "log: not there yet"
    disk.create().write(b"a\n")
    disk.barred = True
    await follower.poll()
    assert follower.trouble == "log: permission denied"
    disk.barred = False
    assert (await drain(follower), follower.trouble) == (b"a\n", "")


@given(
    st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=60),
    st.booleans(),
    st.integers(0, 70),
)
def test_the_last_lines_are_those_that_tail_gives(
    lines: list[bytes], ended: bool, last: int
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    file = ModelFile(1)
    file.write(data)
    place = asyncio.run(last_lines(ModelHandle(file), len(data), last))
    pieces = [piece + b"\n" for piece in data.split(b"\n")]
    pieces[-1] = pieces[-1][:-1]
    wanted = [piece for piece in pieces if piece]
    assert data[place:] == b"".join(wanted[len(wanted) - last :] if last < len(wanted) else wanted)


async def test_the_last_lines_of_a_huge_file_are_found_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: reading it from the front would take seconds
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % i for i in range(1000)))
    began = time.perf_counter()
    async with LocalHost().follow(str(log), last=3) as chunks:
        assert await anext(chunks) == b"line 997\nline 998\nline 999\n"
    assert time.perf_counter() - began < 0.5


# --- on the real disk -----------------------------------------------------------------------------


class Writer:
    """A program that writes numbered lines to a log as fast as it is let."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.lock = threading.Lock()
        self._file = path.open("ab", buffering=0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._over.wait(0.002):
            with self.lock:
                lines = range(self.count, self.count + 20)
                self._file.write(b"".join(b"%08d GET /%s\n" % (n, b"x" * (n % 50)) for n in lines))
                self.count += 20

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
    time.sleep(0.05)
    writer.reopen()


def rename_and_create_later(writer: Writer, number: int) -> None:
    """logrotate's `nocreate`: for a while there is no file of that name."""
    writer.path.rename(f"{writer.path}.{number}")
    time.sleep(0.15)
    writer.reopen()


def remove_and_recreate(writer: Writer, number: int) -> None:
    writer.path.unlink()
    writer.reopen()


def copytruncate(writer: Writer, number: int) -> None:
    """What a program writes between copy and truncation is lost by logrotate: it must not."""
    with writer.lock:
        shutil.copy(writer.path, f"{writer.path}.{number}")
        os.truncate(writer.path, 0)


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
    remove_and_recreate,
    copytruncate,
    swap_symlink,
)


async def collect(chunks: AsyncIterator[bytes], until: Callable[[bytes], bool]) -> bytes:
    got = bytearray()
    async with asyncio.timeout(30):
        async for chunk in chunks:
            got += chunk
            if until(got[-20000:]):
                break
    return bytes(got)


@pytest.mark.parametrize("rotate", STYLES, ids=lambda style: style.__name__)
async def test_no_line_is_lost_or_doubled_in_twenty_rotations(
    tmp_path: Path, rotate: Callable[[Writer, int], None]
) -> None:
    writer = Writer(tmp_path / "log")

    def work() -> None:
        with writer.writing():
            for number in range(20):
                time.sleep(0.25)  # two polls: a rotation within one is what nobody can promise
                rotate(writer, number)

    async with LocalHost().follow(str(writer.path), last=0) as chunks:
        assert await anext(chunks) == b""
        working = asyncio.create_task(asyncio.to_thread(work))
        got = await collect(
            chunks, lambda end: working.done() and b"%08d " % (writer.count - 1) in end
        )
        await working
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
    async with asyncio.timeout(2), LocalHost().follow(str(path)) as chunks:
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
