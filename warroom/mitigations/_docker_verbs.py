"""Restart, stop and start a container: by its id, and only while it is the run that was shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from warroom.config.values import Seconds
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineLost
from warroom.hosts.docker_container import Container, container, dependants
from warroom.mitigations._docker_card import PAST, RISKS, Verb, card, command, refusal
from warroom.mitigations._docker_engine import LONGEST_S, OnEngine, check_target
from warroom.mitigations._docker_wait import Waiting, state_words
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Undo,
)

LIMIT_S: Final = 2.0 * LONGEST_S + 20
WAIT: Final = Seconds(30.0)


@dataclass(frozen=True, slots=True)
class Options:
    """`container` is a name or id (empty: the selected row), `socket` as for the docker probe;
    `wait` is how long it may take to be up and healthy, `stop_timeout` how many seconds pass
    between SIGTERM and SIGKILL."""

    container: str = ""
    socket: str = ""
    wait: Seconds = WAIT
    stop_timeout: int = 10

    def __post_init__(self) -> None:
        check_target(self.container, self.wait, self.stop_timeout)


class DockerAction(OnEngine):
    """One verb on one container."""

    def __init__(
        self,
        verb: Verb,
        options: Options,
        context: MitigationContext,
        engine: Engine | None = None,
    ) -> None:
        super().__init__(options.socket, context, engine)
        self._verb, self._options = verb, options

    async def preview(self, row: Row | None) -> Card:
        """The card for the configured container, else for the selected row's."""
        engine, found, others = await self.chosen(self._options.container, row)
        one = container(found)
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
        engine, _, before = await self.again(card)
        self._compare(card, before, engine)
        self._context.fence()
        await self._ask(engine, before)
        waiting = Waiting(engine, self._context.clock, self._options.wait, PAST[self._verb])
        wanted = waiting.stopped if self._verb == "stop" else waiting.up
        after = await wanted(before.id, before.name)
        seconds = self._context.clock.monotonic() - began
        return Done(
            _told(self._verb, before, after, seconds),
            evidence(before, after, seconds),
            self._undo(before) if after is not None else None,
        )

    async def verify(self, card: Card) -> str:
        """How it is now, against the run that was shown. Raises MitigationRefused."""
        try:
            now = container(await (await self.connected()).inspect(card.target.id))
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        same = now.started == card.target.identity.get("started_at")
        return f"{state_words(now)}; {'the run that was shown' if same else 'another run'}"

    def _compare(self, card: Card, now: Container, engine: Engine) -> None:
        """Refuses when the card was drawn of another state, engine or name."""
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

    def _undo(self, one: Container) -> Undo | None:
        """Only a stop is taken back: the same container is started again."""
        if self._verb != "stop":
            return None
        options: dict[str, Any] = {"container": one.id, "wait": self._options.wait, **self.own}
        return Undo("docker.start", f"Start {one.name} again", options)


def _told(verb: Verb, before: Container, after: Container | None, seconds: float) -> str:
    text = f"{PAST[verb]} {before.name} in {seconds:.1f} s"
    if after is None:
        return f"{text}; it was removed, as --rm asked"
    return f"{text}; {after.words if verb == 'stop' else state_words(after)}"


def evidence(before: Container, after: Container | None, seconds: float) -> dict[str, object]:
    """A container before and after, as an outcome keeps it."""
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


_UP: Final = (("failed", "down"), ("unhealthy", "down"), ("running", "up"))


def moves_of(verb: str) -> tuple[tuple[str, str], ...]:
    """Metrics of the docker probe that a verb should move."""
    return _UP if verb in ("restart", "start", "recreate") else ()


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
        moves=moves_of(verb),
        timeout=LIMIT_S,
    )


SPECS: Final = (_spec("restart"), _spec("stop"), _spec("start"))
