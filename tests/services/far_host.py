"""What tests of another machine wait for there, and do to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.sshd import SshServer
from warroom.hosts.ssh import SshHost

Configured = Callable[..., SshHost]


async def ends(pid: int, within: float = 30.0) -> bool:
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
    async with asyncio.timeout(30):
        while not (path.exists() and path.read_text().strip()):
            await asyncio.sleep(0.02)
    return int(path.read_text())


async def cut_connections(server: SshServer) -> None:
    """End the sshd processes that serve connections, as a failing network would."""
    for process in psutil.Process(server.program.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # some end on their own account meanwhile
            if "sshd" in process.name():
                process.kill()
