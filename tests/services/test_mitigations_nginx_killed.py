"""Consoles that are killed while they change nginx, and an nginx on another machine."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.nginx_edge import Edge
from warroom.domain.clock import SystemClock
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.mitigations._nginx_block import Block
from warroom.mitigations._nginx_options import BlockOptions
from warroom.mitigations._nginx_rules import HEADER, parse
from warroom.mitigations.base import MitigationContext, MitigationFailed, MitigationRefused

KILLS = int(os.environ.get("WARROOM_KILLS", "16"))
"""How often a console is killed; `WARROOM_KILLS=100` for a thorough run."""
CLIENT = "203.0.113.7"
EARLIER = f"{HEADER}\ndeny 198.18.0.1; # until lifted by bob in INC-1\n".encode()

Make = Callable[..., Block]


@pytest.fixture
def make(edge: Edge) -> Make:
    def made(host: Host | None = None, **options: Any) -> Block:
        table = {"include": str(edge.include), "address": CLIENT, "nginx": edge.argv, **options}
        context = MitigationContext(host or LocalHost(), SystemClock())
        return Block(BlockOptions(**table), context, {})

    return made


_CONSOLE = """
import asyncio, sys
from warroom.domain.clock import SystemClock
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import MitigationContext, MitigationRefused
from warroom.mitigations.nginx import BlockOptions, UnblockOptions, Block, Unblock

include, *argv = sys.argv[1:]
context = MitigationContext(LocalHost(), SystemClock())
options = dict(include=include, nginx=tuple(argv), address="203.0.113.7")

async def forever():
    print("ready", flush=True)
    while True:
        block = Block(BlockOptions(**options), context)
        for one in (block, Unblock(UnblockOptions(**options), context)):
            try:
                await one.perform(await one.preview(None))
            except MitigationRefused as refused:
                assert "blocked" in str(refused), refused

asyncio.run(forever())
"""


def test_a_console_killed_at_any_moment_leaves_a_config_that_nginx_takes(edge: Edge) -> None:
    """The old rules or the new ones, whole; and the next console goes on from there."""
    edge.include.write_bytes(EARLIER)
    seen = set()
    for number in range(KILLS):
        console = subprocess.Popen(
            [sys.executable, "-c", _CONSOLE, str(edge.include), *edge.argv], stdout=subprocess.PIPE
        )
        assert console.stdout is not None
        assert console.stdout.readline() == b"ready\n"
        if number % 4 < 2:
            time.sleep(random.uniform(0.0, 0.6))
        else:  # however slow it is: when it has just written, and when it has just taken back
            while (CLIENT.encode() in edge.include.read_bytes()) is not (number % 4 == 3):
                time.sleep(0.001)
        assert console.poll() is None, "it ended by itself"
        console.send_signal(signal.SIGKILL)
        console.wait()
        console.stdout.close()
        rules = parse(edge.include.read_bytes())
        assert edge.passes()
        blocked = {str(deny.range) for deny in rules.denies}
        assert blocked in ({"198.18.0.1/32"}, {"198.18.0.1/32", f"{CLIENT}/32"})
        seen.add(len(blocked))
    assert seen == {1, 2}, "every kill came at the same place"


async def test_a_file_that_nginx_has_not_loaded_is_told_by_the_next_console(
    edge: Edge, make: Make
) -> None:
    edge.include.write_bytes(EARLIER)
    later = time.time() + 60
    os.utime(edge.include, (later, later))
    block = make()
    card = await block.preview(None)
    [warning] = card.warnings
    assert warning.startswith(f"nginx has not loaded {edge.include} as it is: it was written")
    assert "nginx has NOT loaded it" in await block.verify(card)
    await block.perform(card)
    assert (edge.ask("198.18.0.1"), edge.ask(CLIENT)) == (403, 403)


@pytest.mark.service("ssh")
async def test_a_client_is_blocked_on_another_machine(
    edge: Edge, make: Make, host: SshHost
) -> None:
    block = make(host, verify_url=edge.url, verify_header="X-Real-IP")
    card = await block.preview(None)
    assert card.host == "web1"
    ended = await block.perform(card)
    assert edge.ask(CLIENT) == 403
    assert "answers 403" in ended.text


@pytest.mark.service("ssh")
async def test_where_the_far_machine_sees_us_come_from_is_not_blocked(
    make: Make, host: SshHost
) -> None:
    """sshd there says 127.0.0.1, which is loopback, too: so its own word is looked for."""
    said = (await host.run(["printenv", "SSH_CONNECTION"])).out.decode().split()[0]
    with pytest.raises(MitigationRefused, match="never blocked"):
        await make(host, address=said).preview(None)


@pytest.mark.service("ssh")
@pytest.mark.parametrize("before", [EARLIER, None], ids=["rules before", "no file before"])
async def test_an_answer_that_proves_nothing_is_taken_back_on_another_machine(
    edge: Edge, make: Make, host: SshHost, before: bytes | None
) -> None:
    if before is not None:
        edge.include.write_bytes(before)
    block = make(host, verify_url=edge.url, verify_header="X-Other")
    with pytest.raises(MitigationFailed, match="reloaded with it"):
        await block.perform(await block.preview(None))
    assert (edge.include.read_bytes() if edge.include.exists() else None) == before
    assert edge.ask(CLIENT) == 200
