"""A file is replaced in one step, on this machine and over SSH: the old or the new one, whole."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.services.far_host import cut_connections
from tests.support.sshd import SshServer
from warroom.hosts._replace import LEFT_S, beside
from warroom.hosts.base import (
    FileChanged,
    FileMissing,
    Host,
    HostError,
    HostUnreachable,
)
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost

KILLS = int(os.environ.get("WARROOM_KILLS", "25"))
"""How often the writer is killed; `WARROOM_KILLS=100` for a thorough run."""


@pytest.fixture(params=["here", pytest.param("ssh", marks=pytest.mark.service("ssh"))])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Host]:
    """This machine, then another."""
    if request.param == "here":
        host: Host = LocalHost()
    else:
        server: SshServer = request.getfixturevalue("ssh_server")
        host = SshHost("web1", "box", str(server.config))
    yield host
    await host.close()


async def test_a_file_is_read_with_its_owner_mode_and_time(place: Host, tmp_path: Path) -> None:
    file = tmp_path / "odd name \n\x1b[31m"
    file.write_bytes(bytes(range(256)))
    file.chmod(0o640)
    found = await place.read_file(str(file))
    assert (found.data, found.mode) == (bytes(range(256)), 0o640)
    assert (found.uid, found.gid) == (os.getuid(), os.getgid())
    assert abs(found.written_at - file.stat().st_mtime) < 1


async def test_a_file_is_replaced_and_keeps_its_mode(place: Host, tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_bytes(b"old")
    file.chmod(0o604)
    before = file.stat().st_ino
    await place.replace_file(str(file), b"new" * 100_000, expected=b"old")
    assert file.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert file.stat().st_ino != before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.conf"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
async def test_a_file_keeps_its_owner(place: Host, tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_bytes(b"old")
    os.chown(file, 65534, 65533)
    await place.replace_file(str(file), b"new", expected=b"old")
    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65533)


async def test_a_new_file_has_the_mode_that_is_asked_for(place: Host, tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    await place.replace_file(str(file), b"new", expected=None, mode=0o640)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)


async def test_what_somebody_else_wrote_is_never_replaced(place: Host, tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    with pytest.raises(FileChanged, match="is gone"):
        await place.replace_file(str(file), b"new", expected=b"old")
    file.write_bytes(b"theirs")
    with pytest.raises(FileChanged, match="changed by somebody else"):
        await place.replace_file(str(file), b"new", expected=b"old")
    with pytest.raises(FileChanged, match="is there now"):
        await place.replace_file(str(file), b"new", expected=None)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.conf"]
    assert file.read_bytes() == b"theirs"


async def test_links_folders_and_pipes_are_no_files(place: Host, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, word in {
        "link": "symbolic link",
        "dangling": "symbolic link",
        "folder": "no regular file",
        "pipe": "no regular file",
    }.items():
        with pytest.raises(HostError, match=word):
            await place.read_file(str(tmp_path / name))
        with pytest.raises(HostError, match=word):
            await place.replace_file(str(tmp_path / name), b"new", expected=b"old")
    assert (tmp_path / "real").read_bytes() == b"old"


async def test_a_missing_file_or_folder_is_said_so(place: Host, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="no such file"):
        await place.read_file(str(tmp_path / "a.conf"))
    with pytest.raises(FileMissing):
        await place.replace_file(str(tmp_path / "no" / "a.conf"), b"new", expected=None)


async def test_a_file_over_the_limit_is_refused(place: Host, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(b"x" * 11)
    with pytest.raises(HostError, match="larger than 10 bytes"):
        await place.read_file(str(tmp_path / "a.conf"), limit=10)
    assert (await place.read_file(str(tmp_path / "a.conf"), limit=11)).data == b"x" * 11


async def test_what_a_killed_console_left_is_taken_away_later(place: Host, tmp_path: Path) -> None:
    left, fresh, other = (tmp_path / beside(n) for n in ("a.conf", "a.conf", "b.conf"))
    for file in (left, fresh, other):
        file.write_bytes(b"half")
    long_ago = time.time() - LEFT_S - 60
    for file in (left, other):
        os.utime(file, (long_ago, long_ago))
    await place.replace_file(str(tmp_path / "a.conf"), b"new", expected=None)
    assert sorted(tmp_path.iterdir()) == sorted([fresh, other, tmp_path / "a.conf"])


async def test_of_many_who_replace_at_once_each_replaces_what_it_saw(tmp_path: Path) -> None:
    """Every success adds one line to what was there: none is lost."""
    file, host = tmp_path / "a.conf", LocalHost()
    file.write_bytes(b"")

    async def add() -> int:
        done = 0
        for _ in range(20):
            seen = (await host.read_file(str(file))).data
            with suppress(FileChanged):
                await host.replace_file(str(file), seen + b"x\n", expected=seen)
                done += 1
        return done

    added = sum(await asyncio.gather(*(add() for _ in range(8))))
    assert file.read_bytes() == b"x\n" * added
    assert added >= 20


@pytest.mark.service("ssh")
async def test_a_cut_connection_leaves_the_file_whole(
    ssh_server: SshServer, tmp_path: Path
) -> None:
    old, new = b"old\n" * 500_000, b"new\n" * 500_000
    file = tmp_path / "a.conf"
    for _ in range(5):
        file.write_bytes(old)
        host = SshHost("web1", "box", str(ssh_server.config))
        await host.read_file(str(file), limit=len(old))
        writing = asyncio.create_task(host.replace_file(str(file), new, expected=old))
        await asyncio.sleep(random.uniform(0.0, 0.15))
        await cut_connections(ssh_server)
        with suppress(HostUnreachable):
            await writing
        assert file.read_bytes() in (old, new)
        await host.close()


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    """The largest size that a process may write (setrlimit(2)) stands in for the disk's end."""
    file = tmp_path / "a.conf"
    file.write_bytes(b"old")
    run = subprocess.run(
        [sys.executable, "-c", _TOO_LARGE, str(file)], capture_output=True, text=True, check=True
    )
    assert "a.conf: file too large" in run.stdout
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


_TOO_LARGE = """
import asyncio, resource, sys
from warroom.hosts.base import HostError
from warroom.hosts.local import LocalHost
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    asyncio.run(LocalHost().replace_file(sys.argv[1], b"x" * 10000, expected=b"old"))
except HostError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """As another account: root may write everywhere."""
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "a.conf").write_bytes(b"old")
    argv = [sys.executable, "-c", _AS_OTHER, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "permission denied" in done.stdout
    assert (folder / "a.conf").read_bytes() == b"old"


_AS_OTHER = """
import asyncio, os, sys
from warroom.hosts.base import HostError
from warroom.hosts.local import LocalHost
os.chdir(sys.argv[1])
os.chmod(".", 0o555)
asyncio.run(LocalHost().read_file("a.conf"))  # what is imported late is imported now
if os.getuid() == 0:
    os.setuid(65534)
try:
    asyncio.run(LocalHost().replace_file("a.conf", b"new", expected=b"old"))
except HostError as error:
    print(error)
"""

_WRITER = """
import asyncio, sys
from warroom.hosts.local import LocalHost
path, size = sys.argv[1], int(sys.argv[2])
async def forever():
    host, contents = LocalHost(), [b"old\\n" * size, b"new\\n" * size]
    now = open(path, "rb").read()
    at = contents.index(now)
    print("writing", flush=True)
    while True:
        at = 1 - at
        await host.replace_file(path, contents[at], expected=contents[1 - at])
asyncio.run(forever())
"""


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    size = 200_000
    file = tmp_path / "a.conf"
    file.write_bytes(b"old\n" * size)
    seen = set()
    for _ in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(file), str(size)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(random.uniform(0.0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content = file.read_bytes()
        assert content in (b"old\n" * size, b"new\n" * size)
        seen.add(content[:3])
    assert seen == {b"old", b"new"}, "every kill came at the same place"
