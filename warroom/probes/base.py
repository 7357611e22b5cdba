"""What a probe is, and what a probe's file offers to the rest.

ProbeFault           could not look; the message is one plain line for the pane
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from warroom.config.registry import member
from warroom.domain.clock import Clock
from warroom.domain.sample import Detail, Sample
from warroom.hosts.base import Host

_MARGIN_S: Final = 0.1


class ProbeFault(Exception):
    """The system could not be looked at: unreachable, refused, not what it claims to be.

    The monitor makes it a sample with health DOWN (`down=True`: the system itself is out) or
    UNKNOWN (we cannot tell).
    """

    def __init__(self, message: str, *, down: bool = False) -> None:
        super().__init__(message)
        self.down = down


class Probe(Protocol):
    """Looks at one system. Never more than one `sample` is under way; `close` is always called.

    `changed`, when it is set, asks for a sample before the interval is over: for systems that
    push (Docker events). Fields of foreign origin pass through `domain.text.harmless`.

    A probe whose look depends on its options has an attribute `asks`, what it asks the system in
    the system's words and without secrets: evidence says it.
    """

    name: str
    kind: str
    changed: asyncio.Event | None

    async def sample(self) -> Sample:
        """One look. Raises ProbeFault; anything else that it raises is reported as UNKNOWN."""
        ...

    async def detail(self, key: str) -> Detail:
        """All about the row of that key (empty: the source itself). Raises ProbeFault."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What a probe is given besides its options."""

    name: str
    host: Host
    clock: Clock
    timeout: float

    @property
    def look_s(self) -> float:
        """Seconds after which a look ends itself, so that the reason is told before the monitor
        gives up after `timeout`."""
        return max(self.timeout - _MARGIN_S, self.timeout / 2)


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """A kind of probe: what its file exports as `SPEC`.

    `options` is a frozen dataclass that the config's table is shaped into; `create` gives the
    probe without touching the network; client libraries are imported when it first looks. `asks`
    is what a look asks the system where that is always the same, as a probe's own `asks` has it.
    """

    kind: str
    title: str
    options: type
    create: Callable[[Any, ProbeContext], Probe]
    every: float = 5.0
    timeout: float = 5.0
    asks: str = ""


def spec(kind: str) -> ProbeSpec:
    """The spec of a kind, its module imported now. Raises registry.UnknownMember."""
    import warroom.probes as room

    module = member(room, kind)
    found: ProbeSpec = module.SPEC
    return found
