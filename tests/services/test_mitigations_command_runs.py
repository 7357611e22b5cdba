"""Commands while they run: ended whole, bounded whatever they write, and never guessed about."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Final

import pytest

from tests.services.commands import command, shell
from tests.services.far_host import cut_connections, ends, pid_in
from tests.support.hostile import BAD_BYTES, CORPUS, reached
from tests.support.sshd import SshServer
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.mitigations.base import MitigationRefused, MitigationUncertain

STUBBORN: Final = (
    "trap '' TERM; (trap '' TERM; sleep 900) & echo $! > {child}; echo $$ > {leader}; wait; sleep 9"
)


async def test_the_time_limit_ends_the_whole_group_and_leaves_it_unknown(
    place: Host, tmp_path: Path
) -> None:
    leader, child = tmp_path / "leader", tmp_path / "child"
    script = STUBBORN.format(leader=leader, child=child)
    for limit in (1.0, 5.0, 30.0):  # until the group is there when the time is over
        one = shell(f"echo begun; {script}", place, timeout=limit)
        with pytest.raises(
            MitigationUncertain, match=f"did not finish within {limit:g} s "
        ) as told:
            await one.done()
        if leader.exists() and leader.read_text():
            break
    assert "begun" in str(told.value)
    assert await ends(int(leader.read_text()))
    assert await ends(int(child.read_text()))


async def test_cancelling_ends_the_whole_group(place: Host, tmp_path: Path) -> None:
    leader, child = tmp_path / "leader", tmp_path / "child"
    one = shell(STUBBORN.format(leader=leader, child=child), place)
    running = asyncio.create_task(one.done())
    pids = [await pid_in(leader), await pid_in(child)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in pids:
        assert await ends(pid)


async def test_what_a_finished_command_leaves_behind_on_purpose_lives_on(
    place: Host, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 60 </dev/null >/dev/null 2>&1 & echo $! > {pid}; echo started"
    done = await shell(script, place).done()
    left = await pid_in(pid)
    assert done.text.endswith("started")
    assert not await ends(left, within=1.5)
    await LocalHost().run(["kill", str(left)])


@pytest.mark.service("ssh")
async def test_a_cut_connection_leaves_it_unknown_and_never_runs_it_again(
    host: SshHost, ssh_server: SshServer, tmp_path: Path
) -> None:
    pid, count = tmp_path / "pid", tmp_path / "count"
    one = shell(f"echo x >> {count}; echo half done; echo $$ > {pid}; sleep 60", host)
    running = asyncio.create_task(one.done())
    child = await pid_in(pid)
    await cut_connections(ssh_server)
    with pytest.raises(MitigationUncertain, match="it may have happened"):
        await running
    assert await ends(child)
    assert count.read_text() == "x\n"


async def test_a_host_that_is_away_is_refused_in_words(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host box\n  HostName 127.0.0.1\n  Port 1\n  User nobody\n")
    far = SshHost("web1", "box", str(config))
    with pytest.raises(MitigationRefused, match=r"^nothing was done: web1: "):
        await command(["true"], far).done()
    await far.close()


async def test_a_flood_costs_neither_memory_nor_the_end() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = shell("yes | head -c 256M; echo over", timeout=120)
    done = await one.done()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert done.evidence["lines"] == 2**27 + 1
    assert one.output.count == 2**27 + 1
    assert (len(one.output.lines), one.output.lines[-1]) == (one.output.LINES, "over")
    assert grown < 64, f"{grown} MiB"


async def test_a_line_without_an_end_is_cut_and_its_length_said(place: Host) -> None:
    one = shell("head -c 10485760 /dev/zero | tr '\\0' x; echo; echo after", place)
    done = await one.done()
    assert done.evidence["lines"] == 2
    assert one.output.lines[0].endswith("x… (10,485,760 bytes)")
    assert len(one.output.lines[0]) < 5000
    assert one.output.lines[1] == "after"


async def test_whatever_it_writes_is_harmless(place: Host, tmp_path: Path) -> None:
    data = b"\n".join([*(text.encode() for text in CORPUS.values()), *BAD_BYTES.values()])
    (tmp_path / "data").write_bytes(data + b"\nlast\x1b[31m")
    one = command(["cat", str(tmp_path / "data")], place)
    card = await command(["true"], place, preview=["cat", str(tmp_path / "data")]).card()
    done = await one.done()
    texts = [done.text, *done.evidence["output"], *one.output.lines]
    texts += [text for hit in card.hits for text in hit]
    assert reached("\n".join(texts).encode()) == []
    assert one.output.lines[-1] == "last␛[31m"


async def test_noise_of_bytes_is_shown_and_bounded() -> None:
    one = command(["head", "-c", "3000000", "/dev/urandom"])
    await one.done()
    assert reached("\n".join(one.output.lines).encode()) == []
    assert all(len(line) <= 5000 for line in one.output.lines)


async def test_both_outputs_come_as_they_are_written_while_it_runs(place: Host) -> None:
    one = shell("echo out; echo err >&2; read -r never < /dev/zero", place, timeout=20)
    running = asyncio.create_task(one.done())
    async with asyncio.timeout(30):
        while list(one.output.lines) != ["out", "err"]:
            await asyncio.sleep(0.02)
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])


async def test_a_bar_that_draws_over_itself_is_shown_as_it_ended() -> None:
    one = shell("printf '10%%\\r50%%\\r100%%\\r\\n'")
    await one.done()
    assert list(one.output.lines) == ["100%"]
