"""The machine probe on another machine, played by a real sshd on this one."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil
import pytest

from tests.services.far_host import Configured
from warroom.domain.clock import SystemClock
from warroom.drill.stack.program import free_port
from warroom.hosts.ssh import SshHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.machine import MachineOptions, MachineProbe

pytestmark = pytest.mark.service("ssh")


def machine_on(host: SshHost, **options: Any) -> MachineProbe:
    context = ProbeContext("web1 machine", host, SystemClock(), 20.0)
    return MachineProbe(MachineOptions(**options), context)


async def test_a_far_machine_is_looked_at_as_this_one_is(host: SshHost) -> None:
    argv = ["sh", "-c", "while :; do :; done", "busy", "--password=hunter2"]
    async with host.stream(argv):
        machine = machine_on(host, processes=5)
        await machine.sample()
        for _ in range(20):  # others may want the processors
            await asyncio.sleep(0.5)
            sample = await machine.sample()
            rows = [row for row in sample.rows if "busy --password=••••" in str(row.cells)]
            if rows and sample.metrics["cpu_percent"] > 5:
                break
        here = psutil.virtual_memory()
        assert sample.metrics["memory_percent"] == pytest.approx(here.percent, abs=10)
        assert sample.metrics["cpu_percent"] > 5
        assert len(sample.rows) == 5
        row = rows[0]
        detail = await machine.detail(row.key)
    pairs = dict(detail.sections[0].pairs)
    assert (pairs["pid"], pairs["threads"]) == (str(row.data["pid"]), "1")
    assert "hunter2" not in str(detail)
    async with asyncio.timeout(30):
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
