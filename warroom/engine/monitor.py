"""Looks at every system at its interval, one task a probe, and keeps what was seen.

A look has a time limit; a probe is never asked twice at once; a sick target is asked less often;
whatever a probe raises becomes a sample with the reason in words.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from warroom.domain.clock import Clock
from warroom.domain.sample import Detail, Health, Sample
from warroom.domain.text import harmless, shorten
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.probes.base import Probe, ProbeFault

HISTORY: Final = 720
"""Looks that are remembered for each source: an hour at the usual five seconds."""
BACK_OFF_LIMIT_S: Final = 15.0
_JITTER: Final = 0.1

Listener = Callable[[Sample], None]


@dataclass(frozen=True, slots=True)
class Point:
    """The metrics of one look."""

    at: datetime
    health: Health
    metrics: Mapping[str, float]


@dataclass(slots=True)
class Watch:
    """One probe under the monitor's care."""

    probe: Probe
    every: float
    timeout: float
    history: deque[Point] = field(default_factory=lambda: deque(maxlen=HISTORY))
    failures: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def delay(self, jitter: float) -> float:
        """Seconds until the next look: the interval, doubled for each failure in a row."""
        sick = max(self.every, min(self.every * 2.0**self.failures, BACK_OFF_LIMIT_S))
        return sick * (1 + _JITTER * jitter)


class Monitor:
    """`latest[source]` is the last sample, `course(source, metric)` what it did before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watches: dict[str, Watch] = {}
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._random = random.Random()
        self.latest: dict[str, Sample] = {}

    def add(self, probe: Probe, *, every: float, timeout: float) -> None:
        """Take a probe into care; `every` and `timeout` in seconds."""
        self._watches[probe.name] = Watch(probe, every, timeout)

    def subscribe(self, listener: Listener) -> None:
        """`listener` is called with every sample, in the event loop."""
        self._listeners.append(listener)

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(watch.probe for watch in self._watches.values())

    def kind(self, source: str) -> str:
        """The kind of the probe called `source`."""
        return self._watches[source].probe.kind

    def asks(self, source: str) -> str:
        """What a look at `source` asks; empty where its probe does not say."""
        return str(getattr(self._watches[source].probe, "asks", ""))

    def every(self, source: str) -> float:
        """Seconds between looks at `source` when it is well."""
        return self._watches[source].every

    def course(self, source: str, metric: str) -> tuple[float, ...]:
        """What a metric did, oldest first; looks without it are left out."""
        if source not in self._watches:
            return ()
        points = self._watches[source].history
        return tuple(point.metrics[metric] for point in points if metric in point.metrics)

    def history(self, source: str) -> tuple[Point, ...]:
        """What is remembered of a source, oldest first."""
        return tuple(self._watches[source].history) if source in self._watches else ()

    def start(self) -> None:
        """Begin to look at everything, each at its own pace."""
        for watch in self._watches.values():
            self._tasks.append(asyncio.create_task(self._care(watch), name=watch.probe.name))

    async def stop(self) -> None:
        """End every task and close every probe."""
        await tasks.end(self._tasks)
        self._tasks.clear()
        closing = (watch.probe.close() for watch in self._watches.values())
        await asyncio.gather(*closing, return_exceptions=True)

    async def step(self, source: str | None = None) -> None:
        """One look now, at one source or at all of them together."""
        names = [source] if source else list(self._watches)
        await asyncio.gather(*(self._look(self._watches[name]) for name in names))

    async def detail(self, source: str, key: str) -> Detail:
        """What the probe knows about one row. Raises ProbeFault with the reason in words."""
        watch = self._watches[source]
        try:
            async with asyncio.timeout(watch.timeout):
                return await watch.probe.detail(key)
        except ProbeFault:
            raise
        except (TimeoutError, HostError) as error:
            reason = str(error) or f"no answer within {watch.timeout:g} s"
            raise ProbeFault(reason) from error
        except Exception as error:  # a defect of one probe must not end the console
            reason = shorten(harmless(f"{type(error).__name__}: {error}"), 300)
            raise ProbeFault(reason) from error

    async def _care(self, watch: Watch) -> None:
        while True:
            await self._look(watch)
            delay = watch.delay(self._random.uniform(-1, 1))
            changed = watch.probe.changed
            if changed is None:
                await asyncio.sleep(delay)
                continue
            try:
                async with asyncio.timeout(delay):
                    await changed.wait()
            except TimeoutError:
                continue
            changed.clear()
            await asyncio.sleep(0.1)  # several pushes at once are one look

    async def _look(self, watch: Watch) -> None:
        async with watch.busy:
            sample = await self._sample(watch)
        if sample.error:
            sample = self._carried(watch, sample)
        watch.failures = watch.failures + 1 if sample.error else 0
        watch.history.append(Point(sample.at, sample.health, sample.metrics))
        self.latest[sample.source] = sample
        for listener in self._listeners:
            listener(sample)

    async def _sample(self, watch: Watch) -> Sample:
        try:
            async with asyncio.timeout(watch.timeout):
                return await watch.probe.sample()
        except ProbeFault as fault:
            return self._failed(watch, str(fault), Health.DOWN if fault.down else Health.UNKNOWN)
        except HostError as error:
            return self._failed(watch, str(error), Health.UNKNOWN)
        except TimeoutError:
            return self._failed(watch, f"no answer within {watch.timeout:g} s", Health.DOWN)
        except Exception as error:  # noqa: BLE001 - a defect of one probe must not end the others
            return self._failed(watch, f"{type(error).__name__}: {error}", Health.UNKNOWN)

    def _failed(self, watch: Watch, reason: str, health: Health) -> Sample:
        reason = shorten(harmless(reason), 300)
        return Sample(watch.probe.name, self._clock.now(), health, reason, error=reason)

    def _carried(self, watch: Watch, sample: Sample) -> Sample:
        """A failed look still shows the rows of the last good one, marked as old."""
        last = self.latest.get(watch.probe.name)
        if sample.rows or last is None or not last.rows:
            return sample
        rows = tuple(replace(row, health=None) for row in last.rows)
        return replace(sample, columns=last.columns, rows=rows, stale=True)
