"""The postgres probe against a real server: its figures are those of psql."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres_clients import (
    Crowd,
    cells,
    pid,
    probe_of,
    psql,
    row_of,
    tcp,
    until,
)
from warroom.config.values import Secret
from warroom.domain.clock import ManualClock, SystemClock
from warroom.domain.sample import Health, Sample
from warroom.drill.stack.postgres import Postgres
from warroom.probes.base import ProbeFault
from warroom.probes.postgres import PostgresProbe

pytestmark = pytest.mark.service("postgres")

HOSTILE = "\x1b[31m[/x][@click=app.bell]x[/]\u202e\x9b2J"
CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@pytest.fixture
async def probes() -> AsyncIterator[Callable[..., PostgresProbe]]:
    """Makes probes and closes them after the test."""
    made: list[PostgresProbe] = []

    def make(dsn: str | Secret, **options: Any) -> PostgresProbe:
        made.append(probe_of(dsn, **options))
        return made[-1]

    yield make
    for probe in made:
        await probe.close()


@pytest.fixture
def probe(postgres_server: Postgres, probes: Callable[..., PostgresProbe]) -> PostgresProbe:
    return probes(postgres_server.dsn())


@pytest.fixture
async def crowd(postgres_server: Postgres) -> AsyncIterator[Crowd]:
    async with Crowd(postgres_server) as people:
        yield people


@pytest.fixture
def plain_role(postgres_server: Postgres) -> Iterator[str]:
    psql(postgres_server, "CREATE ROLE clerk LOGIN PASSWORD 'pa55'")
    yield "clerk"
    psql(postgres_server, "DROP OWNED BY clerk; DROP ROLE clerk")


@pytest.fixture
def tables(postgres_server: Postgres) -> Iterator[None]:
    for name in "abcd":
        psql(postgres_server, f"CREATE TABLE {name} (id int); INSERT INTO {name} VALUES (1)")
    yield
    psql(postgres_server, "DROP TABLE a, b, c, d")


async def test_connections_are_counted_by_state_as_psql_counts_them(
    probe: PostgresProbe, crowd: Crowd, postgres_server: Postgres
) -> None:
    for _ in range(3):
        await crowd.connect()
    for _ in range(2):
        await crowd.idles_in_transaction("SELECT 1")
    crowd.runs(await crowd.connect(), "SELECT pg_sleep(30)")

    seen = await until(
        probe.sample, lambda s: (s.metrics["connections"], s.metrics["active"]) == (7, 1)
    )

    assert int(psql(postgres_server, CLIENTS)) - 1 == 7, "six of ours, the probe, without psql"
    assert seen.metrics["connections_max"] == float(psql(postgres_server, "SHOW max_connections"))
    assert seen.facts["connections"] == "7/100"
    assert seen.facts["states"] == "1 active 3 idle 2 idle in tx"
    assert seen.summary == "7/100 connections"
    assert seen.health is Health.OK
    assert (seen.metrics["active"], seen.metrics["idle_in_transaction"]) == (1, 2)


async def test_slots_kept_for_superusers_are_no_slots_for_the_application(
    probe: PostgresProbe, postgres_server: Postgres
) -> None:
    reserved = int(psql(postgres_server, "SHOW superuser_reserved_connections"))
    seen = await probe.sample()
    share = 100 * seen.metrics["connections"] / (100 - reserved)
    assert seen.metrics["connections_percent"] == pytest.approx(share)


async def test_size_cache_and_totals_are_those_of_psql(
    probe: PostgresProbe, postgres_server: Postgres
) -> None:
    seen = await probe.sample()
    size = float(psql(postgres_server, "SELECT pg_database_size('postgres')"))
    hits, reads, deadlocks = psql(
        postgres_server,
        "SELECT sum(blks_hit), sum(blks_read), sum(deadlocks) FROM pg_stat_database",
    ).split("|")
    age = float(psql(postgres_server, "SELECT max(age(datfrozenxid)) FROM pg_database"))
    assert seen.metrics["database_bytes"] == size
    assert seen.metrics["cache_hit_percent"] == pytest.approx(
        100 * float(hits) / (float(hits) + float(reads)), abs=1.0
    )
    assert seen.metrics["deadlocks"] == float(deadlocks)
    assert seen.metrics["wraparound_percent"] == pytest.approx(100 * age / 2**31, rel=0.05)


async def test_transactions_a_second_are_those_between_two_looks(
    postgres_server: Postgres, probes: Callable[..., PostgresProbe], crowd: Crowd
) -> None:
    clock = ManualClock(SystemClock().now())
    probe = probes(postgres_server.dsn(), clock=clock)
    first = await probe.sample()
    assert "tps" not in first.metrics, "one look alone knows no rate"
    worker = await crowd.connect()
    for _ in range(100):
        await worker.execute("SELECT 1")
    await worker.close()  # a backend that ends publishes what it did

    clock.advance(10.0)
    seen = await probe.sample()

    assert 9 <= seen.metrics["tps"] <= 30


async def test_the_longest_query_and_transaction_are_found(
    probe: PostgresProbe, crowd: Crowd
) -> None:
    sleeper = await crowd.connect(app="reports")
    crowd.runs(sleeper, "SELECT pg_sleep(30) /* the guilty one */")
    idler = await crowd.idles_in_transaction("SELECT 1")

    seen = await until(probe.sample, lambda s: s.metrics["longest_query_s"] > 0.3)

    assert seen.metrics["longest_transaction_s"] >= seen.metrics["longest_query_s"] - 0.5
    assert seen.metrics["longest_idle_in_transaction_s"] > 0
    assert seen.facts["idle in transaction"].startswith("1, oldest ")
    assert seen.rows[0].data["pid"] == pid(sleeper), "who works stands before who idles"
    assert cells(seen.rows[0])["app"] == "reports"
    assert "the guilty one" in cells(seen.rows[0])["query"]
    assert seen.rows[1].data["pid"] == pid(idler)


async def test_a_chain_of_four_with_two_blockers_is_a_tree(
    probe: PostgresProbe, tables: None, crowd: Crowd
) -> None:
    one = await crowd.idles_in_transaction("SELECT * FROM a FOR SHARE")
    two = await crowd.idles_in_transaction("SELECT * FROM a FOR SHARE", "SELECT 'two'")
    third = await crowd.idles_in_transaction("LOCK TABLE b")
    fourth = await crowd.idles_in_transaction("LOCK TABLE c")
    fifth = await crowd.idles_in_transaction("LOCK TABLE d")
    crowd.runs(third, "LOCK TABLE a")  # waits for both row lockers
    crowd.runs(fourth, "LOCK TABLE b")
    crowd.runs(fifth, "LOCK TABLE c")

    seen = await until(probe.sample, lambda s: s.metrics["blocked"] == 3)

    assert [row.data["pid"] for row in seen.rows[2:5]] == [pid(third), pid(fourth), pid(fifth)]
    assert {row.data["pid"] for row in seen.rows[:2]} == {pid(one), pid(two)}
    assert [row.data["depth"] for row in seen.rows[:5]] == [0, 0, 1, 2, 3]
    assert set(seen.rows[2].data["blocked_by"]) == {pid(one), pid(two)}
    assert seen.rows[3].data["blocked_by"] == [pid(third)]
    assert row_of(seen, pid(one)).note == "blocks 1"
    assert seen.metrics["waiting"] == 3
    assert seen.summary.endswith("3 waiting")
    assert cells(seen.rows[4])["wait"] == "Lock:relation"

    told = await probe.detail(seen.rows[4].key)
    chain = next(s for s in told.sections if s.title == "blocked by").lines
    assert [line.split()[0] for line in chain[:2]] == [str(pid(fourth)), str(pid(third))]
    assert {line.split()[0] for line in chain[2:]} == {str(pid(one)), str(pid(two))}
    locks = next(s for s in told.sections if s.title == "locks").lines
    assert "WAITS" in locks[0]
    assert "AccessExclusive" in locks[0]


async def test_a_detail_shows_the_whole_query_and_says_when_the_backend_is_gone(
    probe: PostgresProbe, crowd: Crowd, postgres_server: Postgres
) -> None:
    client = await crowd.connect()
    crowd.runs(client, f"SELECT pg_sleep(30),\n  '{'x' * 900}' AS tail")
    seen = await until(probe.sample, lambda s: s.metrics["active"] == 1)
    key = row_of(seen, pid(client)).key

    told = await probe.detail(key)
    query = next(s for s in told.sections if s.title == "query").lines
    assert query[0] == "SELECT pg_sleep(30),"
    assert query[1].endswith("AS tail")

    psql(postgres_server, f"SELECT pg_terminate_backend({pid(client)}, 5000)")
    with pytest.raises(ProbeFault, match="is gone"):
        await probe.detail(key)


async def test_a_query_text_that_means_harm_arrives_as_pictures(
    probe: PostgresProbe, crowd: Crowd
) -> None:
    client = await crowd.connect(app="[@click=app.bell]x[/]")
    crowd.runs(client, f"SELECT pg_sleep(30) -- {HOSTILE}")
    seen = await until(probe.sample, lambda s: s.metrics["active"] == 1)
    row = row_of(seen, pid(client))
    assert "␛[31m[/x][@click=app.bell]x[/]␦␦2J" in cells(row)["query"]
    told = await probe.detail(row.key)
    texts = [text for s in told.sections for text in (*s.lines, *(v for _, v in s.pairs))]
    assert all(text.isprintable() for text in texts)


async def test_a_query_in_another_encoding_does_not_end_the_look(
    probe: PostgresProbe, crowd: Crowd, postgres_server: Postgres
) -> None:
    psql(postgres_server, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    client = await crowd.connect(postgres_server.dsn(database="latin"))
    crowd.runs(client, "SELECT pg_sleep(30), 'caf\u00e9'")
    seen = await until(probe.sample, lambda s: s.metrics["active"] == 1)
    assert "'caf\ufffd'" in cells(row_of(seen, pid(client)))["query"]
    psql(postgres_server, "DROP DATABASE latin WITH (FORCE)")


async def test_a_role_without_pg_monitor_says_what_it_does_not_see(
    postgres_server: Postgres,
    probes: Callable[..., PostgresProbe],
    plain_role: str,
    crowd: Crowd,
) -> None:
    stranger = await crowd.connect()
    probe = probes(postgres_server.dsn(user=plain_role))
    seen = await until(probe.sample, lambda s: s.metrics["connections"] == 2)

    assert seen.facts["visibility"] == "only own queries visible: GRANT pg_monitor TO clerk"
    assert seen.facts["states"] == "1 hidden"
    assert cells(row_of(seen, pid(stranger)))["state"] == "hidden"

    psql(postgres_server, "GRANT pg_monitor TO clerk")
    seen = await probe.sample()
    assert "visibility" not in seen.facts
    assert cells(row_of(seen, pid(stranger)))["state"] == "idle"


async def test_the_session_only_reads_and_a_long_query_of_the_team_is_ended(
    postgres_server: Postgres, probes: Callable[..., PostgresProbe]
) -> None:
    queries = {
        "orders": "SELECT 7 AS open, 'a\x1bb' AS note;",
        "writes": "CREATE TABLE harm ()",
        "unlocks": "SELECT set_config('transaction_read_only', 'off', false)",
        "two": "SELECT 1; SELECT 2",
        "slow": "SELECT pg_sleep(60)",
        "many": "SELECT * FROM generate_series(1, 100000) AS n",
    }
    probe = probes(postgres_server.dsn(), queries=queries, rows=5)
    told = await probe.detail("")
    lines = {section.title: section.lines for section in told.sections}
    assert lines["orders"] == ("open  note", "7     a␛b")
    assert "read-only transaction" in lines["writes"][0]
    assert "transaction read-write mode must be set" in lines["unlocks"][0]
    assert lines["two"][0].startswith("not shown: cannot insert multiple commands")
    assert "statement timeout" in lines["slow"][0]
    assert lines["many"][-1] == "… more rows are not shown"
    assert len(lines["many"]) == 7
    await until(probe.sample, lambda s: s.metrics["connections"] == 1)


async def test_a_server_whose_session_was_ended_is_looked_at_again(
    probe: PostgresProbe, postgres_server: Postgres
) -> None:
    await probe.sample()
    ended = psql(
        postgres_server,
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
        "WHERE application_name = 'warroom'",
    )
    assert ended == "1"

    async def looked() -> Sample | ProbeFault:
        try:
            return await probe.sample()
        except ProbeFault as fault:  # noticed under way: the next look connects again
            return fault

    seen = await until(looked, lambda s: isinstance(s, Sample))
    assert isinstance(seen, Sample)
    assert seen.health is Health.OK


async def test_a_frozen_backend_costs_one_look_and_one_connection(
    probe: PostgresProbe, postgres_server: Postgres
) -> None:
    await probe.sample()
    backend = int(
        psql(
            postgres_server,
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'warroom'",
        )
    )
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(probe.sample(), 0.3)
    finally:
        os.kill(backend, signal.SIGCONT)
    seen = await until(probe.sample, lambda s: s.metrics["connections"] == 1)
    assert seen.health is Health.OK


async def test_a_password_from_a_file_opens_the_door_over_tcp(
    postgres_server: Postgres,
    probes: Callable[..., PostgresProbe],
    plain_role: str,
    tmp_path: Path,
) -> None:
    file = tmp_path / "dsn"
    file.touch(mode=0o600)
    file.write_text(tcp(postgres_server, plain_role, "pa55"))
    probe = probes(Secret(f"file:{file}"))
    await until(probe.sample, lambda s: s.metrics["connections"] == 1)


async def test_behind_a_pooler_every_look_sets_its_own_limits(
    postgres_server: Postgres, probes: Callable[..., PostgresProbe], crowd: Crowd
) -> None:
    queries = {
        "limits": "SELECT current_setting('statement_timeout') AS a, "
        "current_setting('transaction_read_only') AS b",
        "wrong": "SELECT nothing",
        "right": "SELECT 1 AS one",
    }
    probe = probes(postgres_server.dsn() + "&pgbouncer=true", queries=queries)
    client = await crowd.connect()
    for _ in range(2):
        seen = await probe.sample()
        assert cells(row_of(seen, pid(client)))["state"] == "idle"
    told = await probe.detail("")
    lines = {section.title: section.lines for section in told.sections}
    assert lines["limits"][1].split() == ["3s", "on"]
    assert 'column "nothing" does not exist' in lines["wrong"][0]
    assert lines["right"] == ("one", "1"), "what fails does not spoil what follows"
    left = psql(
        postgres_server,
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'warroom' AND state LIKE 'idle in%'",
    )
    assert left == "0", "no transaction stays open between looks"
