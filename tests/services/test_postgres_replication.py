"""Replication and prepared transactions, on a real primary with a real standby."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.postgres_clients import Crowd, pid, probe_of, psql, row_of, until
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack import postgres
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import Program, find, free_port, listening
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import MitigationContext, MitigationRefused, spec
from warroom.mitigations.postgres import Options

pytestmark = pytest.mark.service("postgres")


@dataclass
class Pair:
    primary: Postgres
    standby: Postgres


@pytest.fixture
async def pair(stack_folder: Path) -> AsyncIterator[Pair]:
    home = stack_folder / "pair"
    home.mkdir(mode=0o711)
    settings = ("max_prepared_transactions = 5", "wal_sender_timeout = 0")
    primary = await postgres.start(home, settings=settings)
    hba = primary.socket_dir / "data" / "pg_hba.conf"
    hba.write_text("local all all trust\nlocal replication all trust\n")
    psql(primary, "SELECT pg_reload_conf()")
    standby = await follower(primary)
    yield Pair(primary, standby)
    await standby.stop()
    await primary.stop()
    shutil.rmtree(home)


async def follower(primary: Postgres) -> Postgres:
    """A standby of `primary`, in its folder."""
    binaries = find("initdb", "apt install postgresql").resolve().parent
    home, port = primary.socket_dir, free_port()
    argv: list[str | Path] = [binaries / "pg_basebackup", "-D", home / "standby", "-h", home]
    argv += ["-p", str(primary.port), "-U", "postgres", "-R", "-c", "fast", "--no-sync"]
    copying = Program(argv, home / "basebackup.log")
    assert await copying.done(timeout=60) == 0, copying.said()
    log = home / "standby.log"
    running: list[str | Path] = [binaries / "postgres", "-D", home / "standby", "-p", str(port)]
    program = Program(running, log, ends_with=signal.SIGQUIT)
    await program.ready(lambda: listening(port) and b"read-only connections" in log.read_bytes())
    return Postgres(home, port, log, program)


async def test_a_standby_and_its_lag_are_seen_from_both_ends(pair: Pair) -> None:
    above, below = probe_of(pair.primary.dsn()), probe_of(pair.standby.dsn())
    try:
        seen = await until(above.sample, lambda s: s.metrics["standbys"] == 1)
        assert seen.facts["replication"].startswith("1 standby, lag ")
        assert any(row.data["backend_type"] == "walsender" for row in seen.rows)
        assert (await below.sample()).facts["replication"].startswith("standby")

        psql(pair.standby, "SELECT pg_wal_replay_pause()")
        psql(pair.primary, "CREATE TABLE late AS SELECT * FROM generate_series(1, 20000)")
        late = await until(below.sample, lambda s: s.metrics["replication_lag_bytes"] > 0)
        assert late.facts["replication"].endswith(" to replay")
        behind = await until(above.sample, lambda s: s.metrics["replication_lag_bytes"] > 500_000)
        assert "KiB" in behind.facts["replication"] or "MiB" in behind.facts["replication"]

        psql(pair.standby, "SELECT pg_wal_replay_resume()")
        level = await until(below.sample, lambda s: s.metrics["replication_lag_bytes"] == 0)
        assert level.metrics["replication_lag_s"] == 0
        assert level.facts["replication"] == "standby, level"
        told = await above.detail("")
        assert any(section.title == "standbys" for section in told.sections)
    finally:
        await above.close()
        await below.close()


async def test_a_slot_that_nobody_reads_is_told_with_what_it_holds_back(pair: Pair) -> None:
    probe = probe_of(pair.primary.dsn())
    psql(pair.primary, "SELECT pg_create_physical_replication_slot('forgotten', true)")
    psql(pair.primary, "CREATE TABLE much AS SELECT * FROM generate_series(1, 20000)")
    seen = await probe.sample()
    assert seen.facts["slots"].startswith("1 unused, up to ")
    assert seen.metrics["slot_retained_bytes"] > 500_000
    told = await probe.detail("")
    assert any("forgotten" in line for section in told.sections for line in section.lines)
    await probe.close()


async def test_the_sender_to_a_standby_is_not_terminated(pair: Pair) -> None:
    probe = probe_of(pair.primary.dsn())
    seen = await until(probe.sample, lambda s: s.metrics["standbys"] == 1)
    sender = next(row for row in seen.rows if row.data["backend_type"] == "walsender")
    context = MitigationContext(LocalHost(), SystemClock())
    terminate = spec("postgres.terminate").create(Options(Secret(pair.primary.dsn())), context)
    with pytest.raises(MitigationRefused, match="the server's own walsender"):
        await terminate.preview(sender)
    await terminate.close()
    await probe.close()


async def test_a_prepared_transaction_that_blocks_is_named(pair: Pair) -> None:
    psql(pair.primary, "CREATE TABLE held (id int)")
    probe = probe_of(pair.primary.dsn())
    async with Crowd(pair.primary) as crowd:
        author = await crowd.idles_in_transaction("LOCK TABLE held", "PREPARE TRANSACTION 'x'")
        await author.close()
        victim = await crowd.connect()
        crowd.runs(victim, "SELECT * FROM held")
        seen = await until(probe.sample, lambda s: s.metrics["blocked"] == 1)
        row = row_of(seen, pid(victim))
        assert row.data["blocked_by"] == [0]
        assert "prepared tx" in row.cells
        told = await probe.detail(row.key)
        chain = next(s for s in told.sections if s.title == "blocked by").lines
        assert chain == ("a prepared transaction: see pg_prepared_xacts",)
        psql(pair.primary, "ROLLBACK PREPARED 'x'")
    await probe.close()
