"""A unit's journal on a machine that systemd booted, followed over SSH."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from tests.support.following import following, until
from tests.support.systemd import Booted
from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.hosts.ssh import SshHost
from warroom.logs.engine import LogEngine, SourceState
from warroom.logs.level import LogLevel
from warroom.logs.view import LogView

pytestmark = pytest.mark.service("systemd")
SAYS = "ExecStart=/bin/sh -c 'echo one; echo \"<3>two failed\"; exec sleep 600'"


def units(machine: Booted, *names: str) -> AbstractAsyncContextManager[LogEngine]:
    """The journals of these units, followed on that machine."""
    host = SshHost("booted", "booted", str(machine.config))
    return following(*(LogEntry(Name(n), on="booted", unit=n) for n in names), at=host)


def said(engine: LogEngine) -> list[tuple[str, LogLevel]]:
    lines = LogView(engine.ring).window(engine.ring.last, 1000)
    return [(line.text, line.level) for line in lines]


def texts(engine: LogEngine) -> list[str]:
    return [text for text, _ in said(engine)]


async def test_every_line_once_with_its_priority_when_the_journal_itself_is_killed(
    booted: Booted,
) -> None:
    await asyncio.to_thread(booted.add, "says.service", SAYS)
    async with units(booted, "says.service") as engine:
        await until(engine, lambda: ("[err] two failed", LogLevel.ERROR) in said(engine))
        await asyncio.to_thread(
            booted, "systemctl", "kill", "--signal=KILL", "systemd-journald.service"
        )
        await asyncio.to_thread(booted, "systemctl", "restart", "says.service")
        await until(engine, lambda: texts(engine).count("[err] two failed") >= 2)
        assert [texts(engine).count(text) for text in ("one", "[err] two failed")] == [2, 2]


async def test_a_unit_that_systemd_does_not_know_is_said_until_it_is_there(booted: Booted) -> None:
    async with units(booted, "misspelt.service") as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.WAITING)
        await until(engine, lambda: bool(engine.status()[0].error))
        assert engine.status()[0].error.startswith("systemd knows no unit misspelt.service there")
        await asyncio.to_thread(booted.add, "misspelt.service", SAYS)
        await until(engine, lambda: engine.status()[0].state is SourceState.FOLLOWING)
        assert engine.status()[0].error == ""
