"""A folder and an environment of its own for a command on a far host.

sshd gives neither, so a constant script of ours stands before the command; its own words are the
folder, the variables that are kept, how many further ones follow on its input (everybody on the
host can read an argv), then the argv; none of these it ever reads as a program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless
from warroom.hosts._child import HELD_OPEN, Backlog, parted, program
from warroom.hosts.base import CommandMissing, HostError, HostLost, Surroundings

if TYPE_CHECKING:
    from warroom.hosts._ssh_command import Command

_MISSING: Final = b"warroom: no such program\n"
_NO_FOLDER: Final = b"warroom: no such folder\n"
# `command unset`: without it a shell ends at a variable that cannot be unset (POSIX, 2.8.1)
_SCRIPT: Final = "; ".join(
    (
        'case $1 in "~/"*) d=$HOME/${1#??};; *) d=$1;; esac',
        f'[ -z "$d" ] || cd -- "$d" 2>/dev/null || {{ echo "{_NO_FOLDER.decode().strip()}" >&2; '
        "exit 126; }",
        'if [ "$2" != "*" ]; then keep=" $2 "',
        "for n in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p')",
        'do case $keep in *" $n "*) ;; *) command unset "$n" 2>/dev/null || :;; esac',
        "done",
        "fi",
        "left=$3",
        'while [ "$left" -gt 0 ]',
        'do IFS= read -r v || exit 125; export "$v"; left=$((left - 1)); done',
        "shift 3",
        f'command -v "$1" >/dev/null 2>&1 || {{ echo "{_MISSING.decode().strip()}" >&2; '
        "exit 127; }",
        'exec "$@"',
    )
)


def surrounded(argv: Sequence[str], where: Surroundings) -> list[str]:
    """The argv that runs `argv` in its surroundings, on any host with a POSIX sh."""
    kept = "*" if where.env is None else " ".join(where.env)
    count = str(len(where.values))
    return ["sh", "-c", _SCRIPT, "warroom", where.directory, kept, count, *argv]


def brought(where: Surroundings) -> bytes:
    """What the script reads from its input: the further variables, a line each."""
    lines = (f"{name}={value}\n" for name, value in where.values)
    return "".join(lines).encode("utf-8", "surrogateescape")


class FarRunning:
    """A command under way on a far host."""

    command: Command

    def __init__(
        self, name: str, argv: Sequence[str], where: Surroundings, backlog: Backlog
    ) -> None:
        self._name, self._argv, self._where = name, argv, where
        self._backlog, self._begins = backlog, b""

    def sink(self, errors: Callable[[bytes], None] | None) -> Callable[[int, bytes], None]:
        """Takes what comes, and remembers how it began: the script may have said something."""
        taken = parted(self._backlog, errors)

        def sink(fd: int, data: bytes) -> None:
            if len(self._begins) <= len(_MISSING):
                self._begins += data[: len(_MISSING) + 1]
            taken(fd, data)

        return sink

    def output(self) -> AsyncIterator[bytes]:
        return self._backlog.take()

    async def code(self) -> int:
        await self.command.exited.wait()
        code = self.command.code
        if code is None:
            what = f"the connection was cut while {program(self._argv)} ran"
            raise HostLost(f"{self._name}: {what}")
        if code == 127 and self._begins == _MISSING:
            raise CommandMissing(f"{self._name}: {program(self._argv)} is not installed there")
        if code == 126 and self._begins == _NO_FOLDER:
            raise HostError(
                f"{self._name}: {harmless(self._where.directory)} is not a folder there"
            )
        return code


async def over(command: Command, backlog: Backlog) -> None:
    """Ends the output when the command is silent, or a moment after it ended."""
    await command.exited.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(HELD_OPEN):
            await command.silent.wait()
    backlog.end()
