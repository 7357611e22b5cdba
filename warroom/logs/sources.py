"""Opens what a `[[log]]` names: a file, a container, a unit, a PM2 process, a command; and what is
piped in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from warroom.config.settings import LogEntry
from warroom.hosts.base import Host, HostError
from warroom.logs.journald import JournalText
from warroom.logs.piped import Piped, PipedIn

LAST: Final = 200
"""Lines that are shown of what was there before."""
_PATTERN: Final = frozenset("*?[")


@asynccontextmanager
async def opened(
    entry: LogEntry, host: Host, journal: JournalText
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Chunks of the log that `entry` names, from its last `LAST` lines on. Raises HostError.

    `journal` remembers how far a unit's journal was read, for the next opening.
    """
    if entry.path:
        async with host.follow(entry.path, last=LAST) as followed:
            yield followed
    elif entry.container:
        # the engine's client costs a third of the console's start
        from warroom.hosts.containers import container_log

        async with container_log(host, entry.container, last=LAST, socket=entry.socket) as chunks:
            yield chunks
    elif entry.unit:
        trouble = await _unknown(host, entry.unit)
        async with host.stream(journal.argv(entry.unit, LAST)) as chunks:
            yield _Texts(chunks, journal, trouble)
    elif entry.pm2:
        await _pm2_runs(host)
        async with host.stream(pm2_argv(entry.pm2)) as chunks:
            yield chunks
    elif isinstance(entry, Piped):
        async with aclosing(PipedIn(entry.fd)) as chunks:
            yield chunks
    else:
        async with host.stream(entry.argv) as chunks:
            yield chunks


class _Texts:
    """`Following` over a journal; `trouble` until something came."""

    def __init__(self, chunks: AsyncIterator[bytes], journal: JournalText, trouble: str) -> None:
        self.trouble = trouble
        self._chunks, self._journal, self._ended = chunks, journal, False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._ended = True
            return self._journal.flush()
        self.trouble = ""
        return self._journal.feed(chunk)


async def _unknown(host: Host, unit: str) -> str:
    """What to say where systemd knows no such unit, for journalctl then waits without a word; what
    cannot be asked is no trouble."""
    if _PATTERN & {*unit}:
        return ""
    try:
        found = await host.run(("systemctl", "show", "--property=LoadState", "--value", unit))
    except HostError:
        return ""
    if found.code or found.out.strip() != b"not-found":
        return ""
    return f"systemd knows no unit {unit} there; waiting for what it says all the same"


def pm2_argv(name: str) -> Sequence[str]:
    """The command that follows a PM2 process's two logs."""
    return ("pm2", "logs", name, "--raw", "--lines", str(LAST))


async def _pm2_runs(host: Host) -> None:
    """Refuse where no PM2 daemon runs: any `pm2` command would start one. Raises HostError."""
    for socket in _pm2_sockets(host):
        found = await host.run(("test", "-S", socket))
        if found.code == 0:
            return
    raise HostError("PM2 is not running there (no rpc.sock in ~/.pm2); start it, or name a file")


def _pm2_sockets(host: Host) -> Sequence[str]:
    if host.name:
        return (".pm2/rpc.sock",)  # a command over SSH begins in the home folder
    import os
    from pathlib import Path

    home = os.environ.get("PM2_HOME") or str(Path.home() / ".pm2")
    return (f"{home}/rpc.sock",)


def unseen(seen: Sequence[bytes], lines: Sequence[bytes]) -> Sequence[bytes]:
    """Those of `lines`, the newest of a log opened again, that came after `seen`, the newest known.

    >>> unseen([b"a", b"b", b"c"], [b"b", b"c", b"d"])
    [b'd']
    >>> unseen([b"a"], [b"x"])
    [b'x']
    """
    for end in range(len(lines), 0, -1):
        overlap = min(end, len(seen))
        if overlap and list(lines[end - overlap : end]) == list(seen[-overlap:]):
            return lines[end:]
    return lines
