"""Waits until a container that was started is up: healthy, or steadily running."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from warroom.domain.clock import Clock
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineRefused
from warroom.hosts.docker_container import Container, container
from warroom.mitigations.base import MitigationFailed, MitigationUncertain

LOOK_S: Final = 0.2
STEADY_S: Final = 1.0
"""A run without a health check counts as up when it has lasted this long."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long is waited on what: `wait` in seconds, `done` is what was done to it (restarted)."""

    engine: Engine
    clock: Clock
    wait: float
    done: str

    async def up(self, key: str, name: str) -> Container:
        """The container of that id once it is up. Raises MitigationFailed when it does not come
        up, MitigationUncertain when the engine does not tell."""
        deadline = self.clock.monotonic() + self.wait
        since, run = self.clock.monotonic(), ""
        while True:
            now = await self.look(key, name)
            run = run or now.started
            lasted = self.clock.monotonic() - since if now.started == run else -1.0
            if _is_up(now, lasted):
                return now
            self._give_up(now, is_late=self.clock.monotonic() >= deadline, lasts=lasted >= 0)
            await asyncio.sleep(LOOK_S)

    async def stopped(self, key: str, name: str) -> Container | None:
        """The container of that id once it has ended; None when ending has removed it."""
        deadline = self.clock.monotonic() + self.wait
        while True:
            try:
                now = await self.look(key, name)
            except MitigationFailed as error:
                cause = error.__cause__
                if isinstance(cause, EngineRefused) and cause.status == 404:
                    return None
                raise
            if now.has_ended and not now.removed_when_ended:
                return now
            if self.clock.monotonic() >= deadline:
                raise MitigationFailed(f"{now.name} is still {now.state} after {self.wait:g} s")
            await asyncio.sleep(LOOK_S)

    async def look(self, key: str, name: str) -> Container:
        """The container now. Raises MitigationFailed, MitigationUncertain."""
        try:
            return container(await self.engine.inspect(key))
        except EngineRefused as error:
            raise MitigationFailed(f"{name} was {self.done}, then: {error}") from error
        except HostError as error:
            raise MitigationUncertain(
                f"{name} was {self.done}; how it is now is not known: {error}"
            ) from error

    def _give_up(self, now: Container, *, is_late: bool, lasts: bool) -> None:
        """Raises MitigationFailed when waiting on is of no use."""
        done = self.done
        if now.health == "unhealthy":
            raise MitigationFailed(f"{now.name} was {done}, but is unhealthy: {now.health_output}")
        if not (now.has_process and lasts):
            reason = now.error or now.words
            raise MitigationFailed(f"{now.name} was {done}, but does not stay up: {reason}")
        if is_late:
            raise MitigationFailed(
                f"{now.name} was {done} and runs, but not healthy after {self.wait:g} s"
            )


def _is_up(now: Container, lasted: float) -> bool:
    """Healthy by its own check; without one, still running after a moment. `lasted` is in seconds,
    negative when the run we saw first has ended."""
    if now.state != "running" or lasted < 0:
        return False
    return now.health == "healthy" if now.health else lasted >= STEADY_S


def state_words(now: Container) -> str:
    """`running since 12:00:04 UTC, healthy`; of one that does not run, its state."""
    if not now.has_process:
        return now.words
    since = f" since {now.started_at:%H:%M:%S} UTC" if now.started_at else ""
    health = f", {now.health}" if now.health else ", it has no health check"
    return f"{now.state}{since}{health}"
