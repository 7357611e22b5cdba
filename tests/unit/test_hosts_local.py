"""Commands on this machine: what comes back, what is cut, and what is ended with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import comes_true
from warroom.hosts.base import CommandMissing, CommandTimeout, HostError, TcpAddress
from warroom.hosts.local import LocalHost


@pytest.fixture
async def host() -> AsyncIterator[LocalHost]:
    host = LocalHost()
    yield host
    await host.close()


async def read_pid(path: Path) -> int:
    """The pid that a command wrote, once it is there."""
    async with asyncio.timeout(30):
        while not (path.exists() and path.read_text().strip()):
            await asyncio.sleep(0.01)
    return int(path.read_text())


async def is_gone(pid: int) -> bool:
    """Whether a process ends soon; a zombie has."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return await comes_true(lambda: process.status() == psutil.STATUS_ZOMBIE)
    return True


async def test_outputs_and_exit_code_come_back_apart(host: LocalHost) -> None:
    result = await host.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.code, result.out, result.err, result.cut) == (3, b"out\n", b"err\n", False)


async def test_no_shell_reads_the_words_of_a_command(host: LocalHost) -> None:
    words = ["$HOME", "a b", "*", ";reboot", "`id`", "'", '"', "\n", "\x1b[31m", "\u202e"]
    result = await host.run(["printf", "%s\\0", *words])
    assert result.out.decode().split("\0")[:-1] == words


async def test_any_byte_goes_through_standard_input(host: LocalHost) -> None:
    data = bytes(range(256)) * 4096
    assert (await host.run(["cat"], stdin=data, limit=2**21)).out == data


async def test_a_command_that_ignores_its_input_is_no_error(host: LocalHost) -> None:
    assert (await host.run(["true"], stdin=b"x" * 5_000_000)).code == 0


async def test_each_output_is_kept_up_to_the_limit_and_the_cut_is_said(host: LocalHost) -> None:
    result = await host.run(["sh", "-c", "yes | head -c 10000000; echo end >&2"], limit=1000)
    assert (len(result.out), result.err, result.cut, result.code) == (1000, b"end\n", True, 0)


async def test_a_signal_is_told_as_a_shell_tells_it(host: LocalHost) -> None:
    assert (await host.run(["sh", "-c", "kill -TERM $$"])).code == 143


async def test_a_command_that_leaves_a_child_behind_returns_and_the_child_lives(
    host: LocalHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    result = await host.run(["sh", "-c", f"sleep 60 & echo $! > {pid}; echo started"], timeout=30)
    child = psutil.Process(int(pid.read_text()))
    assert (result.out, child.is_running()) == (b"started\n", True)
    child.kill()


STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {pid}; sleep 60; :' & wait; wait"


async def test_the_whole_group_is_ended_with_a_command_that_takes_too_long(
    host: LocalHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    for limit in (0.5, 4.0, 30.0):  # until the group is there when the time is over
        with pytest.raises(CommandTimeout):
            await host.run(["sh", "-c", STUBBORN.format(pid=pid)], timeout=limit)
        if pid.exists() and pid.read_text():
            break
    assert await is_gone(int(pid.read_text()))


async def test_the_whole_group_is_ended_with_a_command_that_is_cancelled(
    host: LocalHost, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    running = asyncio.create_task(host.run(["sh", "-c", STUBBORN.format(pid=pid)], timeout=90))
    grandchild = await read_pid(pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await is_gone(grandchild)


@pytest.mark.parametrize(
    ("argv", "kind", "line"),
    [
        (["no-such-program"], CommandMissing, "no-such-program is not installed here"),
        (["/etc/passwd"], HostError, "/etc/passwd cannot be run: permission denied"),
        (["a\0b"], HostError, "a␀b cannot be run: embedded null byte"),
        ([], HostError, "an empty command cannot be run"),
        (["\x1b[31m\u202e/x"], CommandMissing, "␛[31m␦/x is not installed here"),
    ],
)
async def test_what_cannot_be_run_is_one_plain_line(
    host: LocalHost, argv: list[str], kind: type[HostError], line: str
) -> None:
    with pytest.raises(HostError) as caught:
        await host.run(argv)
    assert (type(caught.value), str(caught.value)) == (kind, line)


async def test_a_time_limit_names_the_program_and_no_argument(host: LocalHost) -> None:
    with pytest.raises(CommandTimeout) as caught:
        await host.run(["sh", "-c", "sleep 60", "--password=hunter2"], timeout=0.05)
    assert str(caught.value) == "sh did not finish within 0.05 s and was ended"


async def test_a_stream_joins_both_outputs_and_ends_with_its_command(host: LocalHost) -> None:
    async with host.stream(["sh", "-c", "echo one; echo two >&2"]) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo\n"


async def test_leaving_a_stream_ends_its_processes(host: LocalHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with host.stream(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]):
        child = await read_pid(pid)
    assert await is_gone(child)


async def test_a_stream_that_nobody_takes_from_makes_the_command_wait(host: LocalHost) -> None:
    async with host.stream(["sh", "-c", "yes & wait"]) as chunks:
        size = len(await anext(chunks))
        process = psutil.Process().children(recursive=True)[-1]
        for _ in range(100):
            before = process.cpu_times()
            await asyncio.sleep(0.05)
            if process.cpu_times() == before:
                break
        assert process.cpu_times() == before, "it writes on although nobody reads"
        size = len(await anext(chunks))
    assert 0 < size < 4 * 2**20


async def test_closing_the_host_ends_what_still_runs(tmp_path: Path) -> None:
    host, pid = LocalHost(), tmp_path / "pid"
    running = asyncio.create_task(host.run(["sh", "-c", f"echo $$ > {pid}; exec sleep 60"]))
    child = await read_pid(pid)
    await host.close()
    assert (await running).code == 143
    assert await is_gone(child)


async def test_closing_the_host_ends_what_is_only_just_started(tmp_path: Path) -> None:
    for turns in range(6):  # of the event loop: before the process is there, and after
        host = LocalHost()
        running = asyncio.create_task(host.run(["sleep", "60"]))
        for _ in range(turns + 1):
            await asyncio.sleep(0)
        await host.close()
        assert (await running).code == 143, f"after {turns + 1} turns"


def stand_still_until(pid: Path) -> None:
    """The event loop does nothing, and a command that has begun goes on."""
    for _ in range(50):
        if pid.exists() and pid.read_text():
            return
        time.sleep(0.01)


async def test_a_command_that_is_cancelled_while_it_starts_is_ended_whole(
    host: LocalHost, tmp_path: Path
) -> None:
    begun = []
    for turns in range(1, 10):  # of the event loop: the command is begun, and not yet connected
        pid = tmp_path / f"{turns}"
        argv = ["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]
        running = asyncio.create_task(host.run(argv, timeout=90))
        for _ in range(turns):
            await asyncio.sleep(0)
        stand_still_until(pid)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        if pid.exists() and pid.read_text():  # it had the time to say which
            begun.append(turns)
            assert await is_gone(int(pid.read_text())), f"after {turns} turns"
    assert len(begun) > 3


async def test_an_address_of_this_machine_comes_back_as_it_is(host: LocalHost) -> None:
    address = TcpAddress("127.0.0.1", 5432)
    assert await host.reach(address) is address


async def test_nothing_is_left_open_after_many_commands(host: LocalHost) -> None:
    await host.run(["true"])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await host.run(["cat"], stdin=b"x")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
