"""Restart, stop and start a container: by its id, and only while it is the run that was shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from warroom.config.values import Seconds
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineLost, EngineRefused, connect
from warroom.hosts.docker_container import NAME, Container, container, dependants, listed
from warroom.mitigations._docker_card import PAST, RISKS, Verb, card, command, refusal
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
)

LONGEST_S: Final = 60
"""Seconds that `wait` and `stop_timeout` may take each, so that the executor's limit holds both."""
_LIMIT_S: Final = 2.0 * LONGEST_S + 20
_WAIT: Final = Seconds(30.0)
_LOOK_S: Final = 0.2
_STEADY_S: Final = 1.0
"""A run without a health check counts as up when it has lasted this long."""


@dataclass(frozen=True, slots=True)
class Options:
    """`container` is a name or id (empty: the selected row), `socket` as for the docker probe;
    `wait` is how long it may take to be up and healthy, `stop_timeout` how many seconds pass
    between SIGTERM and SIGKILL."""

    container: str = ""
    socket: str = ""
    wait: Seconds = _WAIT
    stop_timeout: int = 10

    def __post_init__(self) -> None:
        if self.container and not NAME.fullmatch(self.container):
            raise ValueError("container: not the name or id of a container")
        if not 0 < self.wait <= LONGEST_S:
            raise ValueError(f"wait: from above 0 to {LONGEST_S} seconds")
        if not 0 <= self.stop_timeout <= LONGEST_S:
            raise ValueError(f"stop_timeout: from 0 to {LONGEST_S} seconds")


class DockerAction:
    """One verb on one container."""

    def __init__(self, verb: Verb, options: Options, context: MitigationContext) -> None:
        self._verb, self._options, self._context = verb, options, context
        self._engine: Engine | None = None

    async def preview(self, row: Row | None) -> Card:
        """The card for the configured container, else for the selected row's."""
        wanted = self._options.container or (str(row.data.get("id", "")) if row else "")
        if not wanted:
            raise MitigationRefused("no container: select a row, or name one with container = ...")
        try:
            engine = await self._connected()
            one = container(await engine.inspect(wanted))
            others = [listed(item) for item in await engine.containers()]
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        if wanted not in (one.name, one.id, one.short):
            raise MitigationRefused(f'no container is called "{wanted}"; the nearest is {one.name}')
        return card(
            self._verb,
            one,
            dependants(one, others),
            host=self._context.host.name,
            where=engine.where,
            stop_timeout=self._options.stop_timeout,
            now=self._context.clock.now(),
        )

    async def perform(self, card: Card) -> Done:
        """Act on the run that the card shows, and wait until it is what was asked for."""
        began = self._context.clock.monotonic()
        try:
            engine = await self._connected()
            before = container(await engine.inspect(card.target.id))
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        self._compare(card, before, engine)
        self._context.fence()
        await self._ask(engine, before)
        after = await self._settled(engine, before)
        seconds = self._context.clock.monotonic() - began
        return Done(_told(self._verb, before, after, seconds), _evidence(before, after, seconds))

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.close()

    async def _connected(self) -> Engine:
        if self._engine is None:
            self._engine = await connect(self._context.host, self._options.socket)
        return self._engine

    def _compare(self, card: Card, now: Container, engine: Engine) -> None:
        """Refuses when the card was drawn of another run, engine or name."""
        shown = card.target.identity["started_at"]
        if now.id != card.target.id or now.started != shown:
            raise MitigationRefused(
                f"{now.name} is not the run that was shown: that began at {shown}, "
                f"this one at {now.started}; look again"
            )
        reason = refusal(self._verb, now)
        if reason:
            raise MitigationRefused(f"{reason}: nothing was done")
        if card.command != command(self._verb, now, engine.where, self._options.stop_timeout):
            raise MitigationRefused(f"{card.target.label} is called {now.name} now; look again")

    async def _ask(self, engine: Engine, one: Container) -> None:
        patience = self._options.stop_timeout
        try:
            if self._verb == "restart":
                await engine.restart(one.id, stop_timeout=patience)
            elif self._verb == "stop":
                await engine.stop(one.id, stop_timeout=patience)
            else:
                await engine.start(one.id)
        except EngineLost as error:
            raise MitigationUncertain(
                f"{error}; {one.name} may or may not have been {PAST[self._verb]}"
            ) from error
        except HostError as error:
            raise MitigationFailed(f"{one.name} was not {PAST[self._verb]}: {error}") from error

    async def _settled(self, engine: Engine, before: Container) -> Container | None:
        """The container once it is as asked for; None when stopping has removed it."""
        clock, done = self._context.clock, PAST[self._verb]
        deadline = clock.monotonic() + self._options.wait
        since, run = clock.monotonic(), ""
        try:
            while True:
                now = container(await engine.inspect(before.id))
                run = run or now.started
                lasted = clock.monotonic() - since if now.started == run else -1.0
                if _has_stopped(now) if self._verb == "stop" else _is_up(now, lasted):
                    return now
                self._give_up(now, is_late=clock.monotonic() >= deadline, lasts=lasted >= 0)
                await asyncio.sleep(_LOOK_S)
        except EngineRefused as error:
            if self._verb == "stop" and error.status == 404:
                return None
            raise MitigationFailed(f"{before.name} was {done}, then: {error}") from error
        except HostError as error:
            raise MitigationUncertain(
                f"{before.name} was {done}; how it is now is not known: {error}"
            ) from error

    def _give_up(self, now: Container, *, is_late: bool, lasts: bool) -> None:
        """Raises MitigationFailed when waiting on is of no use."""
        done, wait = PAST[self._verb], f"{self._options.wait:g} s"
        if self._verb == "stop":
            if is_late:
                raise MitigationFailed(f"{now.name} is still {now.state} after {wait}")
        elif now.health == "unhealthy":
            raise MitigationFailed(f"{now.name} was {done}, but is unhealthy: {now.health_output}")
        elif not (now.has_process and lasts):
            reason = now.error or now.words
            raise MitigationFailed(f"{now.name} was {done}, but does not stay up: {reason}")
        elif is_late:
            raise MitigationFailed(f"{now.name} was {done} and runs, but not healthy after {wait}")


def _has_stopped(now: Container) -> bool:
    """One with --rm has stopped when it is gone."""
    return now.has_ended and not now.removed_when_ended


def _is_up(now: Container, lasted: float) -> bool:
    """Healthy by its own check; without one, still running after a moment. `lasted` is in seconds,
    negative when the run we saw first has ended."""
    if now.state != "running" or lasted < 0:
        return False
    return now.health == "healthy" if now.health else lasted >= _STEADY_S


def _told(verb: Verb, before: Container, after: Container | None, seconds: float) -> str:
    text = f"{PAST[verb]} {before.name} in {seconds:.1f} s"
    if after is None:
        return f"{text}; it was removed, as --rm asked"
    if verb == "stop":
        return f"{text}; {after.words}"
    since = f" since {after.started_at:%H:%M:%S} UTC" if after.started_at else ""
    health = f", {after.health}" if after.health else ", it has no health check"
    return f"{text}; running{since}{health}"


def _evidence(before: Container, after: Container | None, seconds: float) -> dict[str, object]:
    return {
        "container": before.id,
        "image": before.image,
        "seconds": round(seconds, 2),
        "state_before": before.words,
        "started_before": before.started,
        "state_after": after.words if after else "removed",
        "started_after": after.started if after else "",
        "health_after": after.health if after else "",
    }


def _creator(verb: Verb) -> Callable[[Options, MitigationContext], Mitigation]:
    return lambda options, context: DockerAction(verb, options, context)


_MOVES: Final[Mapping[Verb, tuple[tuple[str, str], ...]]] = {
    "restart": (("failed", "down"), ("unhealthy", "down"), ("running", "up")),
    "start": (("running", "up"), ("failed", "down")),
}
"""Metrics of the docker probe that should move."""


def _spec(verb: Verb) -> MitigationSpec:
    return MitigationSpec(
        kind=f"docker.{verb}",
        title=f"{verb.capitalize()} the container",
        options=Options,
        create=_creator(verb),
        risk=RISKS[verb],
        acts_on="docker",
        takes_row=True,
        target_option="container",
        moves=_MOVES.get(verb, ()),
        timeout=_LIMIT_S,
    )


SPECS: Final = (_spec("restart"), _spec("stop"), _spec("start"))
