"""The same on several containers: one card for all, one after the other, each told by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from warroom.config.inputs import Input
from warroom.config.values import Seconds
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine
from warroom.hosts.docker_container import Container, container, dependants, listed
from warroom.mitigations import _docker_verbs
from warroom.mitigations._asked import answers
from warroom.mitigations._docker_engine import OnEngine, check_target
from warroom.mitigations._docker_logs import KeepLogs, LogsOptions
from warroom.mitigations._docker_recreate import Recreate, RecreateOptions
from warroom.mitigations._docker_verbs import WAIT, DockerAction, Options
from warroom.mitigations._docker_wait import state_words
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
    Target,
    Undo,
)

Verb = Literal["restart", "stop", "start", "recreate", "logs"]
VERBS: Final[tuple[Verb, ...]] = ("restart", "stop", "start", "recreate", "logs")
VERB: Final = Input("verb", "what to do with each", "choice", VERBS)
CONTAINERS: Final = Input(
    "containers", "containers, by name or id, with spaces between",
    pattern="[a-zA-Z0-9][a-zA-Z0-9_.-]*(?:[ ,]+[a-zA-Z0-9][a-zA-Z0-9_.-]*)*",
)  # fmt: skip
MOST: Final = 50
LIMIT_S: Final = 3600.0
_EACH_S: Final = 20.0
_RISKS: Final = (Risk.READ, Risk.CHANGE, Risk.DESTROY)
_LINES: Final = ("state", "made by", "lost", "depend on it")
"""What of a single card is told of each on the card for all."""


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """`verb` and `containers` (names or ids) are asked for where they are not given; the others
    are as of the verb."""

    verb: Literal["", "restart", "stop", "start", "recreate", "logs"] = ""
    containers: tuple[str, ...] = ()
    socket: str = ""
    wait: Seconds = WAIT
    stop_timeout: int = 10

    def __post_init__(self) -> None:
        for name in self.containers:
            check_target(name, self.wait, self.stop_timeout)
        check_target("", self.wait, self.stop_timeout)


class One(Protocol):
    """What is done to one of them."""

    async def preview(self, row: Row | None) -> Card: ...

    async def perform(self, card: Card) -> Done: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One of them, with its own card."""

    act: One
    card: Card

    @property
    def name(self) -> str:
        return self.card.target.label


@dataclass
class Tally:
    """What came of each so far; `left` are those that were not begun."""

    done: dict[str, Done] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{len(self.done)} done: {', '.join(self.done)}"] if self.done else []
        parts += [f"{name} failed: {why}" for name, why in self.failed.items()]
        parts += [f"{name} was left alone: {why}" for name, why in self.refused.items()]
        if self.left:
            parts.append(f"not begun: {', '.join(self.left)}")
        return "; ".join(parts) or "nothing was done"


class Bulk(OnEngine):
    """One verb on each of several containers. The first that fails ends it: what took one down
    may take down the others, too."""

    remembers: tuple[str, ...] = ("verb", "containers")

    def __init__(self, options: BulkOptions, context: MitigationContext) -> None:
        super().__init__(options.socket, context)
        self._options = options
        self._verb: str = options.verb
        self._containers: Sequence[str] = options.containers

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        self._verb = given.get(VERB.name, self._verb)
        if CONTAINERS.name in given:
            self._containers = given[CONTAINERS.name].replace(",", " ").split()

    async def preview(self, row: Row | None) -> Card:
        """Every one of them with its own card's words. Raises MitigationRefused."""
        if not self._verb or not self._containers:
            self.answer({})
        most = min(MOST, int(LIMIT_S / (self._options.wait + self._options.stop_timeout + _EACH_S)))
        if len(self._containers) > most:
            raise MitigationRefused(f"{len(self._containers)} at once are too many: at most {most}")
        try:
            engine = await self.connected()
            known = {one.id: one for one in map(listed, await engine.containers())}
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        steps, out = await self._steps(engine)
        if not steps:
            raise MitigationRefused("; ".join(out))
        steps = in_order(steps, known, last_first=self._verb == "stop")
        return self._card(steps, out)

    async def perform(self, card: Card) -> Done:
        """One after the other; see `Tally` for what is told."""
        steps: Sequence[Step] = card.context["steps"]
        tally, say = Tally(left=[step.name for step in steps]), self._context.output.say
        for number, step in enumerate(steps, start=1):
            tally.left.remove(step.name)
            say(f"{number} of {len(steps)}: {step.name}")
            try:
                tally.done[step.name] = done = await step.act.perform(step.card)
                say(f"  {done.text}")
            except MitigationRefused as error:
                tally.refused[step.name] = str(error)
                say(f"  left alone: {error}")
            except MitigationFailed as error:
                tally.failed[step.name] = str(error)
                break
            except MitigationUncertain as error:
                part = self._done(tally, steps, step)
                raise MitigationUncertain(f"{step.name}: {error}; {tally}", part) from error
            except asyncio.CancelledError:
                raise MitigationUncertain(
                    f"stopped at {step.name}, which may or may not be done; {tally}",
                    self._done(tally, steps, step),
                ) from None
        if tally.failed:
            raise MitigationFailed(str(tally), self._done(tally, steps))
        if not tally.done:
            raise MitigationRefused(str(tally))
        return self._done(tally, steps)

    async def verify(self, card: Card) -> str:
        """How each is now, against what was shown. Raises MitigationRefused."""
        words = []
        try:
            engine = await self.connected()
            known = {one.id for one in map(listed, await engine.containers())}
            for key, name in card.context["containers"]:
                if key not in known:
                    words.append(f"{name} is gone")
                    continue
                now = container(await engine.inspect(key))
                same = card.target.identity.get(now.short) == now.started
                run = "the run that was shown" if same else "another run"
                words.append(f"{name}: {state_words(now)}, {run}")
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        return "; ".join(words)

    # What it would be -----------------------------------------------------------------------

    async def _steps(self, engine: Engine) -> tuple[list[Step], list[str]]:
        """Those it can be done to, and why not to the others."""
        steps: dict[str, Step] = {}
        out: list[str] = []
        for name in self._containers:
            act = self._one(name, engine)
            try:
                card = await act.preview(None)
            except MitigationRefused as error:
                out.append(str(error))
                continue
            steps.setdefault(card.target.id, Step(act, card))
        return list(steps.values()), out

    def _one(self, name: str, engine: Engine) -> One:
        own, context = self._options, self._context
        if self._verb == "logs":
            return KeepLogs(LogsOptions(name), context, engine)
        if self._verb == "recreate":
            options = RecreateOptions(name, "", own.wait, own.stop_timeout)
            return Recreate(options, context, engine)
        verb: Any = self._verb
        return DockerAction(verb, Options(name, "", own.wait, own.stop_timeout), context, engine)

    def _card(self, steps: Sequence[Step], out: Sequence[str]) -> Card:
        cards = [step.card for step in steps]
        label = f"{len(cards)} containers" if len(cards) > 1 else cards[0].target.label
        shorts = sorted(card.target.id[:12] for card in cards)
        lines = self._verb == "recreate"  # its requests are several, the others' second is the CLI
        warnings = [f"{step.name}: {one}" for step in steps for one in step.card.warnings]
        undo = cards[0].undo
        if self._verb == "stop":
            undo = "docker.bulk starts the same containers again"
        return Card(
            kind="docker.bulk",
            title=f"{self._verb.capitalize()} {label}",
            host=self._context.host.name,
            target=Target(
                f"containers {' '.join(shorts)}",
                label,
                {card.target.id[:12]: card.target.identity["started_at"] for card in cards},
            ),
            command=tuple(line for card in cards for line in card.command[: None if lines else 1]),
            hits=(*_hits(steps), *(("left out", why) for why in out)),
            undo=undo,
            risk=max((card.risk for card in cards), key=_RISKS.index),
            warnings=tuple(dict.fromkeys(warnings)),
            context={
                "verb": self._verb,
                "containers": [[card.target.id, card.target.label] for card in cards],
                "steps": steps,
            },
            holds=tuple(card.target.id for card in cards),
        )

    def _done(self, tally: Tally, steps: Sequence[Step], doubt: Step | None = None) -> Done:
        """What there is to keep. A stop is taken back for those that were stopped, and for the one
        in `doubt` and the one that failed, too: a start leaves alone what runs."""
        ended = [
            step.card.target.id
            for step in steps
            if step is doubt or step.name in tally.done or step.name in tally.failed
        ]
        undo = None
        if self._verb == "stop" and ended:
            options = {"verb": "start", "containers": ended, "wait": self._options.wait, **self.own}
            count = f"{len(ended)} containers" if len(ended) > 1 else "1 container"
            undo = Undo("docker.bulk", f"Start {count} again", options)
        told = {name: done.text for name, done in tally.done.items()}
        facts = {"targets": {**told, **tally.refused}}
        exhibits = tuple(kept for done in tally.done.values() for kept in done.exhibits)
        return Done(str(tally), facts, undo, exhibits=exhibits)


def in_order(
    steps: Sequence[Step], known: Mapping[str, Container], *, last_first: bool
) -> list[Step]:
    """Whatever others depend on comes first, with `last_first` last; else as they were given."""
    by_id = {step.card.target.id: step for step in steps}
    chosen = [known[key] for key in by_id if key in known]
    placed: dict[str, Step] = {}
    seen: set[str] = set()

    def place(one: Container) -> None:
        if one.id in seen:
            return
        seen.add(one.id)
        for other in chosen:
            if other is not one and one in dependants(other, [one]):
                place(other)
        placed[one.id] = by_id[one.id]

    for one in chosen:
        place(one)
    ordered = [*placed.values(), *(step for key, step in by_id.items() if key not in placed)]
    return ordered[::-1] if last_first else ordered


def _hits(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """A line for each, in the order in which they are done."""
    lines = []
    for number, step in enumerate(steps, start=1):
        own = dict(step.card.hits)
        words = [own[what] if what == "state" else f"{what}: {own[what]}"
                 for what in _LINES if what in own]  # fmt: skip
        lines.append((f"{number}. {step.name}", "; ".join(words)))
    return lines


def inputs_of(options: BulkOptions) -> tuple[Input, ...]:
    """What is asked for."""
    verb = () if options.verb else (VERB,)
    return (*verb, *(() if options.containers else (CONTAINERS,)))


def _fit(spec: MitigationSpec, options: BulkOptions) -> MitigationSpec:
    risk = Risk.DESTROY if options.verb in ("stop", "recreate") else spec.risk
    moves = _docker_verbs.moves_of(options.verb)
    return replace(spec, inputs=inputs_of(options), risk=risk, moves=moves)


def _create(options: BulkOptions, context: MitigationContext) -> Mitigation:
    return Bulk(options, context)


SPECS: Final = (
    MitigationSpec(
        kind="docker.bulk",
        title="Act on several containers",
        options=BulkOptions,
        create=_create,
        risk=Risk.CHANGE,
        acts_on="docker",
        timeout=LIMIT_S,
        inputs=(VERB, CONTAINERS),
        fit=_fit,
    ),
)
