"""A private PostgreSQL server.

It listens on a unix socket in a folder that only its owner can enter, where it trusts everyone,
and on 127.0.0.1, where it wants a password (scram-sha-256) that no role has unless one is given
to it: other users of a shared machine get no superuser for free. Durability is off (fsync and the
like): its data live as long as it does.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from warroom.drill.stack.program import (
    EXTRA,
    Program,
    StartFailed,
    find,
    free_port,
    listening,
    own_folder,
    within_reach,
)

_ADVICE: Final = f"apt install postgresql, or {EXTRA}"
_HBA: Final = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
_SETTINGS: Final = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_wal_size = 64MB
autovacuum_naptime = 60
logging_collector = off
log_destination = stderr
log_line_prefix = '%m [%p] %q%u@%d '
log_lock_waits = on
deadlock_timeout = 1s
log_min_duration_statement = 500
timezone = UTC
lc_messages = C
"""


@dataclass(frozen=True)
class Postgres:
    """A running server. `log` is the file that it writes its messages to."""

    socket_dir: Path
    port: int
    log: Path
    program: Program

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        """A URL over the unix socket; it needs no password."""
        place = urlencode({"host": str(self.socket_dir), "port": self.port}, safe="/")
        return f"postgresql://{quote(user)}@/{quote(database)}?{place}"

    async def stop(self) -> None:
        """Ends the server without waiting for its clients."""
        await self.program.stop()


async def start(folder: Path, *, settings: tuple[str, ...] = ()) -> Postgres:
    """A new, empty server in `folder`. `settings` are further lines of postgresql.conf.

    Raises Missing or StartFailed.
    """
    initdb = find("initdb", _ADVICE)
    home = own_folder(folder, "postgres")
    binaries = within_reach(initdb.resolve().parent.parent, home) / "bin"
    data, port = home / "data", free_port()
    argv: list[str | Path] = [binaries / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8"]
    argv += ["-A", "trust", "--locale=C", "--no-sync", "--no-instructions"]
    making = Program(argv, home / "initdb.log")
    if await making.done(timeout=60):
        raise StartFailed(f"initdb failed: {making.said()}")
    (data / "pg_hba.conf").write_text(_HBA)
    lines = [_SETTINGS, f"port = {port}", f"unix_socket_directories = '{home}'", *settings]
    with (data / "postgresql.conf").open("a") as conf:
        conf.write("\n".join(lines) + "\n")
    log = home / "postgres.log"
    program = Program([binaries / "postgres", "-D", data], log, ends_with=signal.SIGQUIT)
    await program.ready(lambda: listening(port) and b"ready to accept" in log.read_bytes())
    return Postgres(home, port, log, program)
