"""Another machine as a host, over SSH, as `ssh` itself would reach it.

~/.ssh/config, the agent, ProxyJump and known_hosts apply; a host key that is unknown or changed
is refused, and no password is ever asked for. Nothing connects, and asyncssh is not imported,
before the first use.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.hosts._child import HELD_OPEN, Backlog, Kept, program
from warroom.hosts.base import (
    OUTPUT_LIMIT,
    Address,
    CommandMissing,
    CommandTimeout,
    FileContent,
    HostError,
    HostLost,
    Result,
    Running,
    Surroundings,
    TcpAddress,
    UnixAddress,
)
from warroom.hosts.follow import Follower
from warroom.hosts.following import FollowedFile

if TYPE_CHECKING:
    from warroom.hosts._ssh_command import Command
    from warroom.hosts._ssh_files import FarDisk
    from warroom.hosts._ssh_forward import Forward
    from warroom.hosts._ssh_link import Link

FOLLOW_INTERVAL: Final = 0.25
"""Seconds between two looks at a far file: each costs a round trip."""
_SOCKET_PATH = 100  # bytes; Linux allows 107, others 103


class SshHost:
    """The machine that ssh knows as `destination` ("web1", "deploy@web1"), called `name` here.

    `config` names another file than ~/.ssh/config. A command runs with the environment that sshd
    gives it, in the user's home, and ends when this host's channel to it closes.
    """

    def __init__(self, name: str, destination: str, config: str = "") -> None:
        self._name, self._destination, self._config = name, destination, config
        self._made: Link | None = None
        self._disk: FarDisk | None = None
        self._folder: Path | None = None
        self._forwards: dict[Address, Forward] = {}
        self._forwarding = asyncio.Lock()
        self._followed: set[FollowedFile] = set()

    @property
    def name(self) -> str:
        return self._name

    @property
    def _link(self) -> Link:
        from warroom.hosts._ssh_link import Link

        if self._made is None:
            self._made = Link(self._name, self._destination, self._config)
        return self._made

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 10.0,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """See `Host.run`. The time limit covers connecting, too.

        Raises HostUnreachable when nothing was started, HostLost when the connection was cut
        meanwhile, CommandMissing, CommandTimeout and HostError.
        """
        outputs = {1: Kept(limit), 2: Kept(limit)}
        try:
            async with asyncio.timeout(timeout):
                async with self._session(
                    argv, lambda fd, data: outputs[fd].add(data), stdin
                ) as command:
                    await command.exited.wait()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(HELD_OPEN):
                            await command.silent.wait()
        except TimeoutError:
            raise CommandTimeout(
                f"{self._name}: {program(argv)} did not finish within {timeout:g} s and was ended"
            ) from None
        return self._result(argv, command.code, outputs)

    def _result(self, argv: Sequence[str], code: int | None, outputs: dict[int, Kept]) -> Result:
        from warroom.hosts._ssh_command import MISSING

        if code is None:
            raise HostLost(f"{self._name}: the connection was cut while {program(argv)} ran")
        err = bytes(outputs[2].kept)
        if code == 127 and err == MISSING:
            raise CommandMissing(f"{self._name}: {program(argv)} is not installed there")
        cut = outputs[1].cut or outputs[2].cut
        return Result(tuple(argv), code, bytes(outputs[1].kept), err, cut)

    @asynccontextmanager
    async def stream(self, argv: Sequence[str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Host.stream`. A missing program says so in the stream, which then ends.

        Raises HostUnreachable and HostError when entered; a cut connection ends the stream.
        """
        backlog = Backlog(full=lambda: command.hold(), eased=lambda: command.go_on())
        async with self._session(argv, lambda _, data: backlog.add(data)) as command:
            ending = asyncio.ensure_future(command.silent.wait())
            ending.add_done_callback(lambda _: backlog.end())
            try:
                yield backlog.take()
            finally:
                ending.cancel()

    @asynccontextmanager
    async def launch(
        self,
        argv: Sequence[str],
        where: Surroundings,
        errors: Callable[[bytes], None] | None = None,
    ) -> AsyncIterator[Running]:
        """See `Host.launch`. The environment is that of the far host. Raises HostUnreachable and
        HostError when entered, the others when asked for the exit code."""
        from warroom.hosts._surroundings import FarRunning, brought, over, surrounded

        backlog = Backlog(full=lambda: command.hold(), eased=lambda: command.go_on())
        words = surrounded(argv, where) if argv else []
        running = FarRunning(self._name, argv, where, backlog)
        async with self._session(words, running.sink(errors), brought(where)) as command:
            running.command = command
            ending = asyncio.create_task(over(command, backlog))
            try:
                yield running
            finally:
                ending.cancel()

    @asynccontextmanager
    async def _session(
        self, argv: Sequence[str], sink: Callable[[int, bytes], None], stdin: bytes = b""
    ) -> AsyncIterator[Command]:
        from warroom.hosts._ssh_command import Command

        if not argv or any("\0" in word for word in argv):
            raise HostError(f"{self._name}: an empty command, or one with a NUL, cannot be run")
        command, release = await self._link.session(Command.start(argv, sink, stdin))
        try:
            yield command
        finally:
            command.end()
            release()

    @asynccontextmanager
    async def follow(self, path: str, *, last: int = 200) -> AsyncIterator[FollowedFile]:
        """See `Host.follow`, and `hosts._ssh_files` for what is kept through which rotation.

        Never raises for a host that is away: `trouble` says so, and following goes on from where
        it was when the host is back.
        """
        view = self._files().view(path)
        followed = FollowedFile(Follower(path, last, view), FOLLOW_INTERVAL)
        self._followed.add(followed)
        try:
            yield followed
        finally:
            self._followed.discard(followed)
            await followed.close()

    async def read_file(self, path: str, *, limit: int = OUTPUT_LIMIT) -> FileContent:
        """See `Host.read_file`."""
        from warroom.hosts._ssh_replace import FarFiles

        return await FarFiles(self._files(), self._name).read(path, limit)

    async def replace_file(
        self, path: str, data: bytes, *, expected: bytes | None, mode: int = 0o644
    ) -> None:
        """See `Host.replace_file`, and `_ssh_replace` for what SFTP cannot do."""
        from warroom.hosts._ssh_replace import FarFiles

        await FarFiles(self._files(), self._name).replace(path, data, expected, mode)

    def _files(self) -> FarDisk:
        from warroom.hosts._ssh_files import FarDisk

        if self._disk is None:
            self._disk = FarDisk(self._link)
        return self._disk

    async def reach(self, address: Address) -> UnixAddress:
        """A unix socket here that leads to `address` there.

        For a TCP address the file is called `.s.PGSQL.<port>` in a folder of its own, so that a
        PostgreSQL client takes the folder as its host and the port as its port; other clients
        take the path. Call this before every new connection: it costs nothing while all is well,
        and otherwise raises HostUnreachable, or HostError when nothing answers there, where the
        client would only see its connection closed.
        """
        from warroom.hosts._ssh_forward import Forward

        async with self._forwarding:
            forward = self._forwards.get(address)
            if forward is None:
                forward = Forward(self._link, address, self._socket_path(address))
                await forward.open()
                self._forwards[address] = forward
        await forward.check()
        return UnixAddress(str(forward.path))

    def _socket_path(self, address: Address) -> Path:
        if self._folder is None:
            self._folder = private_folder()
        name = f".s.PGSQL.{address.port}" if isinstance(address, TcpAddress) else "socket"
        if isinstance(address, UnixAddress) and Path(address.path).name.startswith(".s.PGSQL."):
            name = Path(address.path).name
        return self._folder / str(len(self._forwards)) / name

    async def close(self) -> None:
        """End every command, forward and connection; remove the sockets."""
        await asyncio.gather(*(followed.close() for followed in self._followed))
        await asyncio.gather(*(forward.close() for forward in self._forwards.values()))
        self._forwards.clear()
        if self._made is not None:
            await self._made.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def private_folder() -> Path:
    """A new folder, mode 0700, whose path is short enough for sockets within it."""
    for place in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):
        if place and len(place) < _SOCKET_PATH - 40 and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="warroom-", dir=place))
    raise HostError("no folder for sockets: neither the temporary folder nor /tmp can be written")
