"""Leaving always ends, whatever a library does with a cancellation."""

from __future__ import annotations

import asyncio
import contextlib

from warroom.hosts import tasks


async def test_a_task_that_swallows_one_cancellation_is_asked_again() -> None:
    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await tasks.end([task])
    assert task.cancelled()


async def test_what_a_task_raises_at_its_end_stays_with_it() -> None:
    async def fails() -> None:
        raise ValueError("mine")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await tasks.end([task])
    assert isinstance(task.exception(), ValueError)
