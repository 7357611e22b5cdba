"""Files of another machine are followed through rotation and cut connections."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.far_host import Configured, cut_connections
from tests.support import sshd
from tests.support.sshd import SshServer
from warroom.drill.stack.program import free_port
from warroom.hosts import _ssh_inodes
from warroom.hosts._ssh_link import SESSIONS
from warroom.hosts.ssh import SshHost

pytestmark = pytest.mark.service("ssh")


class Log:
    """A log of numbered lines on the far machine, written and rotated step by step."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.turn = path, 0, 0

    def write(self, lines: int) -> None:
        with self.path.open("ab") as file:
            for _ in range(lines):
                file.write(b"%08d GET /%s\n" % (self.count, b"x" * (self.count % 70)))
                self.count += 1

    def rename(self) -> None:
        self.path.rename(self._older())
        self.path.touch()

    def remove(self) -> None:
        self.path.unlink()
        self.path.touch()

    def copytruncate(self) -> None:
        self._older().write_bytes(self.path.read_bytes())
        os.truncate(self.path, 0)

    def swap(self) -> None:
        self._older().touch()
        link = self.path.with_name("link")
        link.symlink_to(self.path.with_name(f"log.{self.turn}"))
        link.rename(self.path)

    def _older(self) -> Path:
        self.turn += 1
        return self.path.with_name(f"log.{self.turn}")


async def until_line(chunks: AsyncIterator[bytes], number: int) -> bytes:
    got = b""
    async with asyncio.timeout(60):
        async for chunk in chunks:
            got += chunk
            if b"%08d " % number in got[-10000:]:
                return got
    raise AssertionError("the file ended")


async def until_lines(chunks: AsyncIterator[bytes], count: int) -> bytes:
    got = b""
    async for chunk in chunks:
        got += chunk
        if got.count(b"\n") >= count:
            return got
    raise AssertionError("the file ended")


@pytest.mark.parametrize("style", ["rename", "remove", "copytruncate", "swap"])
async def test_a_far_file_is_followed_through_rotation_without_losing_a_line(
    host: SshHost, tmp_path: Path, style: str
) -> None:
    log = Log(tmp_path / "log")
    log.write(1000)
    got = b""
    async with host.follow(str(log.path), last=10) as chunks:
        got += await until_line(chunks, 999)
        for _ in range(5):
            log.write(500)
            got += await until_line(chunks, log.count - 1)
            if style != "remove":  # what is removed unread is gone for SFTP, too, once reopened
                log.write(50)
            getattr(log, style)()
            log.write(50)
            got += await until_line(chunks, log.count - 1)
    numbers = [int(line.split(b" ", 1)[0]) for line in got.splitlines()]
    assert sorted(numbers) == list(range(990, log.count))


async def test_a_successor_that_holds_the_same_words_and_more_is_told_by_its_size(
    host: SshHost, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"alive\n" * 100)
    async with asyncio.timeout(60), host.follow(str(log), last=1) as chunks:
        await until_lines(chunks, 1)
        log.rename(tmp_path / "log.1")
        log.write_bytes(b"alive\n" * 150)
        assert await until_lines(chunks, 150) == b"alive\n" * 150


async def test_a_successor_of_the_same_words_size_and_second_is_told_by_its_inode(
    host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in {"CALM": 0.1, "EVERY": 0.1, "_PATIENCE": 15.0}.items():
        monkeypatch.setattr(_ssh_inodes, name, seconds)
    log = tmp_path / "log 'x'\n"
    log.write_bytes(b"alive\n" * 100)
    written = log.stat().st_mtime
    view = host._files().view(str(log))
    async with asyncio.timeout(60):
        for turn in range(2):
            file = await view.open(str(log))
            assert view._inodes._own is not None
            assert await view._inodes._own == log.stat().st_ino
            seen = [await view.look(str(log)) for _ in range(2)]
            log.rename(tmp_path / f"log.{turn}")
            log.write_bytes(b"alive\n" * 100)
            os.utime(log, (written, written))
            while (now := await view.look(str(log))) == seen[0]:
                await asyncio.sleep(0.02)
            assert (now.size, now.stamp) == (seen[1].size, seen[1].stamp)
            await file.close()


async def test_a_truncation_between_two_looks_is_not_taken_for_another_file(
    host: SshHost, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"00000000 a\n" * 10)
    view = host._files().view(str(log))
    file = await view.open(str(log))
    try:
        named = await file.file.stat()
        os.truncate(log, 0)
        log.write_bytes(b"00000001 b\n")
        assert not await view._is_another(file, named, await file.file.stat())
        assert (await view.look(str(log))).id == (await file.look()).id
        log.rename(tmp_path / "log.1")
        log.write_bytes(b"00000001 b\n" * 2)
        assert (await view.look(str(log))).id != (await file.look()).id
    finally:
        await file.close()


async def test_where_an_account_is_for_sftp_alone_files_are_followed_and_inodes_asked_no_more(
    ssh_server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ssh_server.port  # where no sshd is, this is skipped
    for name in ("CALM", "EVERY", "_PATIENCE"):
        monkeypatch.setattr(_ssh_inodes, name, 0.1)
    server = await sshd.start(tmp_path)
    keys = server.home / "authorized_keys"
    keys.write_text(f'command="internal-sftp" {keys.read_text()}')
    host, log = SshHost("web1", "box", str(server.config)), tmp_path / "log"
    log.write_bytes(b"alive\n" * 100)
    view = host._files().view(str(log))
    try:
        async with asyncio.timeout(60):
            file = await view.open(str(log))
            while view._inodes._own is not None:
                assert (await view.look(str(log))).size == 600
                await asyncio.sleep(0.02)
            log.rename(tmp_path / "log.1")
            log.write_bytes(b"alive\n" * 101)
            assert (await view.look(str(log))).id != (await file.look()).id
            await file.close()
    finally:
        await host.close()
        await server.stop()


async def test_following_goes_on_after_a_cut_connection_from_where_it_was(
    host: SshHost, ssh_server: SshServer, tmp_path: Path
) -> None:
    log = Log(tmp_path / "log")
    log.write(100)
    async with host.follow(str(log.path), last=5) as chunks:
        got = await until_line(chunks, 99)
        await cut_connections(ssh_server)
        log.write(100)
        log.rename()
        log.write(100)
        got += await until_line(chunks, 299)
    numbers = [int(line.split(b" ", 1)[0]) for line in got.splitlines()]
    assert sorted(numbers) == list(range(95, 300))


async def test_a_host_without_sftp_is_said_to_have_none(
    ssh_server: SshServer, tmp_path: Path
) -> None:
    assert ssh_server.port  # where no sshd is, this is skipped
    server = await sshd.start(tmp_path, sftp=False)
    host = SshHost("web1", "box", str(server.config))
    try:
        async with host.follow("/var/log/syslog", last=1) as chunks:
            assert await anext(chunks) == b""
            assert "web1 offers no SFTP, by which files are followed" in chunks.trouble
    finally:
        await host.close()
        await server.stop()


async def test_a_far_file_that_appears_late_and_trouble_are_told(
    host: SshHost, tmp_path: Path
) -> None:
    path = tmp_path / "later"
    async with host.follow(str(path), last=1) as chunks:
        assert (await anext(chunks), chunks.trouble) == (b"", f"{path}: not there yet")
        path.write_bytes(b"00000000 \xff\x1b[31m\n00000001 b\n")
        assert await until_line(chunks, 1) == b"00000000 \xff\x1b[31m\n00000001 b\n"
        assert chunks.trouble == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take its own powers away")
async def test_permission_that_is_lost_far_away_is_told_and_nothing_is_missed_when_it_is_back(
    ssh_server: SshServer, tmp_path: Path
) -> None:
    assert ssh_server.port  # where no sshd is, this is skipped
    heeds = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    server = await sshd.start(tmp_path, heeds)
    host, path = SshHost("web1", "box", str(server.config)), tmp_path / "log"
    path.write_bytes(b"00000000 a\n")
    try:
        async with asyncio.timeout(60), host.follow(str(path)) as chunks:
            await until_line(chunks, 0)
            path.rename(tmp_path / "log.1")
            path.write_bytes(b"00000001 longer\n")  # SFTP tells files apart by size and second
            path.chmod(0)
            while not chunks.trouble:
                assert await anext(chunks) == b""
            assert chunks.trouble == f"{path}: permission denied"
            path.chmod(0o600)
            assert await until_line(chunks, 1) == b"00000001 longer\n"
            assert chunks.trouble == ""
    finally:
        await host.close()
        await server.stop()


async def test_a_host_that_is_away_is_trouble_and_no_error(
    configured: Configured, tmp_path: Path
) -> None:
    async with configured(Port=free_port()).follow(str(tmp_path / "log")) as chunks:
        assert await anext(chunks) == b""
        assert "connection refused" in chunks.trouble


async def test_many_far_files_take_one_session(host: SshHost, tmp_path: Path) -> None:
    async def first_line(name: str) -> bytes:
        (tmp_path / name).write_bytes(b"%b\n" % name.encode())
        async with host.follow(str(tmp_path / name)) as chunks:
            async for chunk in chunks:
                if chunk:
                    await asyncio.sleep(0.3)
                    return chunk
        raise AssertionError("the file ended")

    names = [f"log-{n}" for n in range(2 * SESSIONS)]
    assert await asyncio.gather(*map(first_line, names)) == [f"{n}\n".encode() for n in names]
    assert len(host._link._lines) == 1
