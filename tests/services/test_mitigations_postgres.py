"""Cancelling a query and terminating a backend, on a real server."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres_clients import Crowd, pid, probe_of, psql, row_of, tcp, until
from tests.services.tcp_proxy import Proxy
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Row, Sample
from warroom.drill.stack.postgres import Postgres
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import (
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
    spec,
)
from warroom.mitigations.postgres import EndBackend, Options
from warroom.probes.postgres import PostgresProbe

pytestmark = pytest.mark.service("postgres")

Make = Callable[..., EndBackend]


@pytest.fixture
async def probe(postgres_server: Postgres) -> AsyncIterator[PostgresProbe]:
    looking = probe_of(postgres_server.dsn())
    yield looking
    await looking.close()


@pytest.fixture
async def mitigation(postgres_server: Postgres) -> AsyncIterator[Make]:
    """Makes a mitigation of a kind and closes it after the test."""
    made: list[EndBackend] = []

    def make(act: str, dsn: Secret | None = None, **around: Any) -> EndBackend:
        options = Options(dsn or Secret(postgres_server.dsn()))
        context = MitigationContext(LocalHost(), SystemClock(), **around)
        one = spec(f"postgres.{act}").create(options, context)
        assert isinstance(one, EndBackend)
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


@pytest.fixture
def table(postgres_server: Postgres) -> Iterator[str]:
    psql(postgres_server, "CREATE TABLE jobs (id int); INSERT INTO jobs VALUES (1)")
    yield "jobs"
    psql(postgres_server, "DROP TABLE jobs")


@pytest.fixture
def clerk(postgres_server: Postgres) -> Iterator[str]:
    psql(postgres_server, "CREATE ROLE clerk LOGIN PASSWORD 'pa55'")
    psql(postgres_server, "GRANT pg_monitor TO clerk")
    yield "clerk"
    psql(postgres_server, "DROP OWNED BY clerk; DROP ROLE clerk")


@pytest.fixture
async def crowd(postgres_server: Postgres) -> AsyncIterator[Crowd]:
    async with Crowd(postgres_server) as people:
        yield people


async def shown(probe: PostgresProbe, client: Any) -> Row:
    """The row of a client as the pane shows it."""

    def there(sample: Sample) -> bool:
        return any(row.data["pid"] == pid(client) for row in sample.rows)

    return row_of(await until(probe.sample, there), pid(client))


async def working(probe: PostgresProbe, client: Any) -> Row:
    """The row of a client once it runs something."""
    await until(probe.sample, lambda s: s.metrics["active"] == 1)
    return await shown(probe, client)


def alive(server: Postgres, client: Any) -> bool:
    return psql(server, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid(client)}") == "1"


async def test_a_blocker_is_terminated_and_who_waited_goes_on(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, table: str, crowd: Crowd
) -> None:
    blocker = await crowd.idles_in_transaction("UPDATE jobs SET id = 2")
    waiting = crowd.runs(await crowd.connect(), "UPDATE jobs SET id = 3")
    await until(probe.sample, lambda s: s.metrics["blocked"] == 1)
    terminate = mitigation("terminate")

    card = await terminate.preview(await shown(probe, blocker))

    assert card.command[0] == f"SELECT pg_terminate_backend({pid(blocker)})"
    assert card.risk is Risk.DESTROY
    assert card.word == str(pid(blocker)), "the pid is typed to confirm"
    hits = dict(card.hits)
    assert hits["query"] == "UPDATE jobs SET id = 2"
    assert hits["blocks"] == "1 backends directly, 1 in all"
    assert "jobs RowExclusive" in hits["holds locks"]
    assert hits["transaction"].endswith("has written")
    assert card.undo.startswith("nothing: its transaction is rolled back")
    assert not waiting.done(), "a preview changes nothing"

    done = await terminate.perform(card)

    assert done.text == await terminate.verify(card) == f"pid {pid(blocker)} is gone"
    assert not alive(postgres_server, blocker)
    await waiting
    assert psql(postgres_server, "SELECT id FROM jobs") == "3"


@pytest.mark.parametrize("parameters", ["", "&pgbouncer=true"])
async def test_a_query_is_cancelled_and_its_session_stays(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, crowd: Crowd, parameters: str
) -> None:
    import asyncpg

    client = await crowd.connect()
    running = crowd.runs(client, "SELECT pg_sleep(60)")
    cancel = mitigation("cancel", Secret(postgres_server.dsn() + parameters))
    card = await cancel.preview(await working(probe, client))
    assert card.command[0] == f"SELECT pg_cancel_backend({pid(client)})"
    assert card.risk is Risk.CHANGE
    assert card.word == "", "Enter is enough"

    done = await cancel.perform(card)

    assert done.text == f"the query of pid {pid(client)} is cancelled; its session is idle"
    with pytest.raises(asyncpg.QueryCanceledError):
        await running
    assert await client.fetchval("SELECT 1") == 1
    assert (await cancel.verify(card)).startswith(f"pid {pid(client)} is idle, its last query")


async def test_another_query_of_the_same_session_is_not_cancelled(
    probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.connect()
    first = crowd.runs(client, "SELECT pg_sleep(60)")
    cancel = mitigation("cancel")
    card = await cancel.preview(await working(probe, client))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = crowd.runs(client, "SELECT pg_sleep(50)")
    await until(
        probe.sample, lambda s: row_of(s, pid(client)).data["query"] == "SELECT pg_sleep(50)"
    )

    with pytest.raises(MitigationRefused, match="another one runs now"):
        await cancel.perform(card)
    assert not second.done()


async def test_nothing_is_signalled_once_the_right_to_act_was_lost(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    def fence() -> None:
        raise MitigationRefused("another console took it over")

    client = await crowd.connect()
    terminate = mitigation("terminate", fence=fence)
    with pytest.raises(MitigationRefused, match="another console took it over"):
        await terminate.perform(await terminate.preview(await shown(probe, client)))
    assert alive(postgres_server, client)


async def test_who_idles_has_no_query_to_cancel(
    probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.idles_in_transaction("SELECT 1")
    with pytest.raises(MitigationRefused, match="idle in transaction: no query runs"):
        await mitigation("cancel").preview(await shown(probe, client))


async def test_a_backend_that_has_gone_is_refused_before_and_after_the_card(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.connect()
    row = await shown(probe, client)
    card = await mitigation("terminate").preview(row)
    psql(postgres_server, f"SELECT pg_terminate_backend({pid(client)}, 5000)")

    with pytest.raises(MitigationRefused, match=f"not done: pid {pid(client)} is gone"):
        await mitigation("terminate").perform(card)
    with pytest.raises(MitigationRefused, match="is gone"):
        await mitigation("terminate").preview(row)


async def test_a_pid_that_was_given_to_another_backend_is_refused_with_both_starts(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.connect()
    row = await shown(probe, client)
    card = await mitigation("terminate").preview(row)
    before = "2001-02-03T04:05:06.000007+00:00"
    stale = dataclasses.replace(row, data={**row.data, "backend_start": before})
    with pytest.raises(MitigationRefused, match=r"another backend now: .* shown was 2001-02-03"):
        await mitigation("terminate").preview(stale)

    older = dataclasses.replace(
        card,
        target=dataclasses.replace(
            card.target, identity={**card.target.identity, "backend_start": before}
        ),
        context={**card.context, "instants": [before]},
    )
    with pytest.raises(MitigationRefused, match=r"not done: .* is another backend now"):
        await mitigation("terminate").perform(older)
    assert alive(postgres_server, client)


async def test_warroom_does_not_end_itself_nor_the_servers_own(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make
) -> None:
    await probe.sample()
    sql = "SELECT pid, to_json(backend_start)#>>'{{}}' FROM pg_stat_activity WHERE {} LIMIT 1"

    def row(where: str) -> Row:
        number, text = psql(postgres_server, sql.format(where)).split("|")
        start = datetime.fromisoformat(text).isoformat()
        return Row(number, number, (), data={"pid": int(number), "backend_start": start})

    with pytest.raises(MitigationRefused, match="is a warroom session"):
        await mitigation("terminate").preview(row("application_name = 'warroom'"))
    with pytest.raises(MitigationRefused, match="no client but the server's own checkpointer"):
        await mitigation("terminate").preview(row("backend_type = 'checkpointer'"))


async def test_a_role_that_may_not_signal_says_which_grant_is_missing(
    postgres_server: Postgres,
    probe: PostgresProbe,
    mitigation: Make,
    clerk: str,
    crowd: Crowd,
    tmp_path: Path,
) -> None:
    psql(postgres_server, "CREATE ROLE other LOGIN")
    client = await crowd.connect(postgres_server.dsn(user="other"))
    boss = await crowd.connect()
    mine = mitigation("terminate", Secret(postgres_server.dsn(user=clerk)))
    row = await shown(probe, client)
    try:
        with pytest.raises(MitigationRefused, match="GRANT pg_signal_backend TO clerk"):
            await mine.preview(row)
        with pytest.raises(MitigationRefused, match="a superuser: that takes a superuser"):
            await mine.preview(await shown(probe, boss))

        psql(postgres_server, "GRANT pg_signal_backend TO clerk")
        card = await mine.preview(row)
        psql(postgres_server, "REVOKE pg_signal_backend FROM clerk")
        with pytest.raises(MitigationFailed, match=r"(?i)permission denied|must be a member"):
            await mine.perform(card)

        psql(postgres_server, "GRANT pg_signal_backend TO clerk")
        assert (await mine.perform(card)).text.endswith("is gone")
    finally:
        await mine.close()
        await until(lambda: _gone(postgres_server, "other"), bool)
        psql(postgres_server, "DROP ROLE other")


async def _gone(server: Postgres, role: str) -> bool:
    return psql(server, f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'") == "0"


def kept(folder: Path, dsn: str) -> Secret:
    file = folder / "dsn"
    file.touch(mode=0o600)
    file.write_text(dsn)
    return Secret(f"file:{file}")


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_the_act_leaves_it_uncertain(
    postgres_server: Postgres,
    probe: PostgresProbe,
    mitigation: Make,
    crowd: Crowd,
    tmp_path: Path,
    passes: bool,
) -> None:
    psql(postgres_server, "ALTER ROLE postgres PASSWORD 'pa55'")
    client = await crowd.connect()
    row = await shown(probe, client)
    async with Proxy(
        postgres_server.port, b"pg_terminate_backend", passes=passes, later=1
    ) as proxy:
        dsn = tcp(postgres_server, "postgres", "pa55").replace(
            f":{postgres_server.port}/", f":{proxy.port}/"
        )
        terminate = mitigation("terminate", kept(tmp_path, dsn))
        card = await terminate.preview(row)
        with pytest.raises(MitigationUncertain, match="may have happened") as caught:
            await terminate.perform(card)
        assert proxy.cuts == 1, "it is never tried again by itself"
        await terminate.close()
    assert "pa55" not in str(caught.value)
    psql(postgres_server, "ALTER ROLE postgres PASSWORD NULL")
    assert alive(postgres_server, client) is not passes, "either may be true, and nobody knows"


async def test_a_server_that_is_gone_before_the_act_is_a_refusal(
    postgres_server: Postgres, probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.connect()
    card = await mitigation("terminate").preview(await shown(probe, client))
    away = mitigation("terminate", Secret("postgresql://u@127.0.0.1:1/d"))
    with pytest.raises(MitigationRefused, match="connection refused"):
        await away.perform(card)
    with pytest.raises(MitigationRefused, match="select a backend first"):
        await away.preview(None)


async def test_a_query_that_means_harm_is_harmless_on_the_card(
    probe: PostgresProbe, mitigation: Make, crowd: Crowd
) -> None:
    client = await crowd.connect(app="[@click=app.bell]x[/]")
    crowd.runs(client, "SELECT pg_sleep(60) -- \x1b[2J \u202e \x9b1m " + "x" * 5000)
    card = await mitigation("cancel").preview(await working(probe, client))
    texts = [*card.command, *card.warnings, card.undo, *(text for hit in card.hits for text in hit)]
    assert all(text.isprintable() for text in texts)
    assert all(len(text) <= 400 for text in texts)
