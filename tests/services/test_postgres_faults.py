"""What keeps the postgres probe from looking reads as one plain line."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres_clients import Crowd, probe_of, psql, tcp
from tests.support.services import HttpService
from tests.support.sshd import SshServer
from warroom.config.values import Secret
from warroom.drill.stack import postgres
from warroom.drill.stack.nginx import Nginx
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import free_port
from warroom.drill.stack.redis import Redis
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("postgres")


async def fault_of(dsn: str | Secret, **options: Any) -> ProbeFault:
    """Why the server at `dsn` cannot be looked at."""
    probe = probe_of(dsn, **options)
    try:
        with pytest.raises(ProbeFault) as caught:
            await probe.sample()
    finally:
        await probe.close()
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], Secret]:
    """A DSN with a password, kept where a config may point to."""

    def keep(dsn: str) -> Secret:
        file = tmp_path / "dsn"
        file.touch(mode=0o600)
        file.write_text(dsn)
        return Secret(f"file:{file}")

    return keep


@pytest.fixture
def clerk(postgres_server: Postgres) -> Iterator[str]:
    psql(postgres_server, "CREATE ROLE clerk LOGIN PASSWORD 'pa55'")
    yield "clerk"
    psql(postgres_server, "DROP ROLE clerk")


@asynccontextmanager
async def answering(first: bytes) -> AsyncIterator[int]:
    """A port where something else listens: it says `first` at once, then only listens."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_wrong_password_is_called_that_and_not_repeated(
    postgres_server: Postgres, clerk: str, kept: Callable[[str], Secret]
) -> None:
    fault = await fault_of(kept(tcp(postgres_server, clerk, "hunter2")))
    place = f"127.0.0.1:{postgres_server.port}"
    assert str(fault) == f"{place}: wrong password for user clerk"
    assert not fault.down, "we cannot tell how the server is"


async def test_a_missing_password_is_asked_for(postgres_server: Postgres, clerk: str) -> None:
    fault = await fault_of(tcp(postgres_server, clerk))
    assert "a password is wanted and none was given" in str(fault)


async def test_a_database_or_role_that_is_not_there_is_named(postgres_server: Postgres) -> None:
    assert 'database "nowhere" does not exist' in str(
        await fault_of(postgres_server.dsn(database="nowhere"))
    )
    assert 'role "nobody" does not exist' in str(await fault_of(postgres_server.dsn(user="nobody")))


async def test_a_closed_port_is_refused_and_down() -> None:
    port = free_port()
    fault = await fault_of(f"postgresql://u@127.0.0.1:{port}/d")
    assert str(fault) == f"127.0.0.1:{port}: connection refused: nothing listens there"
    assert fault.down


async def test_a_name_with_both_address_families_is_refused_just_so() -> None:
    fault = await fault_of(f"postgresql://u@localhost:{free_port()}/d")
    assert str(fault).endswith("connection refused: nothing listens there")


async def test_a_missing_socket_is_down(tmp_path: Path) -> None:
    fault = await fault_of(f"postgresql:///d?host={tmp_path}")
    assert str(fault) == f"{tmp_path}/.s.PGSQL.5432: no such socket: is the server running?"
    assert fault.down


async def test_a_name_that_no_server_knows_is_dns() -> None:
    fault = await fault_of("postgresql://u@db.invalid/d")
    assert str(fault) == 'db.invalid:5432: the name "db.invalid" is not known (DNS)'


@pytest.mark.parametrize("mode", ["prefer", "disable", "require"])
async def test_an_http_server_there_is_no_postgresql(
    http_service: Callable[..., HttpService], mode: str
) -> None:
    port = http_service().port
    fault = await fault_of(f"postgresql://u@127.0.0.1:{port}/d?sslmode={mode}", timeout=2.0)
    assert "no PostgreSQL" in str(fault)
    assert fault.down


@pytest.mark.service("nginx")
async def test_nginx_there_is_no_postgresql(nginx_server: Nginx) -> None:
    fault = await fault_of(f"postgresql://u@127.0.0.1:{nginx_server.port}/d", timeout=2.0)
    assert str(fault).endswith("no PostgreSQL server: it answers in another protocol")


@pytest.mark.service("redis")
async def test_a_redis_there_is_no_postgresql(redis_server: Redis) -> None:
    fault = await fault_of(f"postgresql://u@127.0.0.1:{redis_server.port}/d", timeout=2.0)
    assert "no PostgreSQL" in str(fault)


GARBAGE = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "http": b"HTTP/1.1 400 Bad\r\n\r\n",
    "negative length": b"\x00\xff" * 64,  # asyncpg itself would spin for ever on it
    "silence": b"",
    "one byte and silence": b"N",
    "error": b"E\x00\x00\x00\x1bSFATAL\x00C53300\x00Mfull\x00\x00",
}


@pytest.mark.parametrize("first", GARBAGE)
@pytest.mark.parametrize("mode", ["prefer", "disable"])
async def test_whatever_talks_there_is_told_in_one_line(first: str, mode: str) -> None:
    async with answering(GARBAGE[first]) as port:
        dsn = f"postgresql://u@127.0.0.1:{port}/d?sslmode={mode}"
        fault = await fault_of(dsn, timeout=1.5)
    assert str(fault).startswith(f"127.0.0.1:{port}: ")
    assert fault.down


async def test_tls_that_is_asked_for_and_not_offered_is_said(postgres_server: Postgres) -> None:
    dsn = f"postgresql://u@127.0.0.1:{postgres_server.port}/d?sslmode=require"
    fault = await fault_of(dsn)
    assert "it offers no TLS" in str(fault)
    assert "sslmode=require asks for it" in str(fault)


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("mysql://db/orders", 'dsn: "mysql" is not a PostgreSQL address'),
        ("nonsense", "dsn: not a PostgreSQL address"),
    ],
)
async def test_a_dsn_that_is_none_says_so(dsn: str, says: str) -> None:
    assert says in str(await fault_of(dsn))


async def test_a_server_without_a_free_slot_is_down_and_says_how_many_it_has(
    stack_folder: Path,
) -> None:
    home = stack_folder / "full"
    home.mkdir(mode=0o711)
    server = await postgres.start(home, settings=("max_connections = 5",))
    probe = probe_of(server.dsn())
    try:
        seen = await probe.sample()
        assert seen.facts["connections"] == "1/5"
        async with Crowd(server) as crowd:
            psql(server, "CREATE ROLE app LOGIN")
            clients = [await crowd.connect() for _ in range(4)]
            seen = await probe.sample()
            assert seen.summary == "5/5 connections, no slot left"
            assert seen.metrics["connections_percent"] == 100.0
            fault = await fault_of(server.dsn())
            assert fault.down
            assert "no connection slot left" in str(fault)
            assert "too many clients" in str(fault)
            await clients[0].close()
    finally:
        await probe.close()
        await server.stop()
        shutil.rmtree(home)


async def test_a_server_that_stops_is_down_at_once(stack_folder: Path) -> None:
    home = stack_folder / "restarts"
    home.mkdir(mode=0o711)
    server = await postgres.start(home)
    probe = probe_of(server.dsn())
    try:
        await probe.sample()
        await server.stop()
        with pytest.raises(ProbeFault) as caught:
            await probe.sample()
        with pytest.raises(ProbeFault) as again:
            await probe.sample()
        assert caught.value.down
        assert again.value.down
        assert "refused" in str(again.value) or "no such socket" in str(again.value)
    finally:
        await probe.close()
        shutil.rmtree(home)


@pytest.mark.service("ssh")
async def test_it_is_looked_at_through_ssh_over_tcp_and_socket(
    ssh_server: SshServer,
    postgres_server: Postgres,
    clerk: str,
    kept: Callable[[str], Secret],
) -> None:
    from warroom.hosts.ssh import SshHost

    host = SshHost("box", "box", str(ssh_server.config))
    try:
        for dsn in (kept(tcp(postgres_server, clerk, "pa55")), postgres_server.dsn()):
            probe = probe_of(dsn, host=host, timeout=10.0)
            seen = await probe.sample()
            assert seen.metrics["connections"] >= 1
            await probe.close()
        closed = free_port()
        fault = await fault_of(f"postgresql://u@127.0.0.1:{closed}/d", host=host, timeout=10.0)
        assert f"127.0.0.1:{closed}" in str(fault)
        assert fault.down, "the host answers, the server on it does not"
    finally:
        await host.close()
