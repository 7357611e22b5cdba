"""Which file a name of a far machine leads to, where size, second and content are all the same.

SFTP (version 3) tells no inode, so `ls` is asked for it (POSIX: `-i`, `-d`, `-L`; GNU, BSD and
busybox have it), and rarely: when a file was opened, and once it has been still for `CALM` seconds,
so that its last second of change is over. Meanwhile the open file cannot give its inode away to
another one. Where the host runs no commands, nothing is known, and after a few attempts it is not
asked any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Final

from warroom.hosts._ssh_command import Command
from warroom.hosts._ssh_link import Link
from warroom.hosts.base import HostError

CALM: Final = 2.0
"""Seconds without a change before a file is asked for."""
EVERY: Final = 10.0
"""Least seconds between two questions about one name."""
_PATIENCE: Final = 3.0
_ATTEMPTS: Final = 3


class Inodes:
    """The inodes of the name `path`: the open file's, and whose it is now."""

    def __init__(self, link: Link, path: str, turn: asyncio.Lock) -> None:
        self._turn = turn  # one question at a time: many files must not take many sessions
        self._link, self._argv = link, ("ls", "-diL", "--", path)
        self._own: asyncio.Task[int | None] | None = None
        self._named: asyncio.Task[int | None] | None = None
        self._state: Hashable = None
        self._since = self._asked_at = float("-inf")
        self._sure = False
        self._failures = 0

    def opened(self) -> None:
        """The file was opened just now."""
        self.forget()
        if self._failures < _ATTEMPTS:
            self._own = asyncio.create_task(self._ask())

    def forget(self) -> None:
        """It was closed."""
        for task in (self._own, self._named):
            if task is not None:
                task.cancel()
        self._own = self._named = None
        self._state, self._sure = None, False

    def differ(self, state: Hashable) -> bool:
        """Whether the name surely leads to another file than the open one; `state` is what else is
        known of it. Never waits: what is asked for now is told at a later look."""
        if self._own is None:
            return False
        now = asyncio.get_running_loop().time()
        if state != self._state:
            self._state, self._since, self._sure = state, now, False
        if self._named is None:
            if not self._sure and now - self._since >= CALM and now - self._asked_at >= EVERY:
                self._asked_at = now
                self._named = asyncio.create_task(self._ask())
            return False
        if not self._named.done() or not self._own.done():
            return False
        own, named, self._named = self._own.result(), self._named.result(), None
        if own is None or self._failures >= _ATTEMPTS:
            self._own = None  # it will not be known of this file
            return False
        self._sure = (
            named is not None and self._asked_at >= self._since
        )  # else it changed meanwhile
        return named is not None and named != own

    async def _ask(self) -> int | None:
        out = bytearray()
        try:
            async with self._turn, asyncio.timeout(_PATIENCE):
                command, release = await self._link.session(
                    Command.start(self._argv, lambda _, data: out.extend(data))
                )
                try:
                    await command.silent.wait()
                finally:
                    command.end()
                    release()
        except (HostError, TimeoutError):
            self._failures += 1
            return None
        inode = bytes(out).split(b" ", 1)[0] if command.code == 0 else b""
        self._failures = 0 if inode.isdigit() else self._failures + 1
        return int(inode) if inode.isdigit() else None
