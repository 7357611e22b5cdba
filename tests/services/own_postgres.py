"""A PostgreSQL server of a test's own, which may be ended and started again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from warroom.drill.stack import postgres
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import Program, find, listening


class OwnServer:
    """`server` stands on the same port and data after every `start`."""

    def __init__(self, server: Postgres) -> None:
        self.server = server

    @classmethod
    async def started(cls, folder: Path) -> OwnServer:
        return cls(await postgres.start(folder))

    async def kill(self) -> None:
        """As a crash: without waiting for anybody, nothing is finished."""
        await self.server.program.stop()

    async def start(self) -> None:
        binary = find("postgres", "apt install postgresql")
        log, data = self.server.log, self.server.socket_dir / "data"
        said = len(log.read_bytes())
        program = Program([binary, "-D", data], log, ends_with=self.server.program._ends_with)
        await program.ready(
            lambda: listening(self.server.port) and b"ready to accept" in log.read_bytes()[said:]
        )
        self.server = replace(self.server, program=program)
