"""What keeps the redis probe from looking reads as one plain line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.services.redis_clients import Probes, another, cli, fault_of, looked, wipe
from tests.support.services import HttpService
from tests.support.sshd import SshServer
from warroom.config.values import Secret
from warroom.domain.sample import Health
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import free_port
from warroom.drill.stack.redis import Redis
from warroom.hosts.ssh import SshHost
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("redis")


@pytest.fixture
async def probes() -> AsyncIterator[Probes]:
    async with Probes() as made:
        yield made


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    """The shared server, empty before and after."""
    wipe(redis_server)
    yield redis_server
    wipe(redis_server)


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], Secret]:
    """A URL with a password, kept where a config may point to."""

    def keep(url: str) -> Secret:
        file = tmp_path / "url"
        file.touch(mode=0o600)
        file.write_text(url)
        return Secret(f"file:{file}")

    return keep


async def test_passwords_wrong_missing_and_needless(
    stack_folder: Path, server: Redis, probes: Probes, kept: Callable[[str], Secret]
) -> None:
    async with another(stack_folder, "locked", "requirepass s3cret") as locked:
        place = f"127.0.0.1:{locked.port}"
        missing = await fault_of(probes(locked.url))
        assert str(missing) == f"{place}: it wants a password and the URL has none"
        assert not missing.down
        wrong = await fault_of(probes(kept(f"redis://:hunter2@{place}/0")))
        assert str(wrong) == f"{place}: wrong password for user default, or the user is disabled"
        nobody = await fault_of(probes(kept(f"redis://shop:s3cret@{place}/0")))
        assert "wrong password for user shop" in str(nobody)
        right = await probes(kept(f"redis://:s3cret@{place}/0")).sample()
        assert right.health is Health.OK
    needless = await fault_of(probes(kept(f"redis://:s3cret@127.0.0.1:{server.port}/0")))
    assert "it wants no password, but the URL has one" in str(needless)


async def test_a_user_with_few_rights_is_told_which_are_missing(
    server: Redis, probes: Probes, kept: Callable[[str], Secret]
) -> None:
    cli(server, "ACL", "SETUSER", "clerk", "on", ">pa55", "+info")
    try:
        url = kept(f"redis://clerk:pa55@127.0.0.1:{server.port}/0")
        seen = await probes(url).sample()
        assert seen.health is Health.OK
        assert "user clerk may not run SLOWLOG GET" in seen.facts["not visible"]
        assert "ACL SETUSER clerk +slowlog|get" in seen.facts["not visible"]
        detail = await probes(url).detail("")
        assert any("may not run CLIENT LIST" in line for s in detail.sections for line in s.lines)
        cli(server, "ACL", "SETUSER", "clerk", "-info")
        fault = await fault_of(probes(url))
        assert "user clerk may not run INFO: ACL SETUSER clerk +info" in str(fault)
    finally:
        cli(server, "ACL", "DELUSER", "clerk")


@pytest.mark.parametrize(
    ("url", "says", "down"),
    [
        ("redis://cache.invalid", 'the name "cache.invalid" is not known (DNS)', True),
        ("unix:///nowhere/redis.sock", "no such socket: is the server running?", True),
        ("http://cache", "url: ", False),
    ],
)
async def test_a_server_that_cannot_be_reached_says_why(
    probes: Probes, url: str, says: str, down: bool
) -> None:
    fault = await fault_of(probes(url))
    assert says in str(fault)
    assert fault.down is down


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_closed_port_is_refused_and_down(probes: Probes, name: str) -> None:
    port = free_port()
    fault = await fault_of(probes(f"redis://{name}:{port}"))
    assert str(fault) == f"{name}:{port}: connection refused: nothing listens there"
    assert fault.down


async def test_an_http_server_there_is_no_redis(
    http_service: Callable[..., HttpService], probes: Probes
) -> None:
    fault = await fault_of(probes(f"redis://127.0.0.1:{http_service().port}", timeout=2.0))
    assert "Redis" in str(fault) or "cut at once" in str(fault)
    assert fault.down


@pytest.mark.service("postgres")
async def test_a_postgresql_there_is_no_redis(postgres_server: Postgres, probes: Probes) -> None:
    fault = await fault_of(probes(f"redis://127.0.0.1:{postgres_server.port}", timeout=2.0))
    assert "Redis" in str(fault) or "cut at once" in str(fault)


GARBAGE = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "http": b"HTTP/1.1 400 Bad\r\n\r\n",
    "binary": b"\x00\xff" * 64,
    "negative array": b"*-7\r\n",
    "endless bulk": b"$99999999999\r\n",
    "no number": b":x\r\n",
    "error that is no text": b"-\xff\xfe\r\n",
    "nested arrays": b"*1000000\r\n" * 50,
    "silence": b"",
}


@pytest.mark.parametrize("first", GARBAGE)
async def test_whatever_talks_there_is_told_in_one_line(first: str, probes: Probes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GARBAGE[first])

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    fault = await fault_of(probes(f"redis://127.0.0.1:{port}", timeout=1.5))
    assert str(fault).startswith(f"127.0.0.1:{port}: ")
    listening.close()


async def test_no_client_slot_left_is_down(stack_folder: Path, probes: Probes) -> None:
    async with another(stack_folder, "crowded", "maxclients 1") as server:
        first = probes(server.url)
        async with asyncio.timeout(30):  # until whoever waited for the server has left its slot
            while not await looked(first):
                await asyncio.sleep(0.02)
        fault = await fault_of(probes(server.url))
        assert str(fault).endswith("no client slot left (maxclients)")
        assert fault.down


async def test_a_server_that_ended_our_connection_is_looked_at_again(
    server: Redis, probes: Probes
) -> None:
    probe = probes(server.url)
    await probe.sample()
    cli(server, "CLIENT", "KILL", "TYPE", "normal")
    await asyncio.sleep(0)
    seen = None
    for _ in range(2):  # noticed before the look, or under it
        try:
            seen = await probe.sample()
        except ProbeFault as fault:
            assert "the connection broke" in str(fault)
    assert seen is not None
    assert seen.health is Health.OK


@pytest.mark.service("ssh")
async def test_it_is_looked_at_through_ssh(
    ssh_server: SshServer, server: Redis, probes: Probes
) -> None:
    host = SshHost("box", "box", str(ssh_server.config))
    try:
        for url in (server.url, f"unix://{server.socket}"):
            seen = await probes(url, host=host, timeout=10.0).sample()
            assert seen.health is Health.OK
        fault = await fault_of(probes(f"redis://127.0.0.1:{free_port()}", host=host, timeout=10.0))
        assert fault.down
    finally:
        await host.close()
