"""Keeps a table of containers true without asking: one list, then what the engine sends.

The stream of events says which container to look at again; a stream of figures stays open for
each running one. A lost engine is tried again, ever more slowly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from warroom.domain.clock import Clock
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineLost, EngineRefused
from warroom.hosts.docker_container import PROJECT_LABEL, Container, container, listed
from warroom.probes._docker_usage import Usage, usage

MOST: Final = 500
"""Containers in the table, running ones first."""
STREAMS: Final = 200
"""Streams of figures at once; an update costs about 0.24 ms, and there is one a second."""
AT_ONCE: Final = 8
SILENCE_S: Final = 5.0
"""After so long without a word the engine is asked whether it is there."""
FIRST_LOOK_S: Final = 1.0
"""How long the first view waits for containers that do not answer."""
BACK_OFF_S: Final = 0.5
BACK_OFF_LIMIT_S: Final = 15.0
_EVENTS: Final = (
    "create", "start", "stop", "die", "oom", "pause", "unpause", "rename", "update", "destroy",
    "health_status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which containers: stopped ones too, of one compose project, by name (with `*` and `?`)."""

    stopped: bool = True
    project: str = ""
    names: tuple[str, ...] = ()

    @property
    def filters(self) -> dict[str, list[str]]:
        """As the engine's list takes them."""
        return {"label": [f"{PROJECT_LABEL}={self.project}"]} if self.project else {}

    def has(self, one: Container) -> bool:
        if self.project and one.project != self.project:
            return False
        if not self.stopped and not (one.has_process or one.state == "restarting"):
            return False
        return not self.names or any(fnmatchcase(one.name, name) for name in self.names)


class Watch:
    """`containers` and `usages` by id, as of now. `changed` is set when somebody should look."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Engine]],
        wanted: Wanted,
        clock: Clock,
        changed: asyncio.Event,
    ) -> None:
        self._connect, self._wanted, self._clock, self._changed = connect, wanted, clock, changed
        self.containers: dict[str, Container] = {}
        self.usages: dict[str, Usage] = {}
        self.stopped: set[str] = set()
        self.left_out = 0
        self.engine: Engine | None = None
        self._fault: Exception | None = None
        self._settled = asyncio.Event()
        self._figures = asyncio.Event()
        self._care: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._few = asyncio.Semaphore(AT_ONCE)
        self._heard = 0.0

    async def ready(self) -> Engine:
        """Waits for the first view of the table. Raises HostError while there is no engine."""
        if self._care is None:
            self._care = asyncio.create_task(self._run(), name="docker")
        await self._settled.wait()
        if self._fault is not None:
            raise self._fault
        if self._care.done():
            self._care.result()
        assert self.engine is not None
        return self.engine

    async def figures(self, patience: float) -> None:
        """Waits until every running container has its first figures, `patience` seconds at most."""
        if self._streams:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._figures.wait(), patience)

    async def close(self) -> None:
        if self._care is not None:
            await tasks.end([self._care])

    async def _run(self) -> None:
        failures = 0
        try:
            while True:
                try:
                    await self._session()
                except HostError as error:
                    failures = 0 if self._fault is None else failures + 1
                    self._fault = error
                self._settled.set()
                self._changed.set()
                await asyncio.sleep(min(BACK_OFF_S * 2.0 ** min(failures, 10), BACK_OFF_LIMIT_S))
        finally:
            self._settled.set()

    async def _session(self) -> None:
        """One connection, until it breaks. Raises HostError."""
        engine = await self._connect()
        try:
            wanted = {"type": ["container"], "event": list(_EVENTS)}
            async with engine.objects("events", {"filters": json.dumps(wanted)}) as events:
                await self._list(engine)
                self.engine, self._fault = engine, None
                self._settled.set()
                self._changed.set()
                follow = asyncio.create_task(self._follow(engine, events))
                pulse = asyncio.create_task(self._pulse(engine))
                self._tasks |= {follow, pulse}
                ended, _ = await asyncio.wait({follow, pulse}, return_when="FIRST_COMPLETED")
                ended.pop().result()
        finally:
            await self._end()
            await engine.close()

    async def _end(self) -> None:
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for kept in (self._tasks, self._looks, self._streams, self._again, self.usages):
            kept.clear()
        self._figures.clear()

    async def _pulse(self, engine: Engine) -> None:
        """A tunnel or an engine can hang without closing anything; and no event says that the
        engine gave up on a container, or got stuck with one."""
        while True:
            await asyncio.sleep(SILENCE_S)
            if self._clock.monotonic() - self._heard >= SILENCE_S:
                await engine.ping()
            for key, one in self.containers.items():
                if one.state in ("restarting", "removing"):
                    self._look(engine, key)

    async def _list(self, engine: Engine) -> None:
        """The table from scratch. Events are already listened to, so nothing falls in between."""
        items = await engine.containers(stopped=self._wanted.stopped, filters=self._wanted.filters)
        found = [one for one in map(listed, items) if self._wanted.has(one)]
        found.sort(key=lambda one: not one.has_process)
        self.left_out = max(0, len(found) - MOST)
        self.containers = {one.id: one for one in found[:MOST]}
        self.stopped &= set(self.containers)
        for key in self.containers:
            self._look(engine, key)
        if self._looks:
            await asyncio.wait(set(self._looks.values()), timeout=FIRST_LOOK_S)

    async def _follow(self, engine: Engine, events: AsyncIterator[Mapping[str, Any]]) -> None:
        async for event in events:
            self._heard = self._clock.monotonic()
            actor = event.get("Actor")
            key = actor.get("ID") if isinstance(actor, Mapping) else None
            if isinstance(key, str):
                self._happened(engine, key, str(event.get("Action", "")))
        raise EngineLost(f"the Docker engine at {engine.where} ended its events")

    def _happened(self, engine: Engine, key: str, action: str) -> None:
        if action == "stop" and key in self.containers:
            self.stopped.add(key)
        elif action == "start":
            self.stopped.discard(key)
        if action == "destroy":
            self._forget(key)
        else:
            self._look(engine, key)

    def _look(self, engine: Engine, key: str) -> None:
        """Inspect one soon: never the same twice at once, and a stuck one holds up no other."""
        if key in self._looks:
            self._again.add(key)
            return
        task = self._looks[key] = self._spawn(self._inspect(engine, key))
        task.add_done_callback(lambda _: self._looks.pop(key, None))

    async def _inspect(self, engine: Engine, key: str) -> None:
        self._again.add(key)
        while key in self._again:
            self._again.discard(key)
            try:
                async with self._few:
                    one = container(await engine.inspect(key))
            except EngineRefused as refused:
                if refused.status == 404:
                    self._forget(key)
                return
            except HostError:  # it keeps the state it had; a lost engine is noticed elsewhere
                return
            self._seen(engine, one)

    def _seen(self, engine: Engine, one: Container) -> None:
        if not self._wanted.has(one) or (one.id not in self.containers and self._is_full):
            self._forget(one.id)
            return
        if self.containers.get(one.id) != one:
            self.containers[one.id] = one
            self._changed.set()
        if one.has_process and one.id not in self._streams and len(self._streams) < STREAMS:
            self._figures.clear()
            self._streams[one.id] = self._spawn(self._measure(engine, one.id))
        elif not one.has_process:
            self._unmeasured(one.id)

    @property
    def _is_full(self) -> bool:
        return len(self.containers) >= MOST

    def _forget(self, key: str) -> None:
        self._unmeasured(key)
        self.stopped.discard(key)
        if self.containers.pop(key, None) is not None:
            self._changed.set()

    def _unmeasured(self, key: str) -> None:
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.cancel()
        self.usages.pop(key, None)
        self._complete()

    async def _measure(self, engine: Engine, key: str) -> None:
        """A container's figures for as long as it lives; the stream may end and begin again."""
        while key in self._streams:
            try:
                path = f"containers/{key}/stats"
                async with engine.objects(path, {"stream": "1"}) as stream:
                    async for stats in stream:
                        self._measured(key, usage(stats, self.usages.get(key)))
            except HostError:
                self.usages.pop(key, None)
            await asyncio.sleep(1.0)

    def _measured(self, key: str, used: Usage | None) -> None:
        self._heard = self._clock.monotonic()
        if used is None:
            self.usages.pop(key, None)
            return
        is_news = key not in self.usages or self.usages[key].cpu_percent is None
        self.usages[key] = used
        if is_news:
            self._complete()

    def _complete(self) -> None:
        """Wakes whoever waits for the first figures, and the monitor when the CPU's are there."""
        used = [self.usages.get(key) for key in self._streams]
        if all(used):
            self._figures.set()
        if used and all(each and each.cpu_percent is not None for each in used):
            self._changed.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:  # a defect: say it, do not hide
            self._fault = self._fault or Exception(repr(task.exception()))
