"""Flushing one database of a real Redis."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.services.redis_clients import another, cli
from tests.services.tcp_proxy import Proxy
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack import redis
from warroom.drill.stack.redis import Redis
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import (
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
    spec,
)
from warroom.mitigations.redis import FlushDb, Options

pytestmark = pytest.mark.service("redis")

Make = Callable[..., FlushDb]
HOSTILE = "\x1b[2J[/x][@click=app.bell]x[/]\u202e"


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    cli(redis_server, "FLUSHALL")
    yield redis_server
    cli(redis_server, "FLUSHALL")


@pytest.fixture
async def flush() -> AsyncIterator[Make]:
    """Makes the mitigation for a URL and closes it after the test."""
    made: list[FlushDb] = []

    def make(url: str, db: int | None = None, asynchronous: bool = True) -> FlushDb:
        options = Options(Secret(url), db, asynchronous)
        context = MitigationContext(LocalHost(), SystemClock())
        one = spec("redis.flushdb").create(options, context)
        assert isinstance(one, FlushDb)
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


def fill(server: Redis, db: int, keys: int) -> None:
    script = f"for i = 1, {keys} do redis.call('SET', 'sess:' .. i, i) end"
    cli(server, "-n", str(db), "EVAL", script, "0")


async def test_the_card_shows_what_would_be_lost_and_changes_nothing(
    server: Redis, flush: Make
) -> None:
    fill(server, 0, 1204)
    fill(server, 3, 88)
    cli(server, "EXPIRE", "sess:1", "600")

    card = await flush(server.url).preview(None)

    hits = dict(card.hits)
    assert hits["keys"] == "1,204"
    assert hits["untouched"] == "db3 88"
    assert "sess:" in hits["for example"]
    assert card.command[0] == "FLUSHDB ASYNC"
    assert (card.risk, card.word) == (Risk.DESTROY, "db0")
    assert card.target.id == f"127.0.0.1:{server.port} db0"
    assert card.warnings == ("1,203 of the 1,204 keys never expire: they may be more than a cache",)
    assert card.undo.startswith("nothing: every key")
    assert cli(server, "DBSIZE") == "1204"


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_the_keys_of_that_database_are_removed_and_no_others(
    server: Redis, flush: Make, asynchronous: bool
) -> None:
    fill(server, 0, 7)
    fill(server, 5, 1204)
    mitigation = flush(f"redis://127.0.0.1:{server.port}/5", asynchronous=asynchronous)
    card = await mitigation.preview(None)
    assert card.word == "db5"

    done = await mitigation.perform(card)

    assert done.text == "1,204 keys removed from db5"
    assert (done.evidence["keys"], done.evidence["keys_after"]) == (1204, 0)
    assert cli(server, "-n", "5", "DBSIZE") == "0"
    assert cli(server, "DBSIZE") == "7"
    assert await mitigation.verify(card) == "0 keys in db5 now"
    calls = cli(server, "INFO", "commandstats")
    assert "cmdstat_flushdb:" in calls


async def test_the_option_names_another_database_than_the_url(server: Redis, flush: Make) -> None:
    fill(server, 2, 3)
    mitigation = flush(server.url, db=2)
    done = await mitigation.perform(await mitigation.preview(None))
    assert done.text == "3 keys removed from db2"


async def test_an_empty_database_and_one_that_is_not_there_are_refused(
    server: Redis, flush: Make
) -> None:
    with pytest.raises(MitigationRefused, match="db0 is empty: there is nothing to flush"):
        await flush(server.url).preview(None)
    with pytest.raises(MitigationRefused, match="it has no db 99"):
        await flush(f"redis://127.0.0.1:{server.port}/99").preview(None)


async def test_a_server_that_was_restarted_since_the_card_is_refused(
    stack_folder: Path, flush: Make
) -> None:
    home = stack_folder / "restarted"
    home.mkdir(mode=0o711)
    first = await redis.start(home, tcp=True)
    fill(first, 0, 10)
    mitigation = flush(f"unix://{first.socket}")
    card = await mitigation.preview(None)
    await first.stop()
    first.socket.unlink(missing_ok=True)
    shutil.rmtree(home / "redis")
    second = await redis.start(home, tcp=True)
    try:
        assert second.socket == first.socket
        fill(second, 0, 4)
        with pytest.raises(MitigationRefused, match="not done: the server was restarted"):
            await mitigation.perform(card)
        assert cli(second, "DBSIZE") == "4"
    finally:
        await second.stop()
        shutil.rmtree(home)


async def test_a_replica_is_refused_by_name_of_its_primary(
    stack_folder: Path, server: Redis, flush: Make
) -> None:
    fill(server, 0, 3)
    primary = f"127.0.0.1 {server.port}"
    async with another(stack_folder, "follower", f"replicaof {primary}") as replica:
        with pytest.raises(MitigationRefused, match=f"replica of 127.0.0.1:{server.port}"):
            await flush(replica.url).preview(None)


async def test_a_user_who_may_not_flush_fails_with_the_missing_right(
    server: Redis, flush: Make, tmp_path: Path
) -> None:
    fill(server, 0, 3)
    cli(server, "ACL", "SETUSER", "clerk", "on", ">pa55", "~*", "+@all", "-flushdb")
    file = tmp_path / "url"
    file.touch(mode=0o600)
    file.write_text(f"redis://clerk:pa55@127.0.0.1:{server.port}/0")
    try:
        mitigation = flush(f"file:{file}")
        with pytest.raises(MitigationFailed, match="user clerk may not run FLUSHDB"):
            await mitigation.perform(await mitigation.preview(None))
        assert cli(server, "DBSIZE") == "3"
    finally:
        await mitigation.close()
        cli(server, "ACL", "DELUSER", "clerk")


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_the_flush_leaves_it_uncertain(
    server: Redis, flush: Make, passes: bool
) -> None:
    fill(server, 0, 9)
    async with Proxy(server.port, b"FLUSHDB", passes=passes) as proxy:
        mitigation = flush(f"redis://127.0.0.1:{proxy.port}/0")
        card = await mitigation.preview(None)
        with pytest.raises(MitigationUncertain, match="it may have happened"):
            await mitigation.perform(card)
        assert proxy.cuts == 1, "it is never tried again by itself"
        await mitigation.close()
    assert cli(server, "DBSIZE") == ("0" if passes else "9"), "either may be true"


async def test_a_server_that_is_gone_before_the_act_is_a_refusal(
    server: Redis, flush: Make
) -> None:
    fill(server, 0, 3)
    card = await flush(server.url).preview(None)
    with pytest.raises(MitigationRefused, match="connection refused"):
        await flush("redis://127.0.0.1:1/0").perform(card)
    other = dataclasses.replace(
        card, target=dataclasses.replace(card.target, identity={"run_id": "0", "db": "0"})
    )
    with pytest.raises(MitigationRefused, match="restarted since, or it is another"):
        await flush(server.url).perform(other)
    assert cli(server, "DBSIZE") == "3"


async def test_a_key_that_means_harm_is_harmless_on_the_card(server: Redis, flush: Make) -> None:
    cli(server, "SET", HOSTILE, "1")
    cli(server, "SET", b"\xff\xfe" + b"k" * 100_000, "1")
    card = await flush(server.url).preview(None)
    example = dict(card.hits)["for example"]
    assert example.isprintable()
    assert "␛[2J[/x][@click=app.bell]x[/]␦" in example
    assert len(example) < 200
