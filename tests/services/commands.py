"""What tests of mitigations that run programs need: mitigations made as the engine makes them,
and programs that write down what they were given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.domain.clock import SystemClock
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import (
    Asks,
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationSpec,
    Output,
    spec,
    unfenced,
)


@dataclass
class Made:
    """A mitigation with its spec as its options make it, and what it says as it runs."""

    mitigation: Mitigation
    spec: MitigationSpec
    output: Output

    async def card(self, **values: str) -> Card:
        """Its card, with answers to its inputs."""
        if isinstance(self.mitigation, Asks):
            self.mitigation.answer(values)
        return await self.mitigation.preview(None)

    async def perform(self, card: Card) -> Done:
        return await self.mitigation.perform(card)

    async def done(self, **values: str) -> Done:
        """Armed and run at once."""
        return await self.perform(await self.card(**values))


def made(
    kind: str,
    table: Mapping[str, Any],
    host: Host | None = None,
    title: str = "",
    fence: Callable[[], None] = unfenced,
) -> Made:
    """The mitigation that a `[[mitigation]]` with these keys of its kind gives."""
    found, problems = shaped(kind, table)
    assert not problems, problems
    output = Output()
    context = MitigationContext(host or LocalHost(), SystemClock(), output, title, fence=fence)
    return Made(spec(kind).create(found, context), spec(kind).fitted(found), output)


def shaped(kind: str, table: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The options of that table, and what is wrong with it, a line each."""
    problems: list[Problem] = []
    options: object = shape(spec(kind).options, table, ("mitigation", 0), problems)
    lines = [f"{p.key.removeprefix('mitigation[0].')}: {p.message}; {p.hint}" for p in problems]
    return options, lines


def command(argv: list[str], host: Host | None = None, **table: Any) -> Made:
    return made("command.run", {"argv": argv, **table}, host)


def shell(script: str, host: Host | None = None, **table: Any) -> Made:
    """The team's own script, without inputs."""
    return command(["sh", "-c", script], host, verbatim=True, **table)


@dataclass
class Recorder:
    """A program that writes down its arguments, its folder and its environment."""

    path: Path
    log: Path

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call."""
        if not self.log.exists():
            return []
        calls = self.log.read_bytes().split(b"\0\0END\0")[:-1]
        return [
            [word.decode("utf-8", "surrogateescape") for word in call.split(b"\0")]
            for call in calls
        ]


def recorder(folder: Path) -> Recorder:
    """A new one in `folder`."""
    one = Recorder(folder / "record", folder / "calls")
    one.path.write_text(
        f'#!/bin/sh\n{{ printf "%s\\0" "$@"; printf "\\0END\\0"; }} >>"{one.log}"\n'
        'pwd; env; echo "on stderr" >&2\n'
    )
    one.path.chmod(0o755)
    return one
