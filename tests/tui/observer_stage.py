"""What each kind of mitigation needs before it can change anything of a real system."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.services.postgres_clients import Crowd, pid
from tests.support.services import DockerEngine
from tests.tui.page import RoomPage
from warroom.domain.sample import Row

LOCK = "SELECT pg_advisory_lock(4242)"
Chosen = tuple[Row | None, Mapping[str, str]]


@dataclass
class Stage:
    """`ready(kind)` is the row that is chosen for it, and what is answered to it."""

    page: RoomPage
    engine: DockerEngine
    shop: str
    crowd: Crowd
    redis_port: int
    db: int
    kept: list[asyncio.StreamWriter] = field(default_factory=list)

    async def ready(self, kind: str) -> Chosen:
        family, _, what = kind.partition(".")
        if family == "docker":
            return await asyncio.to_thread(self._docker, what)
        if family == "redis":
            return await self._redis(what)
        return await self._postgres(what)

    def _docker(self, what: str) -> Chosen:
        run = self.engine.docker
        if what == "start":
            run("stop", "--time", "1", self.shop)
        elif what == "connect":
            run("network", "disconnect", "bridge", self.shop)
        elif what == "prune":
            run("run", "--name", f"{self.shop}-ended", self.engine.image, "true")
        if what != "start":
            run("start", self.shop)
        if what not in ("start", "connect"):
            joined = run("inspect", "--format", "{{json .NetworkSettings.Networks}}", self.shop)
            if "bridge" not in joined:
                run("network", "connect", "bridge", self.shop)
        return None, {}

    async def _redis(self, what: str) -> Chosen:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.redis_port)
        writer.write(f"SELECT {self.db}\r\nMSET cart:1 a cart:2 b\r\nCLIENT ID\r\n".encode())
        await reader.readuntil(b"+OK\r\n+OK\r\n:")
        client = (await reader.readline()).strip().decode()
        if what == "client_kill":
            self.kept.append(writer)  # or it would be closed before it can be killed
            return None, {"client": client}
        writer.close()
        return None, {}

    async def _postgres(self, what: str) -> Chosen:
        if what == "terminate_idle":
            await self.crowd.idles_in_transaction("SELECT 1")
            await asyncio.sleep(1.1)  # nobody younger than a second is taken
            return None, {}
        if what == "terminate_blockers":
            await (await self.crowd.connect()).execute(LOCK)
            waits = await self.crowd.connect()
            self.crowd.runs(waits, LOCK)
            return await self._row(pid(waits)), {}
        busy = await self.crowd.connect()
        self.crowd.runs(busy, "SELECT pg_sleep(600)")
        row = await self._row(pid(busy))
        if what in ("cancel", "terminate"):
            return row, {}
        await asyncio.sleep(1.1)
        return None, {}

    async def _row(self, number: int) -> Row:
        """Of that backend, once the probe has seen what it does."""

        def found() -> list[Row]:
            sample = self.page.room.monitor.latest["postgres"]
            rows = [row for row in sample.rows if row.data.get("pid") == number]
            return [row for row in rows if "active" in str(row.cells)]

        await self.page.until(lambda: bool(found()), f"backend {number} is not seen at work")
        return found()[0]
