"""Ports and sockets of another machine are private sockets on this one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.services.far_host import cut_connections
from tests.support.sshd import SshServer
from warroom.drill.stack.program import free_port
from warroom.hosts.base import HostError, HostUnreachable, TcpAddress, UnixAddress
from warroom.hosts.ssh import SshHost

pytestmark = pytest.mark.service("ssh")


async def echo_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers only after the client has said that it is done: half-closing must get through."""
    data = await reader.read()
    writer.write(data[::-1])
    await writer.drain()
    writer.close()


async def asked(address: UnixAddress, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(address.path)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_port_there_is_a_private_socket_here_by_the_name_that_postgres_clients_want(
    host: SshHost,
) -> None:
    server = await asyncio.start_server(echo_back, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        address = await host.reach(TcpAddress("127.0.0.1", port))
        assert isinstance(address, UnixAddress)
        assert Path(address.path).name == f".s.PGSQL.{port}"
        for folder in Path(address.path).parents[:2]:
            assert folder.stat().st_mode & 0o777 == 0o700
        assert await asked(address, b"abc" * 300_000) == b"cba" * 300_000
        assert await host.reach(TcpAddress("127.0.0.1", port)) == address


async def test_a_unix_socket_there_is_one_here(host: SshHost, tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(echo_back, tmp_path / "socket")
    async with server:
        address = await host.reach(UnixAddress(str(tmp_path / "socket")))
        assert await asked(address, b"abc") == b"cba"


@pytest.mark.service("postgres")
async def test_a_postgres_client_reaches_its_server_through_the_host(
    host: SshHost, postgres_server: Any
) -> None:
    import asyncpg

    there = Path(postgres_server.socket_dir) / f".s.PGSQL.{postgres_server.port}"
    address = await host.reach(UnixAddress(str(there)))
    client = await asyncpg.connect(
        host=str(Path(address.path).parent), port=postgres_server.port, user="postgres"
    )
    try:
        assert await client.fetchval("select 6 * 7") == 42
    finally:
        await client.close()


async def test_an_address_where_nothing_answers_is_a_plain_line(
    host: SshHost, tmp_path: Path
) -> None:
    port = free_port()
    with pytest.raises(HostError) as caught:
        await host.reach(TcpAddress("127.0.0.1", port))
    line = f"web1: nothing answers there at 127.0.0.1:{port} ("
    assert str(caught.value).startswith(line)
    with pytest.raises(HostError, match=r"^web1: nothing answers there at /"):
        await host.reach(UnixAddress(str(tmp_path / "none")))


async def test_an_address_stays_the_same_through_a_cut_connection(
    host: SshHost, ssh_server: SshServer
) -> None:
    server = await asyncio.start_server(echo_back, "127.0.0.1", 0)
    async with server:
        address = await host.reach(TcpAddress("127.0.0.1", server.sockets[0].getsockname()[1]))
        assert await asked(address, b"abc") == b"cba"
        reader, writer = await asyncio.open_unix_connection(address.path)
        writer.write(b"unanswered")
        await cut_connections(ssh_server)
        async with asyncio.timeout(30):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""  # told, one way or the other: not left hanging
        writer.close()
        assert await asked(address, b"abc") == b"cba"


async def test_closing_removes_every_socket_and_connection(ssh_server: SshServer) -> None:
    host = SshHost("web1", "box", str(ssh_server.config))
    server = await asyncio.start_server(echo_back, "127.0.0.1", 0)
    async with server:
        address = await host.reach(TcpAddress("127.0.0.1", server.sockets[0].getsockname()[1]))
        assert await asked(address, b"abc") == b"cba"
    await host.close()
    assert not Path(address.path).parents[1].exists()
    with pytest.raises(HostUnreachable):
        await host.run(["true"])
