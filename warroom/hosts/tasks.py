"""Ends tasks for good."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_ASK_AGAIN_S: Final = 0.25
_PATIENCE_S: Final = 5.0


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are over, five seconds at the most.

    A library may swallow a cancellation that meets its own time limit (`asyncio.wait_for` does,
    up to Python 3.11), so what goes on is asked again. Whatever the tasks raise is theirs.
    """
    pending = {task for task in tasks if task is not asyncio.current_task()}
    for _ in range(int(_PATIENCE_S / _ASK_AGAIN_S)):
        if not pending:
            return
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_ASK_AGAIN_S)
