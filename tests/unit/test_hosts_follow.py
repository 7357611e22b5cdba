"""A followed file loses no line and gives none twice, whatever rotates it.

The decisions are tried on a model of a disk with every order of events that hypothesis thinks of;
test_hosts_follow_disk.py has the real disk with a real writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.hosts import follow
from warroom.hosts.follow import Barred, Follower, Gone, Look, last_lines


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


@settings(max_examples=150, deadline=None)
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
