"""Samples that a test lays down beforehand: a probe kind that looks at nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from warroom.config.settings import ProbeEntry
from warroom.domain.sample import Detail, Sample, Section
from warroom.engine.members import ProbeMember
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec


@dataclass
class Stage:
    """What a source shows at each look: the samples in order, the last one again and again.

    A ProbeFault among them is raised.
    """

    scenes: list[Sample | ProbeFault]
    looks: int = 0
    closed: bool = False
    detail: Detail = field(default_factory=lambda: Detail("detail", (Section("all"),)))


class StagedProbe:
    """Shows what its stage says."""

    def __init__(self, stage: Stage, context: ProbeContext, kind: str) -> None:
        self.name, self.kind = context.name, kind
        self.changed: asyncio.Event | None = None
        self._stage = stage

    async def sample(self) -> Sample:
        scene = self._stage.scenes[min(self._stage.looks, len(self._stage.scenes) - 1)]
        self._stage.looks += 1
        if isinstance(scene, ProbeFault):
            raise scene
        return scene

    async def detail(self, key: str) -> Detail:
        return self._stage.detail

    async def close(self) -> None:
        self._stage.closed = True


def member(
    name: str, kind: str, stage: Stage, *, every: float = 3600.0, options: Any = None
) -> ProbeMember:
    """A source of that kind that shows `stage`."""

    def create(_: Any, context: ProbeContext) -> StagedProbe:
        return StagedProbe(stage, context, kind)

    spec = ProbeSpec(kind, kind, object, create)
    entry = ProbeEntry(kind, name, "", every, 5.0, {}, ("probe", 0))
    return ProbeMember(entry, spec, options if options is not None else NoOptions())


@dataclass(frozen=True)
class NoOptions:
    """Options as the kinds have them that a pane's actions borrow from; none leads anywhere."""

    socket: str = ""
    dsn: str = ""
    url: str = ""
