"""Commands on another machine, played by a real sshd on this one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.services.far_host import Configured, ends, pid_in
from tests.support.sshd import SshServer
from warroom.drill.stack.program import Program, free_port, listening
from warroom.hosts._ssh_link import SESSIONS
from warroom.hosts.base import CommandMissing, CommandTimeout
from warroom.hosts.ssh import SshHost

pytestmark = pytest.mark.service("ssh")


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


STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {pid}; sleep 60; :' & wait; wait"


async def test_the_whole_group_ends_there_when_the_time_is_over(
    host: SshHost, tmp_path: Path
) -> None:
    await host.run(["true"])
    pid = tmp_path / "pid"
    for limit in (1.0, 5.0, 30.0):  # until the group is there when the time is over
        with pytest.raises(CommandTimeout):
            await host.run(["sh", "-c", STUBBORN.format(pid=pid)], timeout=limit)
        if pid.exists() and pid.read_text():
            break
    assert await ends(int(pid.read_text()))


async def test_the_whole_group_ends_there_when_nobody_waits_any_more(
    host: SshHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    running = asyncio.create_task(host.run(["sh", "-c", STUBBORN.format(pid=pid)], timeout=90))
    grandchild = await pid_in(pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await ends(grandchild)


async def test_a_command_ends_there_although_its_input_was_not_all_read(
    host: SshHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    argv = ["sh", "-c", f"echo $$ > {pid}; exec sleep 60"]
    running = asyncio.create_task(host.run(argv, stdin=b"x" * 50_000, timeout=90))
    child = await pid_in(pid)
    running.cancel()
    await asyncio.wait([running])
    assert await ends(child)


async def test_a_child_left_behind_does_not_hold_its_command_up(host: SshHost) -> None:
    await host.run(["true"])
    result = await host.run(["sh", "-c", "sleep 60 & echo started"], timeout=30)
    assert result.out == b"started\n"


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
