"""Leaves the terminal to another program for a while: probes, journal and followers go on, only
the screen waits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from textual.app import App

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def can_leave(app: App[Any]) -> bool:
    """Whether this terminal can be left to a program."""
    driver = app._driver
    return not app.is_headless and driver is not None and driver.can_suspend


async def run(
    app: App[Any], argv: Sequence[str], values: Mapping[str, str] = NOTHING, *, wait: bool = False
) -> int:
    """The exit status of `argv`, which has the terminal and the further variables `values`; with
    `wait`, what it wrote stays until Enter is pressed. Raises OSError when it cannot be run."""
    with app.suspend(), app.batch_update(), _interrupts_are_its_own():
        env = {**os.environ, **values} if values else None
        process = await asyncio.create_subprocess_exec(*argv, env=env)
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:  # the console ends: so does its program
                process.terminate()
                await process.wait()
        if wait:
            await asyncio.to_thread(_until_enter, status)
        return status


def _until_enter(status: int) -> None:
    try:
        input(f"\n[exit code {status}; Enter goes back to the war room] ")
    except (EOFError, OSError):
        return  # the terminal is gone: nothing waits for anybody


@contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Ctrl+C reaches both processes and is meant for the program alone. A handler that does
    nothing is not handed on to it, as ignoring the signal would be."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
