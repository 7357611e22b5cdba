"""Ending many backends where it is hard: missing rights, cut connections, hostile text, crowds."""

from __future__ import annotations

import asyncio
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.own_postgres import OwnServer
from tests.services.postgres_clients import Crowd, pid, probe_of, psql, row_of, tcp, until
from tests.services.postgres_crowds import (
    Many,
    aged,
    alive,
    client,
    crowd,
    idler,
    many,
    shop,
    texts,
)
from tests.services.tcp_proxy import Proxy
from tests.support.waiting import comes_true
from warroom.drill.stack import postgres
from warroom.drill.stack.postgres import Postgres
from warroom.mitigations import _postgres_many
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Output,
)

__all__ = ["crowd", "many", "shop"]
pytestmark = [pytest.mark.service("postgres"), pytest.mark.usefixtures("shop")]

HOSTILE = "\x1b[2J[/x][@click=app.bell]x[/]\u202e\x9b1m"

DEFIANT = (
    "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); "
    "EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
)
"""Whom a cancel does not end."""


@pytest.fixture
def clerk(postgres_server: Postgres) -> Iterator[str]:
    """A role that sees everything and may signal nobody."""
    psql(postgres_server, "CREATE ROLE clerk LOGIN; GRANT pg_monitor TO clerk")
    yield postgres_server.dsn(user="clerk")
    psql(postgres_server, "DROP OWNED BY clerk; DROP ROLE clerk")


async def test_filters_are_exact_and_both_stand_on_the_card(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    wanted = await idler(crowd, postgres_server, app="cart")
    others = [await idler(crowd, postgres_server, app=app) for app in ("cart2", "Cart", "")]
    others.append(await idler(crowd, postgres_server, app="cart", user="postgres"))
    await aged(postgres_server, wanted, *others)
    mitigation = many(
        "terminate_idle", application_name="cart", user="shop", database="postgres", superusers=True
    )
    card = await mitigation.preview(None)
    assert dict(card.hits)["who"] == (
        "idle in a transaction for longer than 1s in database postgres of user shop "
        "of application cart"
    )
    assert (await mitigation.perform(card)).evidence["ended"] == [pid(wanted)]
    assert all(alive(postgres_server, one) for one in others)
    with pytest.raises(MitigationRefused, match="of application nobody"):
        await many("terminate_idle", application_name="nobody").preview(None)


async def test_how_long_is_asked_for_and_less_than_a_second_is_refused(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    await aged(postgres_server, await idler(crowd, postgres_server))
    mitigation = many("terminate_idle", longer_than=None)
    with pytest.raises(MitigationRefused, match=r"longer than 5m00s: 1 so far, the longest for \d"):
        await mitigation.preview(None)
    for text, reason in (("0s", "at least a second"), ("soon", "is not a duration")):
        with pytest.raises(MitigationRefused, match=reason):
            mitigation.answer({"longer_than": text})
    mitigation.answer({"longer_than": "1s"})
    assert (await mitigation.preview(None)).context["backends"]
    with pytest.raises(ValueError, match="longer_than: at least a second"):
        many("terminate_idle", longer_than=0.5)


async def test_superusers_and_backups_are_left_alone_and_said(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    boss = await idler(crowd, postgres_server, app="psql", user="postgres")
    dump = await idler(crowd, postgres_server, app="pg_dump")
    files = await idler(crowd, postgres_server, "SELECT 'pg_backup_start(1)'", app="own-script")
    await aged(postgres_server, boss, dump, files)
    with pytest.raises(MitigationRefused) as caught:
        await many("terminate_idle").preview(None)
    assert f"{pid(boss)} (a superuser's session: superusers = true" in str(caught.value)
    assert f"{pid(dump)}, {pid(files)} (a backup)" in str(caught.value)
    done = many("terminate_idle", superusers=True)
    assert (await done.perform(await done.preview(None))).evidence["ended"] == [pid(boss)]


async def test_a_role_without_the_right_is_told_which_one_is_missing(
    postgres_server: Postgres, crowd: Crowd, many: Many, clerk: str
) -> None:
    one = await idler(crowd, postgres_server)
    await aged(postgres_server, one)
    mitigation = many("terminate_idle", clerk)
    with pytest.raises(MitigationRefused, match="sessions of shop: GRANT pg_signal_backend TO"):
        await mitigation.preview(None)

    psql(postgres_server, "GRANT pg_signal_backend TO clerk")
    card = await mitigation.preview(None)
    psql(postgres_server, "REVOKE pg_signal_backend FROM clerk")
    with pytest.raises(MitigationFailed, match=r"(?i)permission denied|must be a member"):
        await mitigation.perform(card)
    assert alive(postgres_server, one)

    psql(postgres_server, "REVOKE pg_monitor FROM clerk")
    with pytest.raises(MitigationRefused, match="not visible for this role: GRANT pg_monitor"):
        await many("terminate_idle", clerk).preview(None)


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_the_act_leaves_it_uncertain(
    postgres_server: Postgres, crowd: Crowd, many: Many, tmp_path: Path, passes: bool
) -> None:
    psql(postgres_server, "ALTER ROLE postgres PASSWORD 'pa55'")
    one = await idler(crowd, postgres_server)
    await aged(postgres_server, one)
    file = tmp_path / "dsn"
    file.touch(mode=0o600)
    asked = b"\0\0\0\x17" + struct.pack("!iiii", 1, 1, 4, pid(one))  # int4[] of the one pid
    async with Proxy(postgres_server.port, asked, passes=passes) as proxy:
        dsn = tcp(postgres_server, "postgres", "pa55")
        file.write_text(dsn.replace(f":{postgres_server.port}/", f":{proxy.port}/"))
        mitigation = many("terminate_idle", f"file:{file}")
        card = await mitigation.preview(None)
        with pytest.raises(MitigationUncertain, match="it may have happened") as caught:
            await mitigation.perform(card)
        assert proxy.cuts == 1, "it is never tried again by itself"
        await mitigation.close()
    psql(postgres_server, "ALTER ROLE postgres PASSWORD NULL")
    assert "pa55" not in str(caught.value)
    assert alive(postgres_server, one) is not passes, "either may be true, and nobody knows"
    told = await many("terminate_idle").verify(card)
    assert told.startswith(f"of 1 backends {int(passes)} are gone")


async def test_stopped_half_way_it_says_what_is_known(
    postgres_server: Postgres, crowd: Crowd, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_postgres_many, "_GRACE_S", 60.0)  # or it would go on to the next step
    meek, hard = [await client(crowd, postgres_server) for _ in range(2)]
    crowd.runs(meek, "SELECT pg_sleep(60)")
    crowd.runs(hard, DEFIANT)
    await aged(postgres_server, meek, hard)
    mitigation = many("terminate_active")
    acting = asyncio.create_task(mitigation.perform(await mitigation.preview(None)))
    state = f"SELECT state FROM pg_stat_activity WHERE pid = {pid(meek)}"
    await until(lambda: asyncio.to_thread(psql, postgres_server, state), lambda s: s == "idle")
    await asyncio.sleep(0.5)  # it looks ten times a second
    acting.cancel()
    with pytest.raises(MitigationUncertain, match=f"1 cancelled: pid {pid(meek)}; what comes"):
        await acting
    assert alive(postgres_server, hard)


async def test_who_lost_the_right_to_act_goes_no_further(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    one = await idler(crowd, postgres_server)
    await aged(postgres_server, one)

    def fence() -> None:
        raise MitigationRefused("another console took it over")

    mitigation = many("terminate_idle", context={"fence": fence})
    with pytest.raises(MitigationRefused, match="another console took it over"):
        await mitigation.perform(await mitigation.preview(None))
    assert alive(postgres_server, one)


async def test_behind_a_pooler_it_compares_and_ends_the_same_way(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    one, other = [await idler(crowd, postgres_server) for _ in range(2)]
    await aged(postgres_server, one, other)
    mitigation = many("terminate_idle", postgres_server.dsn() + "&pgbouncer=true")
    card = await mitigation.preview(None)
    await other.execute("SELECT 1")
    done = await mitigation.perform(card)
    assert done.evidence["ended"] == [pid(one)]
    assert done.evidence["spared"] == {str(pid(other)): "had gone on working"}


async def test_who_wait_for_each_other_are_left_to_the_server(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    one, two = [await crowd.connect(deadlock_timeout="60s") for _ in range(2)]
    for number, connection in enumerate((one, two), start=1):
        await connection.execute("BEGIN")
        await connection.execute(f"UPDATE jobs SET n = 1 WHERE id = {number}")
    crowd.runs(one, "UPDATE jobs SET n = 2 WHERE id = 2")
    crowd.runs(two, "UPDATE jobs SET n = 2 WHERE id = 1")
    probe = probe_of(postgres_server.dsn())
    sample = await until(probe.sample, lambda s: s.metrics["blocked"] == 2)
    await probe.close()
    with pytest.raises(MitigationRefused, match="they wait for each other: the server ends one"):
        await many("terminate_blockers").preview(row_of(sample, pid(one)))


async def test_texts_that_mean_harm_are_harmless_on_the_card(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    role = HOSTILE.replace("/", "")  # which ends the name in a URL
    psql(postgres_server, f'CREATE ROLE "{role}" LOGIN')
    try:
        one = await idler(
            crowd, postgres_server, f"SELECT 1 -- {HOSTILE} {'x' * 5000}", app=HOSTILE, user=role
        )
        await aged(postgres_server, one)
        mitigation = many("terminate_idle")
        card = await mitigation.preview(None)
        assert all(text.isprintable() for text in texts(card))
        assert all(len(text) <= 600 for text in texts(card))
        assert "␛[2J[x][@click=app.bell]x[]" in dict(card.hits)["backends"]
        assert (await mitigation.perform(card)).evidence["ended"] == [pid(one)]
    finally:
        psql(postgres_server, f'DROP ROLE "{role}"')


async def test_query_bytes_of_another_encoding_are_no_reason_to_fail(
    postgres_server: Postgres, crowd: Crowd, many: Many
) -> None:
    sql = "CREATE DATABASE raw ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    psql(postgres_server, sql)
    try:
        dsn = postgres_server.dsn("shop", "raw")
        one = await crowd.connect(dsn, client_encoding="latin1")
        await one.execute("BEGIN; SELECT 'caf\u00e9 \u0080'")
        await aged(postgres_server, one)
        mitigation = many("terminate_idle")
        card = await mitigation.preview(None)
        assert all(text.isprintable() for text in texts(card))
        await mitigation.perform(card)
    finally:
        psql(postgres_server, "DROP DATABASE raw WITH (FORCE)")


async def test_three_hundred_backends_are_ended_and_each_is_accounted_for(
    stack_folder: Path, many: Many
) -> None:
    home = stack_folder / "crowded"
    home.mkdir(mode=0o711)
    server = await postgres.start(home, settings=("max_connections = 340",))
    try:
        psql(server, "CREATE ROLE shop LOGIN")
        async with Crowd(server) as people:
            leaked: list[Any] = [await idler(people, server) for _ in range(300)]
            await aged(server, *leaked)
            mitigation = many("terminate_idle", server.dsn())
            card = await mitigation.preview(None)
            assert card.word == "300 backends"
            hits = dict(card.hits)
            assert hits["backends"] == "300: shop@postgres shop 300"
            assert hits["and"] == "288 more: shop@postgres shop 288"
            assert len(card.hits) < 20
            back = leaked[::3]
            for one in back:
                await one.execute("SELECT 1")
            done = await mitigation.perform(card)
            assert set(done.evidence["ended"]) == {pid(one) for one in leaked} - set(map(pid, back))
            assert done.evidence["spared"].keys() == {str(pid(one)) for one in back}
            assert len(done.text) < 600
            left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'"
            assert psql(server, left) == "100"
        await mitigation.close()
    finally:
        await server.stop()
        shutil.rmtree(home)


async def test_a_prepared_transaction_at_the_root_is_said_and_what_takes_it_away(
    stack_folder: Path, many: Many
) -> None:
    home = stack_folder / "prepared"
    home.mkdir(mode=0o711)
    server = await postgres.start(home, settings=("max_prepared_transactions = 2",))
    try:
        psql(
            server, "CREATE TABLE jobs (id int PRIMARY KEY, n int); INSERT INTO jobs VALUES (1, 0)"
        )
        psql(server, "BEGIN; UPDATE jobs SET n = 1; PREPARE TRANSACTION 'forgotten'")
        async with Crowd(server) as people:
            victim = await people.connect()
            people.runs(victim, "UPDATE jobs SET n = 2")
            probe = probe_of(server.dsn())
            sample = await until(probe.sample, lambda s: s.metrics["blocked"] == 1)
            await probe.close()
            mitigation = many("terminate_blockers", server.dsn())
            with pytest.raises(
                MitigationRefused, match="pg_prepared_xacts, then ROLLBACK PREPARED"
            ):
                await mitigation.preview(row_of(sample, pid(victim)))
            await mitigation.close()
    finally:
        await server.stop()
        shutil.rmtree(home)


async def test_a_server_that_dies_under_the_act_leaves_it_uncertain(
    stack_folder: Path, many: Many
) -> None:
    home = stack_folder / "dies"
    home.mkdir(mode=0o711)
    own = await OwnServer.started(home)
    psql(own.server, "CREATE ROLE shop LOGIN")
    people = Crowd(own.server)
    hard = await client(people, own.server)
    running = people.runs(hard, DEFIANT)
    await aged(own.server, hard)
    output = Output()
    mitigation = many("terminate_active", own.server.dsn(), {"output": output})
    card = await mitigation.preview(None)
    acting = asyncio.create_task(mitigation.perform(card))
    assert await comes_true(lambda: output.count == 1), "it was told to cancel"
    await own.kill()
    with pytest.raises(MitigationUncertain, match="it may have happened"):
        await acting
    with pytest.raises(MitigationRefused):
        await mitigation.perform(card)
    await asyncio.gather(running, return_exceptions=True)
    shutil.rmtree(home)
