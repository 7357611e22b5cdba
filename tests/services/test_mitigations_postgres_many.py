"""Ending many backends at once, each only if it still is what was shown, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.services.postgres_clients import Crowd, pid, probe_of, psql, row_of, until
from tests.services.postgres_crowds import Many, aged, alive, client, crowd, idler, many, shop
from warroom.domain.sample import Row
from warroom.drill.stack.postgres import Postgres
from warroom.mitigations.base import MitigationRefused, Output, Risk
from warroom.probes.postgres import PostgresProbe

__all__ = ["crowd", "many", "shop"]
pytestmark = [pytest.mark.service("postgres"), pytest.mark.usefixtures("shop")]


@pytest.fixture
async def probe(postgres_server: Postgres) -> AsyncIterator[PostgresProbe]:
    looking = probe_of(postgres_server.dsn())
    yield looking
    await looking.close()


async def test_exactly_those_that_idle_in_a_transaction_for_that_long_are_ended(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    leaked = [await idler(crowd, postgres_server, "UPDATE jobs SET n = 1 WHERE id = 1")]
    leaked.append(await idler(crowd, postgres_server, "SELECT 1", app="report"))
    waiting = crowd.runs(await client(crowd, postgres_server), "UPDATE jobs SET n = 2")
    idle = await client(crowd, postgres_server)
    await aged(postgres_server, *leaked, idle)
    young = await idler(crowd, postgres_server)
    mitigation = many("terminate_idle", longer_than=1.0)

    card = await mitigation.preview(None)

    assert (card.risk, card.word) == (Risk.DESTROY, "2 backends")
    assert card.target.identity.keys() == {str(pid(one)) for one in leaked}
    hits = dict(card.hits)
    assert hits["who"] == "idle in a transaction for longer than 1s"
    assert hits["backends"].startswith("2: shop@postgres ")
    assert hits["have written"] == "1 of them: that is rolled back"
    assert hits["wait for them"] == "1 backends"
    assert "UPDATE jobs SET n = 1 WHERE id = 1" in hits[f"pid {pid(leaked[0])}"]
    assert card.warnings == ()
    assert all(alive(postgres_server, one) for one in leaked), "a preview changes nothing"

    done = await mitigation.perform(card)

    assert set(done.evidence["ended"]) == {pid(one) for one in leaked}
    assert done.text.startswith("2 ended: pid ")
    await waiting
    assert not any(alive(postgres_server, one) for one in leaked)
    assert alive(postgres_server, young)
    assert alive(postgres_server, idle)
    assert await mitigation.verify(card) == "of 2 backends 2 are gone"


async def test_who_goes_on_working_after_the_card_is_left_alone_and_named(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    stuck, back, over, gone = [await idler(crowd, postgres_server) for _ in range(4)]
    await aged(postgres_server, stuck, back, over, gone)
    mitigation = many("terminate_idle")
    card = await mitigation.preview(None)
    await back.execute("UPDATE jobs SET n = 5 WHERE id = 2")  # and idles in it again
    await over.execute("COMMIT")
    psql(postgres_server, f"SELECT pg_terminate_backend({pid(gone)}, 5000)")

    done = await mitigation.perform(card)

    assert done.evidence["ended"] == [pid(stuck)]
    assert done.evidence["spared"] == {
        str(pid(back)): "had gone on working",
        str(pid(over)): "had ended its transaction",
        str(pid(gone)): "had gone",
    }
    assert done.text.startswith(f"1 ended: pid {pid(stuck)}; 3 spared: ")
    await back.execute("COMMIT")
    assert psql(postgres_server, "SELECT n FROM jobs WHERE id = 2") == "5"


async def test_when_all_have_changed_nothing_is_done(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    one = await idler(crowd, postgres_server)
    await aged(postgres_server, one)
    mitigation = many("terminate_idle")
    card = await mitigation.preview(None)
    assert card.word == str(pid(one))
    await one.execute("SELECT 1")
    with pytest.raises(MitigationRefused, match=f"not done: 1 spared: pid {pid(one)} had gone on"):
        await mitigation.perform(card)
    assert await mitigation.verify(card) == "of 1 backends 0 are gone, 1 do something else now"


async def test_a_long_query_is_cancelled_and_only_who_defies_that_loses_its_session(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    defiant = (
        "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); "
        "EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
    )
    meek, hard = [await client(crowd, postgres_server) for _ in range(2)]
    crowd.runs(meek, "SELECT pg_sleep(60)")
    crowd.runs(hard, defiant)
    await aged(postgres_server, meek, hard)
    output = Output()
    mitigation = many("terminate_active", context={"output": output})

    done = await mitigation.perform(await mitigation.preview(None))

    assert (done.evidence["cancelled"], done.evidence["ended"]) == ([pid(meek)], [pid(hard)])
    assert alive(postgres_server, meek)
    assert not alive(postgres_server, hard)
    assert [line.partition(":")[0] for line in output.lines] == ["cancel", "terminate"]


async def test_cancelling_leaves_every_session_and_says_who_runs_on(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    meek = await client(crowd, postgres_server)
    crowd.runs(meek, "SELECT pg_sleep(60)")
    await aged(postgres_server, meek)
    cancel = many("cancel_active")
    card = await cancel.preview(None)
    assert (card.risk, card.word) == (Risk.CHANGE, "")
    assert (await cancel.perform(card)).text == f"1 cancelled: pid {pid(meek)}"
    assert await meek.fetchval("SELECT 1") == 1
    with pytest.raises(MitigationRefused, match="nobody has been active for longer than 1s"):
        await cancel.preview(None)


async def test_another_query_of_the_same_session_is_not_hit(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    one = await client(crowd, postgres_server)
    first = crowd.runs(one, "SELECT pg_sleep(60)")
    await aged(postgres_server, one)
    mitigation = many("terminate_active")
    card = await mitigation.preview(None)
    psql(postgres_server, f"SELECT pg_cancel_backend({pid(one)})")
    await asyncio.wait([first])
    second = crowd.runs(one, "SELECT pg_sleep(50)")
    with pytest.raises(MitigationRefused, match="had ended that query"):
        await mitigation.perform(card)
    assert not second.done()


async def shown(probe: PostgresProbe, one: Any) -> Row:
    def there(sample: Any) -> bool:
        return any(row.data["pid"] == pid(one) for row in sample.rows)

    return row_of(await until(probe.sample, there), pid(one))


async def test_the_root_of_a_lock_chain_is_ended_and_nobody_between(
    postgres_server: Postgres, crowd: Crowd, many: Many, probe: PostgresProbe
) -> None:
    root = await idler(crowd, postgres_server, "UPDATE jobs SET n = 1 WHERE id = 1")
    between = await idler(crowd, postgres_server, "UPDATE jobs SET n = 2 WHERE id = 2")
    bystander = await idler(crowd, postgres_server)
    first = crowd.runs(between, "UPDATE jobs SET n = 2 WHERE id = 1")
    victim = await client(crowd, postgres_server)
    last = crowd.runs(victim, "UPDATE jobs SET n = 3 WHERE id = 2")
    await until(probe.sample, lambda s: s.metrics["blocked"] == 2)
    mitigation = many("terminate_blockers")

    card = await mitigation.preview(await shown(probe, victim))

    assert card.word == str(pid(root))
    assert dict(card.hits)["waits"] == f"pid {pid(victim)}, behind 2 in all, 1 at the root"
    done = await mitigation.perform(card)
    assert done.text == f"1 ended: pid {pid(root)}"
    await first
    assert not last.done(), "the one between still has its own lock"
    assert alive(postgres_server, between)
    assert alive(postgres_server, bystander)
    await between.execute("COMMIT")
    await last


async def test_a_root_that_runs_a_query_lets_go_when_that_is_cancelled(
    postgres_server: Postgres, crowd: Crowd, many: Many, probe: PostgresProbe
) -> None:
    root = await idler(crowd, postgres_server, "UPDATE jobs SET n = 1 WHERE id = 1")
    crowd.runs(root, "SELECT pg_sleep(60)")
    victim = await client(crowd, postgres_server)
    last = crowd.runs(victim, "UPDATE jobs SET n = 3 WHERE id = 1")
    await until(probe.sample, lambda s: s.metrics["blocked"] == 1)
    mitigation = many("terminate_blockers")
    done = await mitigation.perform(await mitigation.preview(await shown(probe, victim)))
    assert done.text == f"1 cancelled: pid {pid(root)}"
    await last
    assert alive(postgres_server, root)


async def test_a_root_that_let_go_meanwhile_is_left_alone(
    postgres_server: Postgres, crowd: Crowd, many: Many, probe: PostgresProbe
) -> None:
    root = await idler(crowd, postgres_server, "UPDATE jobs SET n = 1 WHERE id = 1")
    victim = await client(crowd, postgres_server)
    last = crowd.runs(victim, "UPDATE jobs SET n = 3 WHERE id = 1")
    await until(probe.sample, lambda s: s.metrics["blocked"] == 1)
    mitigation = many("terminate_blockers")
    row = await shown(probe, victim)
    card = await mitigation.preview(row)
    await root.execute("COMMIT")
    await root.execute("BEGIN")
    await last
    with pytest.raises(MitigationRefused, match=r"not done: 1 spared: .* in another transaction"):
        await mitigation.perform(card)
    with pytest.raises(MitigationRefused, match="waits for nobody, or is gone"):
        await mitigation.preview(row)
    with pytest.raises(MitigationRefused, match="select a backend that waits first"):
        await mitigation.preview(None)
