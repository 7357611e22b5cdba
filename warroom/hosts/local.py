"""This machine as a host: processes in groups of their own, files followed on its disks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from warroom.hosts import _local_files
from warroom.hosts._child import HELD_OPEN, Backlog, Child, Kept, parted, program
from warroom.hosts._disk import Disk
from warroom.hosts.base import (
    OUTPUT_LIMIT,
    Address,
    CommandTimeout,
    FileContent,
    HostError,
    Result,
    Surroundings,
)
from warroom.hosts.follow import Follower
from warroom.hosts.following import FollowedFile

Sink = Callable[[int, bytes], None]


class LocalHost:
    """This machine.

    Commands inherit the environment and the working folder of the console, as if typed beside it;
    each leads a process group of its own, which is ended whole.
    """

    def __init__(self) -> None:
        self._starting: set[asyncio.Task[Child]] = set()
        self._children: set[Child] = set()
        self._followed: set[FollowedFile] = set()

    @property
    def name(self) -> str:
        return ""

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 10.0,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """See `Host.run`. A command that a signal ended has the code 128 + signal.

        Children that a command leaves behind on purpose live on; they are ended only with a
        command that runs into its time limit or is cancelled. Raises CommandMissing,
        CommandTimeout, and HostError for what cannot be started.
        """
        outputs = {1: Kept(limit), 2: Kept(limit)}
        child = await self._start(argv, lambda fd, data: outputs[fd].add(data), stdin=stdin)
        try:
            async with asyncio.timeout(timeout):
                await child.exited.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(HELD_OPEN):
                        await child.silent.wait()
        except TimeoutError:
            await self._end(child)
            raise CommandTimeout(
                f"{program(argv)} did not finish within {timeout:g} s and was ended"
            ) from None
        except asyncio.CancelledError:
            await self._end(child)
            raise
        self._children.discard(child)
        child.forget()
        cut = outputs[1].cut or outputs[2].cut
        return Result(tuple(argv), child.code, bytes(outputs[1].kept), bytes(outputs[2].kept), cut)

    @asynccontextmanager
    async def stream(self, argv: Sequence[str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Host.stream`. Raises CommandMissing and HostError when entered."""
        backlog = Backlog(full=lambda: child.hold(), eased=lambda: child.go_on())
        child = await self._start(argv, lambda _, data: backlog.add(data), merged=True)
        ending = asyncio.ensure_future(child.silent.wait())
        ending.add_done_callback(lambda _: backlog.end())
        try:
            yield backlog.take()
        finally:
            await self._end(child)
            await ending

    @asynccontextmanager
    async def launch(
        self,
        argv: Sequence[str],
        where: Surroundings,
        errors: Callable[[bytes], None] | None = None,
    ) -> AsyncIterator[_LocalRunning]:
        """See `Host.launch`. Raises CommandMissing and HostError when entered."""
        backlog = Backlog(full=lambda: child.hold(), eased=lambda: child.go_on())
        sink = parted(backlog, errors)
        child = await self._start(argv, sink, merged=errors is None, where=where)
        ending = asyncio.create_task(_over(child, backlog))
        try:
            yield _LocalRunning(child, backlog)
        finally:
            if child.exited.is_set():
                self._children.discard(child)
                child.forget()
            else:
                await self._end(child)
            await ending

    @asynccontextmanager
    async def follow(self, path: str, *, last: int = 200) -> AsyncIterator[FollowedFile]:
        """See `Host.follow`, and `hosts.follow` for what is kept through which rotation."""
        followed = FollowedFile(Follower(path, last, Disk()))
        self._followed.add(followed)
        try:
            yield followed
        finally:
            self._followed.discard(followed)
            await followed.close()

    async def read_file(self, path: str, *, limit: int = OUTPUT_LIMIT) -> FileContent:
        """See `Host.read_file`."""
        return await _local_files.in_thread(lambda: _local_files.read(path, limit))

    async def replace_file(
        self, path: str, data: bytes, *, expected: bytes | None, mode: int = 0o644
    ) -> None:
        """See `Host.replace_file`."""
        await _local_files.in_thread(lambda: _local_files.replace(path, data, expected, mode))

    async def reach(self, address: Address) -> Address:
        """This machine's own addresses need no help."""
        return address

    async def close(self) -> None:
        """End what still runs, or is about to, and stop following."""
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(
            *(followed.close() for followed in self._followed),
            *(self._end(child) for child in list(self._children)),
        )

    async def _start(self, argv: Sequence[str], sink: Sink, **how: Any) -> Child:
        """A command that `close` knows of from its first moment."""

        async def begun() -> Child:
            child = await Child.start(argv, sink, **how)
            self._children.add(child)
            return child

        starting = asyncio.create_task(begun())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:  # asyncio itself would end the leader alone of the group
            with suppress(HostError):
                await self._end(await starting)
            raise

    async def _end(self, child: Child) -> None:
        try:
            await child.end()
        finally:
            self._children.discard(child)


class _LocalRunning:
    def __init__(self, child: Child, backlog: Backlog) -> None:
        self._child, self._backlog = child, backlog

    def output(self) -> AsyncIterator[bytes]:
        return self._backlog.take()

    async def code(self) -> int:
        await self._child.exited.wait()
        return self._child.code


async def _over(child: Child, backlog: Backlog) -> None:
    """Ends the output when the command is silent, or a moment after it ended."""
    silent = asyncio.ensure_future(child.silent.wait())
    exited = asyncio.ensure_future(child.exited.wait())
    await asyncio.wait((silent, exited), return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait((silent,), timeout=HELD_OPEN)
    for waiting in (silent, exited):
        waiting.cancel()
    backlog.end()
