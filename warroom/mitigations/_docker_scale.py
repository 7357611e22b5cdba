"""Gives a service of compose more containers, or fewer, for a while.

Compose keeps no list of its own: a service is what its labels say. So one more replica is a copy
of one that is there, with the next number, and compose takes it for its own. Only where there is
none to copy the compose program is asked.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from warroom.config.inputs import Input
from warroom.config.values import Line, Seconds
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import AS_IT_IS, HostError
from warroom.hosts.docker import Engine
from warroom.hosts.docker_container import PROJECT_LABEL, SERVICE_LABEL, container
from warroom.hosts.docker_endpoint import spelled
from warroom.mitigations import _compose
from warroom.mitigations._asked import answers
from warroom.mitigations._command_run import run
from warroom.mitigations._compose import Compose, Service, Unusable, service_of
from warroom.mitigations._docker_engine import OnEngine, check_target, said, table
from warroom.mitigations._docker_replicas import (
    added,
    next_names,
    number_of,
    removed,
    replicas,
    unscalable,
)
from warroom.mitigations._docker_scale_card import Plan, argv, hits, names, warnings
from warroom.mitigations._docker_verbs import WAIT
from warroom.mitigations._docker_wait import Waiting
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

REPLICAS: Final = Input(
    "replicas", "how many replicas: +1, -1, or 4", pattern="[+-]?[0-9]{1,2}", default="+1",
    dash=True,
)  # fmt: skip
MOST: Final = 64
AT_ONCE: Final = 10
"""Replicas that are added or removed in one go."""
LIMIT_S: Final = 300.0
_NOTHING: Final = Line("")
_HOUR: Final = Seconds(3600.0)


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """The service of `container` (empty: of the selected row), or `service` of `project`. `to` is
    how many replicas there are to be, `by` how many more or fewer; asked for when neither is
    given. `expires` is after how long it is to be taken back ("0s": never by itself). `only` are
    the ids of those that may go: what an earlier scale added."""

    container: str = ""
    service: Line = _NOTHING
    project: Line = _NOTHING
    to: int | None = field(default=None, metadata={"doc": "to = 4"})
    by: int | None = field(default=None, metadata={"doc": "by = 2, or -1"})
    socket: str = ""
    wait: Seconds = WAIT
    stop_timeout: int = 10
    expires: Seconds = _HOUR
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_target(self.container, self.wait, self.stop_timeout)
        if self.to is not None and self.by is not None:
            raise ValueError("a scale wants one of to = 4 and by = 2")
        if self.to is not None and not 1 <= self.to <= MOST:
            raise ValueError(f"to: from 1 to {MOST}")
        if self.by is not None and not 1 <= abs(self.by) <= AT_ONCE:
            raise ValueError(f"by: from 1 to {AT_ONCE}, or as many fewer")

    @property
    def is_asked(self) -> bool:
        return self.to is None and self.by is None


class Scale(OnEngine):
    """Adds or removes containers of one service."""

    remembers: tuple[str, ...] = ("project", "service", "want")

    def __init__(self, options: ScaleOptions, context: MitigationContext) -> None:
        super().__init__(options.socket, context)
        self._options = options
        self._to, self._by = options.to, options.by

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        text = given.get(REPLICAS.name, "")
        if text:
            self._to = None if text[0] in "+-" else int(text)
            self._by = int(text) if text[0] in "+-" else None

    async def preview(self, row: Row | None) -> Card:
        """Who comes, and who goes. Raises MitigationRefused."""
        if self._to is None and self._by is None:
            self.answer({})
        try:
            engine = await self.connected()
            plan = await self._planned(engine, await self._meant(engine, row))
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        service, have = plan.service, len(plan.running)
        fewer = bool(plan.going)
        own = fewer and {one.now.id for one in plan.going} <= set(self._options.only)
        return Card(
            kind="docker.scale",
            title=f"Scale {service.name} from {have} to {plan.want}",
            host=self._context.host.name,
            target=Target(
                f"compose {service.project} {service.name}", service.name, plan.identity
            ),
            command=self._command(plan, engine),
            hits=hits(plan),
            undo=self._undo_words(plan),
            # what the same incident added may go with Enter: it is the way back
            risk=Risk.DESTROY if fewer and not own else Risk.CHANGE,
            warnings=warnings(plan),
            context={"project": service.project, "service": service.name, "want": plan.want,
                     "plan": plan},
            holds=tuple(one.now.id for one in plan.going),
        )  # fmt: skip

    async def perform(self, card: Card) -> Done:
        """Do it, if the service still is what was shown, and wait until all are up."""
        plan: Plan = card.context["plan"]
        try:
            engine = await self.connected()
            now = await replicas(engine, plan.service)
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        if {one.now.short: one.now.started for one in now} != card.target.identity:
            raise MitigationRefused(
                f"{plan.service.name} is not what was shown: {names(plan.now)} then, "
                f"{names(now)} now; look again"
            )
        options, have = self._options, len(plan.running)
        waiting = Waiting(engine, self._context.clock, options.wait, "started")
        kept = []
        if plan.compose is not None:
            new = await self._composed(plan, plan.compose, engine, waiting)
        elif plan.going:
            new = []
            kept = await removed(engine, plan.going, self._context, options.stop_timeout)
        else:
            new = await added(engine, plan.now[-1], plan.new, self._context, waiting)
        undo = self._undo(plan, new)
        gone = f"; {names(plan.going)} removed" if plan.going else ""
        came = f"; {', '.join(plan.new)} up" if plan.new else ""
        text = f"{plan.service.name}: {have} → {plan.want} replicas{gone}{came}"
        facts = {"before": have, "after": plan.want, "added": new}
        return Done(text, facts, undo, options.expires or None, tuple(kept))

    async def verify(self, card: Card) -> str:
        """How many run now. Raises MitigationRefused."""
        service = Service(str(card.context["project"]), str(card.context["service"]))
        try:
            now = [one for one in await replicas(await self.connected(), service) if one.runs]
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        return f"{len(now)} run ({names(now)}); it was to be {card.context['want']}"

    # What it would be -----------------------------------------------------------------------

    async def _meant(self, engine: Engine, row: Row | None) -> Service:
        """Raises MitigationRefused."""
        options = self._options
        if not options.service:
            _, found, _ = await self.chosen(options.container, row)
            service = service_of(table(table(found, "Config"), "Labels"))
            if service is None:
                raise MitigationRefused(
                    f"{container(found).name} is no replica of a compose service: there is nothing "
                    "to scale"
                )
            return service
        listed = await engine.containers()
        labels = [table(one, "Labels") for one in listed]
        mine = [one for one in labels if options.project in ("", one.get(PROJECT_LABEL))]
        same = [one for one in mine if one.get(SERVICE_LABEL) == options.service]
        if not same and options.project and mine:  # a sibling knows where the files are
            same = [{**one, SERVICE_LABEL: options.service} for one in mine]
        found_services = [one for one in map(service_of, same) if one is not None]
        projects = sorted({one.project for one in found_services})
        if len(projects) != 1:
            named = f"in {', '.join(map(said, projects))}: name one with project = ..."
            raise MitigationRefused(
                f"a service {said(options.service)} is {named if projects else 'nowhere here'}"
            )
        return found_services[0]

    async def _planned(self, engine: Engine, service: Service) -> Plan:
        """Raises MitigationRefused, HostError."""
        now = await replicas(engine, service)
        running = [one for one in now if one.runs]
        have = len(running)
        if self._options.only:
            going = [one for one in running if one.now.id in self._options.only]
            if not going:
                raise MitigationRefused("those that were added are gone already")
            if len(going) == have:
                raise MitigationRefused("no others run by now: that would leave none")
            return Plan(service, now, have - len(going), going=tuple(going))
        want = self._wanted(service, have)
        if want < have:
            going = sorted(running, key=number_of)[want:]
            return Plan(service, now, want, going=tuple(reversed(going)))
        if not now:
            return Plan(service, now, want, compose=await self._program(engine, service))
        reason = unscalable(now[-1])
        if reason:
            raise MitigationRefused(f"{service.name} cannot have more: {reason}")
        return Plan(service, now, want, new=next_names(now, want - have))

    async def _program(self, engine: Engine, service: Service) -> Compose:
        try:
            return await _compose.program(self._context.host, spelled(engine.address), service)
        except Unusable as unusable:
            raise MitigationRefused(
                f"{service.name} has no container to copy, and {unusable}"
            ) from unusable

    def _wanted(self, service: Service, have: int) -> int:
        want = self._to if self._to is not None else have + (self._by or 0)
        if want < 1:
            raise MitigationRefused(f"{service.name} has {have}: that would leave none")
        if want == have:
            raise MitigationRefused(f"{service.name} has {have} replicas already")
        if want > MOST or abs(want - have) > AT_ONCE:
            raise MitigationRefused(
                f"{service.name} has {have}: at most {AT_ONCE} come or go at once, {MOST} in all"
            )
        return want

    def _command(self, plan: Plan, engine: Engine) -> tuple[str, ...]:
        if plan.compose is not None:
            return (shlex.join(map(harmless, argv(plan, plan.compose))),)
        on = f"on {engine.where}"
        if plan.going:
            stop = f"stop?t={self._options.stop_timeout}"
            lines = [f"POST /containers/{one.now.short}/{stop}, then DELETE" for one in plan.going]
        else:
            like = plan.now[-1].now.short
            lines = [f"POST /containers/create?name={name} like {like}" for name in plan.new]
        return (*lines, on)

    def _undo_words(self, plan: Plan) -> str:
        expires = self._options.expires
        after = f", to be done after {span(expires)}" if expires else ""
        return f"docker.scale back to {len(plan.running)}{after}"

    def _undo(self, plan: Plan, new: Sequence[str]) -> Undo:
        have = len(plan.running)
        service, own = plan.service, self._options
        options: dict[str, Any] = {"project": service.project, "service": service.name}
        options |= {"wait": own.wait, "stop_timeout": own.stop_timeout, **self.own}
        options |= {"by": -len(new), "only": list(new)} if new else {"to": have}
        return Undo("docker.scale", f"Scale {plan.service.name} back to {have}", options)

    # Through compose ------------------------------------------------------------------------

    async def _composed(
        self, plan: Plan, compose: Compose, engine: Engine, waiting: Waiting
    ) -> list[str]:
        """The ids of those that compose made, up."""
        limit = self._options.wait + 60.0
        self._context.fence()
        words = argv(plan, compose)
        code, feed = await run(self._context.host, words, AS_IT_IS, self._context.output, limit)
        try:
            made = await replicas(engine, plan.service)
        except HostError as error:
            raise MitigationUncertain(
                f"compose ended with {code}; how it is now is not known: {error}"
            ) from error
        if code or len(made) != plan.want:
            raise MitigationFailed(
                f"compose ended with {code}, and {len(made)} are there: {feed.told()}"
            )
        for one in made:
            await waiting.up(one.now.id, one.now.name)
        return [one.now.id for one in made]


def inputs_of(options: ScaleOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return (REPLICAS,) if options.is_asked else ()


def _fit(spec: MitigationSpec, options: ScaleOptions) -> MitigationSpec:
    return replace(spec, inputs=inputs_of(options), takes_row=not options.service)


def _create(options: ScaleOptions, context: MitigationContext) -> Mitigation:
    return Scale(options, context)


SPECS: Final = (
    MitigationSpec(
        kind="docker.scale",
        title="Scale the service",
        options=ScaleOptions,
        create=_create,
        risk=Risk.CHANGE,
        acts_on="docker",
        takes_row=True,
        target_option="container",
        timeout=LIMIT_S,
        inputs=(REPLICAS,),
        fit=_fit,
    ),
)
