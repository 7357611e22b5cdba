"""Services that tests run on a machine that systemd booted, and the way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tests.services.commands import Made
from tests.support.systemd import Booted

Unit = Callable[..., Made]
"""`unit("restart", name, **options)`: that mitigation, on that machine; `login` says as whom."""
RUNS: Final = "ExecStart=/bin/sh -c 'echo listening on 8080; exec sleep 1d'"
STAYS: Final = f"{RUNS}\nExecStop=/bin/sh -c 'while [ -e /tmp/%n ]; do sleep 0.02; done'"
"""Does not stop while there is a file in /tmp that is called as the unit is."""


async def reaches(booted: Booted, name: str, what: str, value: str) -> None:
    """Waits until a property of the unit has that value, while everything else goes on."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(booted.get, name, what) != value:
            await asyncio.sleep(0.02)
