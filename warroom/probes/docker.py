"""The containers of a Docker engine, live: one list, then events and streams, no polling.

`sample` gives what is known at once. The first one is partial: its CPU figures are missing, for the
engine needs a second for them; `changed` is set when they have come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from warroom.domain.sample import Detail, Sample
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineAbsent, EngineLost, EngineRefused, connect
from warroom.probes._docker_rows import COLUMNS, View, metrics, rows, source_health, summary
from warroom.probes._docker_watch import Wanted, Watch
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

FIRST_FIGURES_S: Final = 0.3
"""How long the very first sample waits for memory figures; a busy engine needs up to a second."""


@dataclass(frozen=True, slots=True)
class Options:
    """`socket` is a path, `unix://...` or `tcp://...`, found when empty; `all` shows stopped
    containers too; `project` is a compose project; `names` are patterns with `*` and `?`."""

    socket: str = ""
    all: bool = True
    project: str = ""
    names: tuple[str, ...] = ()


class DockerProbe:
    """One engine. Health: DOWN when it is gone, DEGRADED when a container is ill."""

    kind = "docker"

    def __init__(self, options: Options, context: ProbeContext) -> None:
        self.name = context.name
        self._changed = asyncio.Event()
        self.changed: asyncio.Event | None = self._changed
        self._options, self._context = options, context
        self._watch: Watch | None = None
        self._since: datetime | None = None

    async def sample(self) -> Sample:
        """The containers as they are now. Raises ProbeFault while there is no engine."""
        watch, since = await self._ready()
        view = View(
            now=self._context.clock.now(),
            since=since,
            containers=tuple(watch.containers.values()),
            usages=dict(watch.usages),
            stopped=frozenset(watch.stopped),
        )
        shown = rows(view)
        figures = metrics(view, shown)
        return Sample(
            source=self.name,
            at=view.now,
            health=source_health(shown),
            summary=summary(figures),
            metrics=figures,
            columns=COLUMNS,
            rows=shown,
            facts=self._facts(watch),
            partial="cpu_percent" not in figures,
        )

    async def detail(self, key: str) -> Detail:
        """All about a container by its id; of the engine when `key` is empty."""
        from warroom.probes._docker_detail import container_detail, engine_detail

        watch, _ = await self._ready()
        assert watch.engine is not None
        try:
            return await (container_detail if key else engine_detail)(watch.engine, key)
        except HostError as error:
            raise ProbeFault(str(error)) from error

    async def close(self) -> None:
        if self._watch is not None:
            await self._watch.close()

    async def _ready(self) -> tuple[Watch, datetime]:
        is_first = self._watch is None
        watch = self._watch = self._watch or self._begun()
        self._since = since = self._since or self._context.clock.now()
        try:
            await watch.ready()
        except HostError as error:
            raise ProbeFault(str(error), down=_is_down(error)) from error
        if is_first:
            await watch.figures(FIRST_FIGURES_S)
        return watch, since

    def _begun(self) -> Watch:
        options, context = self._options, self._context
        wanted = Wanted(options.all, options.project, options.names)
        patience = context.timeout * 0.8  # the reason must come before the monitor's time is up

        async def to_engine() -> Engine:
            return await connect(context.host, options.socket, timeout=patience)

        return Watch(to_engine, wanted, context.clock, self._changed)

    def _facts(self, watch: Watch) -> dict[str, str]:
        assert watch.engine is not None
        facts = {"engine": f"{watch.engine.version} at {watch.engine.where}"}
        if self._options.project:
            facts["project"] = harmless(self._options.project)
        if watch.left_out:
            facts["not shown"] = f"{watch.left_out} more containers"
        return facts


def _is_down(error: HostError) -> bool:
    """Whether the engine itself is out, as far as the error tells."""
    if isinstance(error, EngineAbsent):
        return error.down
    return isinstance(error, (EngineLost, EngineRefused))


_ASKS: Final = "GET /containers/json, /containers/ID/json, /containers/ID/stats"
SPEC: Final = ProbeSpec("docker", "Docker", Options, DockerProbe, 2.0, 5.0, _ASKS)
