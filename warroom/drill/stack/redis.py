"""A private Redis server that keeps nothing on disk.

A drill's server listens on a unix socket in its owner's folder only: a Redis without a password on
a TCP port would let every user of a shared machine write files as us. Tests ask for the port.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import (
    EXTRA,
    Program,
    find,
    free_port,
    listening,
    own_folder,
    within_reach,
)

_ADVICE: Final = f"apt install redis-server, or {EXTRA}"


@dataclass(frozen=True)
class Redis:
    """A running server. `port` is 0 when it has only its `socket`."""

    socket: Path
    port: int
    log: Path
    program: Program

    @property
    def url(self) -> str:
        """As redis-py's `from_url` wants it."""
        return f"redis://127.0.0.1:{self.port}/0" if self.port else f"unix://{self.socket}?db=0"

    async def stop(self) -> None:
        await self.program.stop()


async def start(folder: Path, *, tcp: bool = False, settings: tuple[str, ...] = ()) -> Redis:
    """A new, empty server in `folder`. `settings` are further lines of redis.conf.

    Raises Missing or StartFailed.
    """
    binary = find("redis-server", _ADVICE)
    home = own_folder(folder, "redis")
    port = free_port() if tcp else 0
    redis = home / "redis.sock"
    log = home / "redis.log"
    lines = [f"port {port}", "bind 127.0.0.1", f"unixsocket {redis}", "unixsocketperm 700"]
    lines += [f"dir {home}", "save ''", "appendonly no", "daemonize no", "databases 16", *settings]
    conf = home / "redis.conf"
    conf.write_text("\n".join(lines) + "\n")
    conf.chmod(0o644)
    program = Program([within_reach(binary, home), conf], log)
    await program.ready(lambda: listening(redis) and (not tcp or listening(port)))
    return Redis(redis, port, log, program)
