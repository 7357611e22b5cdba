"""The leaked transactions of a busy server are ended, under a backup and a benchmark that go on."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres_clients import Crowd, pid, psql, until
from tests.support.cli import written
from tests.support.events import ALICE
from warroom.domain.clock import SystemClock
from warroom.domain.events import Kind
from warroom.drill.stack import postgres
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import Program, find, own_folder
from warroom.engine.executor import State
from warroom.engine.members import load_settings
from warroom.engine.room import Room
from warroom.journal.memory import MemoryJournal

pytestmark = pytest.mark.service("postgres")

CONFIG = """
[[probe]]
kind = "postgres"
name = "db"
dsn = "{dsn}"

[[mitigation]]
kind = "postgres.terminate_idle"
longer_than = "2s"
superusers = true
settle = "500ms"
"""


class Busy:
    """A server at work: pgbench writes to it, pg_basebackup copies it slowly."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._bin = find("initdb", "apt install postgresql").resolve().parent
        self._home = own_folder(server.socket_dir, "busy")
        self._running: list[Program] = []

    async def begin(self) -> None:
        """Returns when both have got something done."""
        self.backup = self._runs(
            "pg_basebackup", "-U", "postgres", "-D", self._home / "copy", "--max-rate=512k",
            "--checkpoint=fast",
        )  # fmt: skip
        self.bench = self._runs(
            "pgbench", "-U", "shop", "-n", "-N", "-c", "3", "-R", "40", "-P", "1", "-T", "600",
            "postgres",
        )  # fmt: skip
        await until(lambda: asyncio.to_thread(self.copied), lambda count: count > 0)
        await until(lambda: asyncio.to_thread(self.written), lambda count: count > 0)

    async def filled(self) -> None:
        filling = self._runs("pgbench", "-U", "shop", "-i", "-q", "-s", "1", "postgres")
        assert await filling.done(timeout=60) == 0, filling.said()

    def copied(self) -> int:
        """Bytes that the backup has got."""
        sql = "SELECT coalesce(max(backup_streamed), 0) FROM pg_stat_progress_basebackup"
        return int(psql(self.server, sql))

    def written(self) -> int:
        """Transactions that pgbench has committed."""
        return int(psql(self.server, "SELECT count(*) FROM pgbench_history"))

    async def end(self) -> None:
        for program in self._running:
            await program.stop()

    def _runs(self, name: str, *words: str | Path) -> Program:
        argv = [self._bin / name, "-h", self.server.socket_dir, "-p", str(self.server.port), *words]
        self._running.append(Program(argv, self._home / f"{name}.log"))
        return self._running[-1]


@pytest.fixture
async def busy(stack_folder: Path) -> AsyncIterator[Busy]:
    home = stack_folder / "load"
    home.mkdir(mode=0o711)
    server = await postgres.start(home)
    hba = server.socket_dir / "data" / "pg_hba.conf"
    hba.write_text("local all all trust\nlocal replication all trust\n")
    psql(server, "SELECT pg_reload_conf()")
    psql(server, "CREATE ROLE shop LOGIN; GRANT CREATE ON SCHEMA public TO shop")
    psql(server, "CREATE TABLE jobs (id int PRIMARY KEY, n int)", user="shop")
    psql(server, "INSERT INTO jobs VALUES (1, 0), (2, 0)", user="shop")
    at_work = Busy(server)
    await at_work.filled()
    yield at_work
    await at_work.end()
    await server.stop()
    shutil.rmtree(home)


@pytest.fixture
async def room(busy: Busy, tmp_path: Path) -> AsyncIterator[Room]:
    config = written(tmp_path, CONFIG.format(dsn=busy.server.dsn()))
    settings, probes, mitigations = load_settings(config)
    journal = MemoryJournal(SystemClock())
    opened = Room(settings, probes, mitigations, (), journal, ALICE, clock=SystemClock())
    await opened.open(watch=False)
    await opened.session.begin("Checkout hangs", "P1")
    yield opened
    await opened.close()


async def in_transaction(crowd: Crowd, server: Postgres, app: str, *statements: str) -> Any:
    connection = await crowd.connect(server.dsn("shop"), app=app)
    for statement in ("BEGIN", *statements):
        await connection.execute(statement)
    return connection


async def stays_young(connection: Any, until: asyncio.Event) -> None:
    """A client that never idles for long in its transaction."""
    while not until.is_set():
        await connection.execute("SELECT 1")
        await asyncio.sleep(0.1)


async def works(connection: Any, sql: str) -> None:
    """A client that goes on as soon as it can."""
    await connection.execute(sql)
    await connection.execute("COMMIT")


@dataclass
class Jam:
    """Two leaked transactions, two clients that wait behind the first of them, one behind the
    other, and others that idle in a transaction and are not to be ended."""

    leaked: list[Any]
    spared: dict[str, Any]
    behind: list[Any]
    waiting: list[asyncio.Task[None]]
    over: asyncio.Event
    """Ends what keeps the young one young."""

    @classmethod
    async def made(cls, crowd: Crowd, server: Postgres) -> Jam:
        takes = "UPDATE jobs SET n = {} WHERE id = {}".format
        first = await in_transaction(crowd, server, "shop-import", takes(1, 1))
        leaked = [first, await in_transaction(crowd, server, "shop-leak", "SELECT 1")]
        spared = {
            app: await in_transaction(crowd, server, app, "SELECT 1")
            for app in ("warroom", "pg_dump")
        }
        between = await in_transaction(crowd, server, "shop-billing", takes(2, 2))
        last = await crowd.connect(server.dsn("shop"), app="shop-mailer")
        waiting = [asyncio.create_task(works(between, takes(2, 1)))]
        await until(lambda: _blocked(server), lambda count: count == 1)
        waiting.append(asyncio.create_task(works(last, takes(3, 2))))
        await until(lambda: _blocked(server), lambda count: count == 2)
        await until(lambda: _old(server), lambda apps: len(apps) == 4)
        spared["young"] = await in_transaction(crowd, server, "shop-young", "SELECT 1")
        over = asyncio.Event()
        waiting.append(asyncio.create_task(stays_young(spared["young"], over)))
        return cls(leaked, spared, [between, last], waiting, over)


async def test_ending_who_idles_in_a_transaction_ends_exactly_those_and_the_waiting_falls(
    busy: Busy, room: Room
) -> None:
    server = busy.server
    async with Crowd(server) as crowd:
        jam = await Jam.made(crowd, server)
        await busy.begin()
        for _ in range(6):
            await room.monitor.step()

        action = next(a for a in room.actions if a.id == "config:0")
        armed = await room.executor.arm(action)
        assert armed.word == "2 backends"
        assert dict(armed.card.hits)["wait for them"] == "1 backends"
        assert {text for name, text in armed.card.hits if name == "left alone"} == {
            f"{pid(jam.spared['pg_dump'])}: a backup",
            f"{pid(jam.spared['warroom'])}: a warroom session",
        }
        outcome = await room.run(armed, armed.word)
        await room.executor.settle()

        assert outcome.state is State.DONE, outcome.text
        (ended,) = [e for e in room.session.events if e.kind is Kind.OUTCOME]
        assert set(ended.data["evidence"]["ended"]) == {pid(one) for one in jam.leaked}
        jam.over.set()
        await asyncio.gather(*jam.waiting)
        for one in (*jam.spared.values(), *jam.behind):
            assert await one.fetchval("SELECT 1") == 1, "its session goes on"
        (effect,) = [e for e in room.session.events if e.kind is Kind.EFFECT]
        assert effect.data["verdict"] == "worked"
        assert "waiting 2 → 0" in effect.text
        assert psql(server, "SELECT n FROM jobs ORDER BY id") == "2\n3"

    before, copied = busy.written(), busy.copied()
    await until(lambda: asyncio.to_thread(busy.copied), lambda count: count > copied)
    await until(lambda: asyncio.to_thread(busy.written), lambda count: count > before)
    said = busy.bench.said(100_000)
    assert "progress: " in said
    assert not re.search(r"[1-9][0-9]* failed|error|abort|terminat", said, re.IGNORECASE), said
    assert "terminated" not in busy.backup.said(2000)


async def _blocked(server: Postgres) -> int:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    return int(await asyncio.to_thread(psql, server, sql + " AND application_name LIKE 'shop-%'"))


async def _old(server: Postgres) -> list[str]:
    """Who has been idle in a transaction for longer than two seconds."""
    sql = (
        "SELECT application_name FROM pg_stat_activity WHERE state = 'idle in transaction' "
        "AND state_change < clock_timestamp() - interval '2.1 s'"
    )
    return (await asyncio.to_thread(psql, server, sql)).split()
