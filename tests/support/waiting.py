"""Waits for what a real server does a moment later, and no longer than it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def comes_true(check: Callable[[], Awaitable[bool] | bool], within: float = 30.0) -> bool:
    """Whether `check` holds before `within` seconds are over."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        holds = check()
        if holds if isinstance(holds, bool) else await holds:
            return True
        await asyncio.sleep(0.05)
    return False
