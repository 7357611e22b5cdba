"""Flushing all databases, killing a client and purging memory, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.redis_clients import another, cli
from tests.services.redis_mitigations import Makes, fill, make, server, size
from tests.services.tcp_proxy import Proxy
from warroom.drill.stack.redis import Redis
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
)

__all__ = ["make", "server"]
pytestmark = pytest.mark.service("redis")


class Client:
    """A client that speaks to the server by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.id = ""

    @property
    def addr(self) -> str:
        host, port = self._writer.get_extra_info("sockname")
        return f"{host}:{port}"

    async def said(self, *words: bytes | str) -> bytes:
        """The first line of the answer; empty when the connection ended."""
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        packed = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._writer.write(b"*%d\r\n%b" % (len(parts), packed))
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self._writer.close()


Connect = Callable[..., Any]


@pytest.fixture
async def connect(server: Redis) -> AsyncIterator[Connect]:
    """Opens clients of the server, which are closed after the test."""
    opened: list[Client] = []

    async def one(*first: bytes | str) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", server.port))
        opened.append(client)
        if first:
            assert not (await client.said(*first)).startswith(b"-")
        client.id = (await client.said("CLIENT", "ID")).decode().strip(":\r\n")
        return client

    yield one
    for client in opened:
        client.close()


async def test_every_database_is_emptied_after_the_servers_own_name_was_typed(
    server: Redis, make: Makes
) -> None:
    fill(server, 0, 1204)
    fill(server, 5, 88)
    cli(server, "-n", "5", "EXPIRE", "sess:1", "600")
    mitigation = make("flushall", server.url)

    card = await mitigation.preview(None)

    hits = dict(card.hits)
    assert (card.risk, card.word) == (Risk.DESTROY, f"127.0.0.1:{server.port}")
    assert hits["keys"] == "1,292 in 2 databases"
    assert (hits["db0"], hits["db5"]) == ("1,204, 0 expire", "88, 1 expire")
    assert hits["memory in use"].endswith("iB")
    assert card.command[0] == "FLUSHALL ASYNC"
    assert card.warnings[0].startswith("1,291 of the 1,292 keys never expire")
    assert size(server) == 1204, "a preview changes nothing"

    done = await mitigation.perform(card)

    assert done.text == "1,292 keys removed from 2 databases"
    assert done.evidence["databases"] == {"db0": 1204, "db5": 88}
    assert (size(server), size(server, 5)) == (0, 0)
    assert await mitigation.verify(card) == "0 keys now"
    with pytest.raises(MitigationRefused, match="every database is empty"):
        await mitigation.preview(None)


async def test_that_the_snapshot_on_disk_goes_with_it_is_said_where_one_is_made(
    stack_folder: Path, make: Makes
) -> None:
    async with another(stack_folder, "saves", 'save "900 1"') as keeper:
        fill(keeper, 0, 3)
        card = await make("flushall", keeper.url).preview(None)
        assert any(line.startswith("the snapshot on disk is emptied") for line in card.warnings)
        cli(keeper, "CONFIG", "SET", "save", "")
        card = await make("flushall", keeper.url).preview(None)
        assert not any("snapshot" in line for line in card.warnings)


async def test_a_replica_and_another_run_are_not_flushed(
    stack_folder: Path, server: Redis, make: Makes
) -> None:
    fill(server, 0, 3)
    card = await make("flushall", server.url).preview(None)
    async with another(stack_folder, "below", f"replicaof 127.0.0.1 {server.port}") as replica:
        with pytest.raises(MitigationRefused, match="it is a replica of 127"):
            await make("flushall", replica.url).preview(None)
    async with another(stack_folder, "beside") as other:
        fill(other, 0, 4)
        with pytest.raises(MitigationRefused, match="restarted since, or it is another"):
            await make("flushall", other.url).perform(card)
        assert size(other) == 4


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_the_flush_leaves_it_uncertain(
    server: Redis, make: Makes, passes: bool
) -> None:
    fill(server, 0, 9)
    async with Proxy(server.port, b"FLUSHALL", passes=passes) as proxy:
        mitigation = make("flushall", f"redis://127.0.0.1:{proxy.port}/0")
        card = await mitigation.preview(None)
        with pytest.raises(MitigationUncertain, match="it may have happened"):
            await mitigation.perform(card)
        assert proxy.cuts == 1, "it is never tried again by itself"
        await mitigation.close()
    assert size(server) == (0 if passes else 9)


async def test_exactly_the_client_that_was_shown_is_disconnected(
    server: Redis, make: Makes, connect: Connect
) -> None:
    wanted, other = await connect("CLIENT", "SETNAME", "worker-7"), await connect()
    await wanted.said("MULTI")
    await wanted.said("SET", "a", "1")
    mitigation = make("client_kill", server.url, client=wanted.id)

    card = await mitigation.preview(None)

    assert (card.risk, card.target.label) == (Risk.CHANGE, wanted.id)
    assert card.target.identity["addr"] == wanted.addr
    assert card.command[0] == (
        f"CLIENT KILL ID {wanted.id} ADDR {wanted.addr} TYPE normal SKIPME yes"
    )
    hits = dict(card.hits)
    assert hits["name"] == "worker-7"
    assert hits["transaction"] == "1 commands are queued: they are dropped"
    assert await wanted.said("PING") == b"+QUEUED\r\n", "a preview changes nothing"

    done = await mitigation.perform(card)

    assert done.text == f"client {wanted.id} at {wanted.addr} was disconnected"
    assert await wanted.said("PING") == b""
    assert await other.said("PING") == b"+PONG\r\n"
    assert await mitigation.verify(card) == f"client {wanted.id} is gone"
    with pytest.raises(MitigationRefused, match=f"no client has the id {wanted.id}"):
        await mitigation.perform(card)


async def test_a_client_is_found_by_the_address_that_the_slow_log_has(
    server: Redis, make: Makes, connect: Connect
) -> None:
    wanted = await connect()
    mitigation = make("client_kill", server.url)
    mitigation.answer({"client": wanted.addr})
    await mitigation.perform(await mitigation.preview(None))
    assert await wanted.said("PING") == b""
    with pytest.raises(MitigationRefused, match="no client is at "):
        await mitigation.preview(None)
    with pytest.raises(MitigationRefused, match="client: wants a value"):
        make("client_kill", server.url).answer({})


async def test_a_subscriber_and_one_among_many_at_a_socket(
    server: Redis, make: Makes, connect: Connect
) -> None:
    wanted = await connect()
    await wanted.said("SUBSCRIBE", "orders")
    mitigation = make("client_kill", server.url, client=wanted.id)
    card = await mitigation.preview(None)
    assert dict(card.hits)["subscriptions"] == "1"
    assert card.warnings[0].startswith("it is subscribed to channels")
    assert (await mitigation.perform(card)).text.endswith("was disconnected")

    sockets = [await asyncio.open_unix_connection(str(server.socket)) for _ in range(2)]
    for _, writer in sockets:
        writer.write(b"PING\r\n")
    for reader, _ in sockets:
        await reader.readline()
    with pytest.raises(MitigationRefused, match=r"2 clients are at .*: give an id, of "):
        await make("client_kill", server.url, client=f"{server.socket}:0").preview(None)
    for _, writer in sockets:
        writer.close()


async def test_neither_warroom_nor_replicas_nor_the_primary_are_killed(
    stack_folder: Path, server: Redis, make: Makes
) -> None:
    async with another(stack_folder, "chained", f"replicaof 127.0.0.1 {server.port}") as replica:
        async with asyncio.timeout(30):
            while "state=online" not in cli(server, "INFO", "replication"):
                await asyncio.sleep(0.05)
        (link,) = [line for line in cli(server, "CLIENT", "LIST").splitlines() if "flags=S" in line]
        (up,) = [line for line in cli(replica, "CLIENT", "LIST").splitlines() if "flags=M" in line]
        for url, line, what in (
            (server.url, link, "a replica"),
            (replica.url, up, "the link to the primary"),
        ):
            with pytest.raises(MitigationRefused, match=f"is {what}"):
                await make("client_kill", url, client=field(line, "id")).preview(None)
    (own, *_) = [x for x in cli(server, "CLIENT", "LIST").splitlines() if "name=warroom" in x]
    with pytest.raises(MitigationRefused, match="is a warroom session"):
        await make("client_kill", server.url, client=field(own, "id")).preview(None)


def field(line: str, name: str) -> str:
    return next(w.partition("=")[2] for w in line.split() if w.startswith(f"{name}="))


async def test_a_user_whose_name_means_harm_is_harmless_on_the_card(
    server: Redis, make: Makes, connect: Connect
) -> None:
    name = b"\x1b[2J[/x]\xff\xe2\x80\xae\x9b1m"
    cli(server, "ACL", "SETUSER", name, "on", ">pa55", "~*", "+@all")
    try:
        wanted = await connect("AUTH", name, "pa55")
        mitigation = make("client_kill", server.url, client=wanted.id)
        card = await mitigation.preview(None)
        assert dict(card.hits)["user"].startswith("␛[2J[/x]")
        texts = [*card.command, *(text for hit in card.hits for text in hit)]
        assert all(text.isprintable() for text in texts)
        assert (await mitigation.perform(card)).text.endswith("was disconnected")
    finally:
        cli(server, "ACL", "DELUSER", name)


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_the_kill_leaves_it_uncertain(
    server: Redis, make: Makes, connect: Connect, passes: bool
) -> None:
    wanted = await connect()
    async with Proxy(server.port, b"KILL", passes=passes) as proxy:
        mitigation = make("client_kill", f"redis://127.0.0.1:{proxy.port}/0", client=wanted.id)
        card = await mitigation.preview(None)
        with pytest.raises(MitigationUncertain, match="it may have happened"):
            await mitigation.perform(card)
        assert proxy.cuts == 1
        await mitigation.close()
    assert (await wanted.said("PING") == b"") is passes


async def test_memory_is_purged_and_nothing_is_lost(server: Redis, make: Makes) -> None:
    fill(server, 0, 1000)
    mitigation = make("memory_purge", server.url)
    card = await mitigation.preview(None)
    hits = dict(card.hits)
    assert hits["memory in use"].endswith("it stays")
    assert card.command[0] == "MEMORY PURGE"
    done = await mitigation.perform(card)
    assert done.text.startswith("purged: resident memory ")
    assert done.evidence["resident_after"] > 0
    assert size(server) == 1000


async def test_who_may_not_purge_fails_with_the_missing_right(
    server: Redis, make: Makes, tmp_path: Path
) -> None:
    cli(server, "ACL", "SETUSER", "clerk", "on", ">pa55", "~*", "+@all", "-memory|purge")
    file = tmp_path / "url"
    file.touch(mode=0o600)
    file.write_text(f"redis://clerk:pa55@127.0.0.1:{server.port}/0")
    try:
        mitigation = make("memory_purge", f"file:{file}")
        with pytest.raises(MitigationFailed, match="user clerk may not run MEMORY PURGE"):
            await mitigation.perform(await mitigation.preview(None))
    finally:
        cli(server, "ACL", "DELUSER", "clerk")


async def test_nothing_is_changed_once_the_right_to_act_was_lost(
    server: Redis, make: Makes, connect: Connect
) -> None:
    def fence() -> None:
        raise MitigationRefused("another console took it over")

    fill(server, 0, 30)
    client = await connect()
    around = {"fence": fence}
    for mitigation in (
        make("flushdb", server.url, around),
        make("flushall", server.url, around),
        make("delete_pattern", server.url, around, pattern="sess:*"),
        make("client_kill", server.url, around, client=client.id),
        make("memory_purge", server.url, around),
    ):
        card = await mitigation.preview(None)
        cli(server, "CONFIG", "RESETSTAT")
        with pytest.raises(MitigationRefused, match="another console took it over"):
            await mitigation.perform(card)
        called = cli(server, "INFO", "commandstats")
        for word in ("flush", "unlink", "client|kill", "memory|purge"):
            assert f"cmdstat_{word}" not in called
    assert size(server) == 30
    assert await client.said("PING") == b"+PONG\r\n"
