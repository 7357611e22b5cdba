"""Another machine over SSH, played by a real sshd on this one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.sshd import SshServer
from warroom.domain.clock import SystemClock
from warroom.drill.stack.program import Program, free_port, listening
from warroom.hosts._ssh_link import SESSIONS
from warroom.hosts.base import (
    CommandMissing,
    CommandTimeout,
    HostError,
    HostLost,
    HostUnreachable,
    TcpAddress,
    UnixAddress,
)
from warroom.hosts.ssh import SshHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.machine import MachineOptions, MachineProbe

pytestmark = pytest.mark.service("ssh")


@pytest.fixture
async def host(ssh_server: SshServer) -> AsyncIterator[SshHost]:
    host = SshHost("web1", "box", str(ssh_server.config))
    yield host
    await host.close()


Configured = Callable[..., SshHost]


@pytest.fixture
async def configured(ssh_server: SshServer, tmp_path: Path) -> AsyncIterator[Configured]:
    """`configured(Port=1234)`: a host whose ssh config says other things first."""
    hosts: list[SshHost] = []

    def make(more: str = "", **options: object) -> SshHost:
        config = tmp_path / f"config{len(hosts)}"
        lines = "".join(f"  {name} {value}\n" for name, value in options.items())
        config.write_text(f"Host box\n{lines}\n{ssh_server.config.read_text()}\n{more}\n")
        hosts.append(SshHost("web1", "box", str(config)))
        return hosts[-1]

    yield make
    for host in hosts:
        await host.close()


async def ends(pid: int, within: float = 4.0) -> bool:
    """Whether the process of that pid ends in time."""
    deadline = time.monotonic() + within
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
    return True


async def pid_in(path: Path) -> int:
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().strip()):
            await asyncio.sleep(0.02)
    return int(path.read_text())


async def cut_connections(server: SshServer) -> None:
    """End the sshd processes that serve connections, as a failing network would."""
    for process in psutil.Process(server.program.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # some end on their own account meanwhile
            if "sshd" in process.name():
                process.kill()


# --- commands -------------------------------------------------------------------------------------


async def test_words_arrive_as_they_are_although_a_login_shell_reads_them(host: SshHost) -> None:
    words = ["$HOME", "a b", "*", ";reboot", "`id`", "'", '"', "\n", "", "\\", "!!", "\u202e"]
    result = await host.run(["printf", "%s\\0", *words])
    assert result.out.decode().split("\0")[:-1] == words


async def test_outputs_exit_code_and_any_byte_of_input_go_through(host: SshHost) -> None:
    data = bytes(range(256)) * 8000
    result = await host.run(["sh", "-c", "cat; echo err >&2; exit 7"], stdin=data, limit=2**22)
    assert (result.code, result.out, result.err) == (7, data, b"err\n")


async def test_the_end_of_the_input_is_seen_by_the_command(host: SshHost) -> None:
    assert (await host.run(["wc", "-c"], stdin=b"12345")).out.split() == [b"5"]
    assert (await host.run(["wc", "-c"])).out.split() == [b"0"]


async def test_output_over_the_limit_is_dropped_and_said(host: SshHost) -> None:
    result = await host.run(["head", "-c", "3000000", "/dev/zero"], limit=1000)
    assert (len(result.out), result.cut, result.code) == (1000, True, 0)


async def test_a_signal_is_told_as_a_shell_tells_it(host: SshHost) -> None:
    assert (await host.run(["sh", "-c", "kill -TERM $$"])).code == 143


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["no-such-program"], "web1: no-such-program is not installed there"),
        (["\x1b[31m[/x]\u202e"], "web1: ␛[31m[/x]␦ is not installed there"),
    ],
)
async def test_a_missing_program_is_one_plain_line(
    host: SshHost, argv: list[str], line: str
) -> None:
    with pytest.raises(CommandMissing) as caught:
        await host.run(argv)
    assert str(caught.value) == line


async def test_a_command_that_itself_says_127_is_a_result(host: SshHost) -> None:
    assert (await host.run(["sh", "-c", "exit 127"])).code == 127


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_the_whole_group_ends_there_when_nobody_waits_any_more(
    host: SshHost, tmp_path: Path, how: str
) -> None:
    await host.run(["true"])
    pid = tmp_path / "pid"
    stubborn = f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {pid}; sleep 60; :' & wait; wait"
    timeout = 2.0 if how == "timeout" else 30.0
    running = asyncio.create_task(host.run(["sh", "-c", stubborn], timeout=timeout))
    grandchild = await pid_in(pid)
    if how == "cancel":
        running.cancel()
    with pytest.raises(CommandTimeout if how == "timeout" else asyncio.CancelledError):
        await running
    assert await ends(grandchild)


async def test_a_command_ends_there_although_its_input_was_not_all_read(
    host: SshHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    argv = ["sh", "-c", f"echo $$ > {pid}; exec sleep 60"]
    running = asyncio.create_task(host.run(argv, stdin=b"x" * 50_000, timeout=30))
    child = await pid_in(pid)
    running.cancel()
    await asyncio.wait([running])
    assert await ends(child)


async def test_a_child_left_behind_does_not_hold_its_command_up(host: SshHost) -> None:
    await host.run(["true"])
    began = time.monotonic()
    result = await host.run(["sh", "-c", "sleep 20 & echo started"], timeout=15)
    assert result.out == b"started\n"
    assert time.monotonic() - began < 10


async def test_a_stream_joins_both_outputs_and_ends_with_its_command(host: SshHost) -> None:
    async with host.stream(["sh", "-c", "echo one; sleep 0.1; echo two >&2"]) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo\n"


async def test_leaving_a_stream_ends_its_processes_there(host: SshHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with host.stream(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]):
        child = await pid_in(pid)
    assert await ends(child)


async def test_a_stream_that_nobody_takes_from_stays_small_and_loses_nothing(
    host: SshHost,
) -> None:
    async with host.stream(["seq", "1", "2000000"]) as chunks:
        got = bytearray(await anext(chunks))
        await asyncio.sleep(0.5)
        async for chunk in chunks:
            assert len(chunk) < 8 * 2**20
            got += chunk
    assert bytes(got) == b"".join(b"%d\n" % n for n in range(1, 2000001))


async def test_more_commands_at_once_than_a_connection_has_sessions(host: SshHost) -> None:
    results = await asyncio.gather(
        *(host.run(["echo", str(n)], timeout=60) for n in range(3 * SESSIONS))
    )
    assert [int(result.out) for result in results] == list(range(3 * SESSIONS))


async def test_a_server_that_allows_fewer_sessions_is_taken_as_it_is(
    ssh_server: SshServer, configured: Configured, tmp_path: Path
) -> None:
    port = free_port()
    narrow = tmp_path / "sshd_config"
    text = (ssh_server.home / "sshd_config").read_text()
    narrow.write_text(f"Port {port}\nMaxSessions 2\n" + text.replace(f"Port {ssh_server.port}", ""))
    program = Program(
        ["/usr/sbin/sshd", "-D", "-e", "-f", narrow], tmp_path / "log", unprivileged=False
    )
    await program.ready(lambda: listening(port))
    try:
        host = configured(Port=port, HostKeyAlias=f"[127.0.0.1]:{ssh_server.port}")
        results = await asyncio.gather(
            *(host.run(["sh", "-c", f"sleep 0.2; echo {n}"], timeout=60) for n in range(12))
        )
        assert [int(result.out) for result in results] == list(range(12))
    finally:
        await program.stop()


# --- who is trusted, and what is said when there is no connection ---------------------------------


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


# --- addresses ------------------------------------------------------------------------------------


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
        async with asyncio.timeout(10):
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


# --- files ----------------------------------------------------------------------------------------


class Log:
    """A log of numbered lines on the far machine, written and rotated step by step."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.turn = path, 0, 0

    def write(self, lines: int) -> None:
        with self.path.open("ab") as file:
            for _ in range(lines):
                file.write(b"%08d GET /%s\n" % (self.count, b"x" * (self.count % 70)))
                self.count += 1

    def rename(self) -> None:
        self.path.rename(self._older())
        self.path.touch()

    def remove(self) -> None:
        self.path.unlink()
        self.path.touch()

    def copytruncate(self) -> None:
        self._older().write_bytes(self.path.read_bytes())
        os.truncate(self.path, 0)

    def swap(self) -> None:
        self._older().touch()
        link = self.path.with_name("link")
        link.symlink_to(self.path.with_name(f"log.{self.turn}"))
        link.rename(self.path)

    def _older(self) -> Path:
        self.turn += 1
        return self.path.with_name(f"log.{self.turn}")


async def until_line(chunks: AsyncIterator[bytes], number: int) -> bytes:
    got = b""
    async with asyncio.timeout(20):
        async for chunk in chunks:
            got += chunk
            if b"%08d " % number in got[-10000:]:
                return got
    raise AssertionError("the file ended")


@pytest.mark.parametrize("style", ["rename", "remove", "copytruncate", "swap"])
async def test_a_far_file_is_followed_through_rotation_without_losing_a_line(
    host: SshHost, tmp_path: Path, style: str
) -> None:
    log = Log(tmp_path / "log")
    log.write(1000)
    got = b""
    async with host.follow(str(log.path), last=10) as chunks:
        got += await until_line(chunks, 999)
        for _ in range(5):
            log.write(500)
            got += await until_line(chunks, log.count - 1)
            if style != "remove":  # what is removed unread is gone for SFTP, too, once reopened
                log.write(50)
            getattr(log, style)()
            log.write(50)
            got += await until_line(chunks, log.count - 1)
    numbers = [int(line.split(b" ", 1)[0]) for line in got.splitlines()]
    assert sorted(numbers) == list(range(990, log.count))


async def test_following_goes_on_after_a_cut_connection_from_where_it_was(
    host: SshHost, ssh_server: SshServer, tmp_path: Path
) -> None:
    log = Log(tmp_path / "log")
    log.write(100)
    async with host.follow(str(log.path), last=5) as chunks:
        got = await until_line(chunks, 99)
        await cut_connections(ssh_server)
        log.write(100)
        log.rename()
        log.write(100)
        got += await until_line(chunks, 299)
    numbers = [int(line.split(b" ", 1)[0]) for line in got.splitlines()]
    assert sorted(numbers) == list(range(95, 300))


async def test_a_far_file_that_appears_late_and_trouble_are_told(
    host: SshHost, tmp_path: Path
) -> None:
    path = tmp_path / "later"
    async with host.follow(str(path), last=1) as chunks:
        assert (await anext(chunks), chunks.trouble) == (b"", f"{path}: not there yet")
        path.write_bytes(b"00000000 \xff\x1b[31m\n00000001 b\n")
        assert await until_line(chunks, 1) == b"00000000 \xff\x1b[31m\n00000001 b\n"
        assert chunks.trouble == ""


async def test_a_host_that_is_away_is_trouble_and_no_error(
    configured: Configured, tmp_path: Path
) -> None:
    async with configured(Port=free_port()).follow(str(tmp_path / "log")) as chunks:
        assert await anext(chunks) == b""
        assert "connection refused" in chunks.trouble


async def test_many_far_files_take_one_session(host: SshHost, tmp_path: Path) -> None:
    async def first_line(name: str) -> bytes:
        (tmp_path / name).write_bytes(b"%b\n" % name.encode())
        async with host.follow(str(tmp_path / name)) as chunks:
            async for chunk in chunks:
                if chunk:
                    await asyncio.sleep(0.3)
                    return chunk
        raise AssertionError("the file ended")

    names = [f"log-{n}" for n in range(2 * SESSIONS)]
    assert await asyncio.gather(*map(first_line, names)) == [f"{n}\n".encode() for n in names]
    assert len(host._link._lines) == 1


# --- the machine itself ---------------------------------------------------------------------------


def machine_on(host: SshHost, **options: Any) -> MachineProbe:
    context = ProbeContext("web1 machine", host, SystemClock(), 20.0)
    return MachineProbe(MachineOptions(**options), context)


async def test_a_far_machine_is_looked_at_as_this_one_is(host: SshHost) -> None:
    argv = ["sh", "-c", "while :; do :; done", "busy", "--password=hunter2"]
    async with host.stream(argv):
        machine = machine_on(host, processes=5)
        await machine.sample()
        await asyncio.sleep(0.5)
        sample = await machine.sample()
        here = psutil.virtual_memory()
        assert sample.metrics["memory_percent"] == pytest.approx(here.percent, abs=5)
        assert sample.metrics["cpu_percent"] > 5
        assert len(sample.rows) == 5
        row = next(row for row in sample.rows if "busy --password=••••" in str(row.cells))
        detail = await machine.detail(row.key)
    pairs = dict(detail.sections[0].pairs)
    assert (pairs["pid"], pairs["threads"]) == (str(row.data["pid"]), "1")
    assert "hunter2" not in str(detail)
    async with asyncio.timeout(10):
        with pytest.raises(ProbeFault, match=r"^process \d+ has ended$"):
            while True:
                await machine.detail(row.key)


async def test_named_disks_of_a_far_machine(host: SshHost) -> None:
    sample = await machine_on(host, disks=("/", "/tmp")).sample()
    assert sample.metrics["disk_percent"] > 0
    with pytest.raises(ProbeFault, match=r"^web1: df cannot look at each of /, /no/such$"):
        await machine_on(host, disks=("/", "/no/such")).sample()


async def test_a_far_machine_that_is_away_is_a_plain_line(configured: Configured) -> None:
    with pytest.raises(ProbeFault, match=r"^web1: connection refused"):
        await machine_on(configured(Port=free_port())).sample()
