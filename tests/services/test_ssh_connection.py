"""Which far machine is trusted, and what is said when there is no connection to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.far_host import Configured, cut_connections, ends, pid_in
from tests.support.sshd import SshServer
from warroom.drill.stack.program import free_port
from warroom.hosts.base import HostLost, HostUnreachable
from warroom.hosts.ssh import SshHost

pytestmark = pytest.mark.service("ssh")


async def refused(host: SshHost) -> str:
    with pytest.raises(HostUnreachable) as caught:
        await host.run(["true"])
    message = str(caught.value)
    assert "\n" not in message
    return message


async def test_an_unknown_host_key_is_refused(configured: Configured, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    assert (await refused(configured(UserKnownHostsFile=empty))).startswith(
        "web1: its host key is not in known_hosts; compare the fingerprint that"
    )


async def test_a_changed_host_key_is_refused_and_named_as_such(
    configured: Configured, ssh_server: SshServer, tmp_path: Path
) -> None:
    other = tmp_path / "known_hosts"
    key = (ssh_server.home / "client_key.pub").read_text()
    other.write_text(f"[127.0.0.1]:{ssh_server.port} {key}")
    message = await refused(configured(UserKnownHostsFile=other))
    assert message.startswith("web1: HOST KEY CHANGED")
    assert f'ssh-keygen -R [127.0.0.1]:{ssh_server.port}"' in message


async def test_no_config_can_turn_the_check_off(configured: Configured) -> None:
    host = configured(UserKnownHostsFile="none", StrictHostKeyChecking="no")
    assert "its host key is not in known_hosts" in await refused(host)


async def test_a_login_that_is_refused_says_what_must_work(
    configured: Configured, tmp_path: Path
) -> None:
    import asyncssh

    key = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    key.chmod(0o600)
    assert await refused(configured(IdentityFile=key, User="nobody")) == (
        'web1: login refused; "ssh box" must work without a password (ssh-add)'
    )


async def test_nobody_listening_and_an_unknown_name_are_plain_lines(
    configured: Configured,
) -> None:
    assert await refused(configured(Port=free_port())) == (
        "web1: connection refused; does sshd run there, on that port?"
    )
    message = await refused(configured(HostName="no-such-host.invalid"))
    assert message.startswith("web1: its name is unknown (")


async def test_a_host_that_is_away_is_not_asked_again_at_once(configured: Configured) -> None:
    host = configured(Port=free_port())
    first = await refused(host)
    assert (await refused(host)).startswith(f"{first} (next try in ")


async def test_something_that_does_not_speak_ssh_is_a_plain_line(configured: Configured) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 \x1b[31m[/x]\r\n\r\n" * 500)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        message = await refused(configured(Port=server.sockets[0].getsockname()[1]))
    assert message.startswith("web1: ")
    assert "\x1b" not in message


async def test_a_host_behind_another_is_reached_through_it(
    configured: Configured, ssh_server: SshServer, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    text = ssh_server.config.read_text()
    jump = text.replace("Host box", "Host jump")
    inner.write_text(f"Host box\n  ProxyJump jump\n{text}\n{jump}")
    host = SshHost("web1", "box", str(inner))
    try:
        assert (await host.run(["echo", "there"])).out == b"there\n"
    finally:
        await host.close()


async def test_a_command_whose_connection_is_cut_is_said_to_be_uncertain_and_the_next_works(
    host: SshHost, ssh_server: SshServer, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    argv = ["sh", "-c", f"echo $$ > {pid}; exec sleep 60"]
    running = asyncio.create_task(host.run(argv, timeout=30))
    child = await pid_in(pid)
    await cut_connections(ssh_server)
    with pytest.raises(HostLost, match=r"^web1: the connection was cut while sh ran$"):
        await running
    assert await ends(child)
    assert (await host.run(["echo", "back"])).out == b"back\n"


async def test_a_cancelled_first_use_leaves_the_connecting_to_the_others(host: SshHost) -> None:
    hasty = asyncio.create_task(host.run(["true"]))
    patient = asyncio.create_task(host.run(["echo", "here"]))
    await asyncio.sleep(0)
    hasty.cancel()
    assert (await patient).out == b"here\n"


def test_nothing_of_ssh_is_imported_before_the_first_use() -> None:
    code = (
        "import sys; from warroom.hosts.ssh import SshHost; SshHost('a', 'b'); "
        "sys.exit('asyncssh' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_what_a_proxy_command_writes_beside_the_connection_does_not_break_it(
    ssh_server: SshServer, configured: Configured
) -> None:
    words = f"echo trying the tunnel >&2; exec busybox nc 127.0.0.1 {ssh_server.port}"
    host = configured(ProxyCommand=f'sh -c "{words}"')
    assert (await host.run(["echo", "here"])).out == b"here\n"
