"""The one protocol for reaching the outside: run, stream, follow, connect.

HostError
├── HostUnreachable   no connection, refused, name unknown, host key wrong
│   └── HostLost      the connection was cut while a command ran: nobody knows how it ended
├── CommandMissing    the program is not there
├── CommandTimeout    ran into its time limit and was ended
├── FileMissing       there is no such file
└── FileChanged       the file is not what it was when it was last looked at
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

OUTPUT_LIMIT: Final = 1024 * 1024
"""Bytes kept of each of a command's two outputs, unless the caller says otherwise."""


class HostError(Exception):
    """A host could not do what it was asked; the message is one plain line."""


class HostUnreachable(HostError):
    """No connection to the host."""


class HostLost(HostUnreachable):
    """The connection was cut while a command ran; it may or may not have done its work."""


class CommandMissing(HostError):
    """The program is not on the host."""


class CommandTimeout(HostError):
    """The command ran into its time limit; its process group was ended."""


class FileMissing(HostError):
    """There is no such file, or no such folder."""


class FileChanged(HostError):
    """The file does not hold what was expected: somebody wrote to it meanwhile."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind. `cut` says that output went over the limit and was dropped."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class FileContent:
    """A regular file: its bytes, whose it is, its permission bits, and when it was last written,
    in seconds since the epoch by the host's own clock."""

    data: bytes
    uid: int
    gid: int
    mode: int
    written_at: float


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP endpoint as the host sees it."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket as the host sees it."""

    path: str


Address = TcpAddress | UnixAddress


class Following(Protocol):
    """The chunks of a file that is followed: whole lines, where the file has them.

    An empty chunk says "nothing new".
    """

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    @property
    def trouble(self) -> str:
        """Why nothing can be read just now, in one plain line; empty while all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a command runs: `directory` (empty: where the host begins), and of the environment
    only the variables in `env` (None: all of it). `values` are further variables, each a name and
    one line: they never stand in an argv, here or on another machine."""

    directory: str = ""
    env: tuple[str, ...] | None = None
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


AS_IT_IS: Final = Surroundings()


class Running(Protocol):
    """A command under way."""

    def output(self) -> AsyncIterator[bytes]:
        """What it writes as it comes, in chunks, until it is silent or ended."""
        ...

    async def code(self) -> int:
        """Its exit code, 128 + signal for a signal, once it has ended. Raises HostLost when the
        connection was cut before that was told, and CommandMissing."""
        ...


class Host(Protocol):
    """A machine. Every method raises HostError only."""

    @property
    def name(self) -> str:
        """As in the config; empty for this machine."""
        ...

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 10.0,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run `argv` (never through a shell of ours) to its end; any exit code is a result."""
        ...

    def stream(self, argv: Sequence[str]) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The standard output and error of `argv`, in chunks as they come; leaving the context
        ends the process and its children."""
        ...

    def launch(
        self,
        argv: Sequence[str],
        where: Surroundings,
        errors: Callable[[bytes], None] | None = None,
    ) -> AbstractAsyncContextManager[Running]:
        """`argv` as a command that is watched to its end. Leaving the context before that ends
        its whole process group; what a command that has ended leaves behind lives on. `errors`
        takes its standard error, which else comes with the output."""
        ...

    def follow(self, path: str, *, last: int = 200) -> AbstractAsyncContextManager[Following]:
        """Chunks of a growing file from its last `last` lines on, through rotation and truncation.

        An empty chunk says "nothing new"; a file that is not there yet is waited for.
        """
        ...

    async def read_file(self, path: str, *, limit: int = OUTPUT_LIMIT) -> FileContent:
        """A whole file of at most `limit` bytes. Raises FileMissing; a symbolic link, and whatever
        else is no regular file, is a HostError."""
        ...

    async def replace_file(
        self, path: str, data: bytes, *, expected: bytes | None, mode: int = 0o644
    ) -> None:
        """Put `data` in the place of what `path` holds, in one step: written beside it, forced to
        the disk and renamed, so that whatever is cut or killed leaves the old or the new file,
        whole. Owner and mode are kept; a new file gets `mode`.

        `expected` is what it must hold now (None: there must be no such file): else FileChanged,
        and nothing is done. Between that look and the renaming lies a moment (on another machine
        a round trip) in which the write of who does not lock the folder would be lost: read it
        again afterwards.
        Raises FileMissing (no such folder), HostLost (cut while it was renamed) and HostError.
        """
        ...

    async def reach(self, address: Address) -> Address:
        """An address on *this* machine that leads to `address` on the host, for client libraries.

        This machine's own addresses come back as they are; another's become a unix socket in a
        private folder, which lives until `close`.
        """
        ...

    async def close(self) -> None:
        """End every connection, forward and process of this host."""
        ...
