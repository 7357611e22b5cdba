"""Makes a container anew with the same config: what was changed or broken inside it is gone."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from warroom.config.values import Seconds
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import AS_IT_IS, HostError
from warroom.hosts.docker import Engine, EngineRefused
from warroom.hosts.docker_container import Container, container, dependants
from warroom.hosts.docker_endpoint import spelled
from warroom.mitigations import _compose
from warroom.mitigations._command_run import run
from warroom.mitigations._compose import Compose, Service, Unusable, service_of
from warroom.mitigations._compose_back import ids_of, put_back
from warroom.mitigations._docker_clone import Clone, image_of, twin, unnamed_volumes
from warroom.mitigations._docker_engine import (
    LONGEST_S,
    OnEngine,
    amount,
    check_target,
    managed,
    said,
    table,
)
from warroom.mitigations._docker_logs import kept_log
from warroom.mitigations._docker_swap import Swap, kept_as, to_its_end
from warroom.mitigations._docker_verbs import WAIT, evidence, moves_of
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
    Risk,
    Target,
)

_SIZE_S: Final = 10.0
_MORE_S: Final = 60.0
"""Seconds that compose may take besides stopping and waiting."""
LIMIT_S: Final = 3.0 * LONGEST_S + _MORE_S + 20.0


@dataclass(frozen=True, slots=True)
class RecreateOptions:
    """`container` is a name or id (empty: the selected row), `socket` as for the docker probe;
    `wait` is how long the new one may take to be up and healthy, `stop_timeout` how many seconds
    pass between SIGTERM and SIGKILL; `by` is who makes it: `auto` takes compose where the files
    are there and unchanged, and else the engine."""

    container: str = ""
    socket: str = ""
    wait: Seconds = WAIT
    stop_timeout: int = 10
    by: Literal["auto", "compose", "engine"] = "auto"

    def __post_init__(self) -> None:
        check_target(self.container, self.wait, self.stop_timeout)


@dataclass(frozen=True, slots=True)
class Way:
    """How it is made anew: by `compose` (None: by the engine), and `why` in words."""

    compose: Compose | None
    why: str


class Recreate(OnEngine):
    """Through the engine's API the old one is kept until the new one is up. Compose removes it
    before, so another like it is made where the new one does not come up."""

    remembers: tuple[str, ...] = ("kept_as",)

    def __init__(
        self, options: RecreateOptions, context: MitigationContext, engine: Engine | None = None
    ) -> None:
        super().__init__(options.socket, context, engine)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """What is lost, what stays, and by whom it is made. Raises MitigationRefused."""
        engine, found, others = await self.chosen(self._options.container, row)
        one = container(found)
        reason = refusal(one, found)
        if reason:
            raise MitigationRefused(f"{one.name}: {reason}")
        clone, moved = await self._clone(engine, found)
        way = await self._way(engine, found, others, moved)
        size = await self._written(engine, one)
        return Card(
            kind="docker.recreate",
            title=f"Recreate {one.name}",
            host=self._context.host.name,
            target=Target(one.id, one.name, {"started_at": one.started, "name": one.name}),
            command=self._command(way, one, engine, found),
            hits=_hits(one, found, way, size, dependants(one, others)),
            undo=_undo(way, one),
            risk=Risk.DESTROY,
            warnings=_warnings(one, found, moved),
            context={
                "kept_as": kept_as(one),
                "digest": clone.digest,
                "way": way,
                "restarts": one.restarts,
            },
        )

    async def perform(self, card: Card) -> Done:
        """Make it anew as the card says, if the run and its config still are what was shown."""
        began = self._context.clock.monotonic()
        engine, found, before = await self.again(card)
        reason = refusal(before, found)
        if reason:
            raise MitigationRefused(f"nothing was done: {before.name}: {reason}")
        try:
            clone, _ = await self._clone(engine, found)
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        if clone.digest != card.context["digest"]:
            raise MitigationRefused(
                f"the config of {before.name} was changed since it was shown; look again"
            )
        way: Way = card.context["way"]
        waiting = Waiting(engine, self._context.clock, self._options.wait, "recreated")
        swap = Swap(engine, before, self._context, self._options.stop_timeout)
        if way.compose is not None:
            swap.log = await kept_log(engine, before, self._context)
            after = await self._composed(way.compose, engine, found, clone, waiting)
        else:
            after = await swap.run(clone, waiting)
        seconds = self._context.clock.monotonic() - began
        text = f"recreated {before.name} in {seconds:.1f} s; {state_words(after)}"
        facts = {**evidence(before, after, seconds), "container_after": after.id}
        text = f"{text}; {swap.left}" if swap.left else text
        return Done(text, facts, exhibits=(swap.log,) if swap.log else ())

    async def verify(self, card: Card) -> str:
        """What runs under its name, and whether the old one is still there. Raises
        MitigationRefused."""
        words = []
        try:
            engine = await self.connected()
            for name in (card.target.label, str(card.context["kept_as"])):
                words.append(await _who(engine, name, card.target.id))
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        return "; ".join(words)

    # What it would be -----------------------------------------------------------------------

    async def _clone(self, engine: Engine, found: Mapping[str, Any]) -> tuple[Clone, bool]:
        """And whether the name of its image means another by now. Raises MitigationRefused."""
        try:
            images = await engine.call("GET", "images/json")
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        image, moved = image_of(found, images if isinstance(images, list) else [])
        return twin(found, image), moved

    async def _way(
        self,
        engine: Engine,
        found: Mapping[str, Any],
        others: Sequence[Container],
        moved: bool,
    ) -> Way:
        """Raises MitigationRefused where compose is asked for and cannot be had."""
        service = service_of(table(table(found, "Config"), "Labels"))
        by = self._options.by
        try:
            if by == "engine":
                return Way(None, "as the config says")
            if service is None:
                raise Unusable("it is no container of compose")
            same = [o for o in others if (o.project, o.service) == (service.project, service.name)]
            if len(same) > 1:
                raise Unusable(f"compose would do all {len(same)} of {service.label}")
            if moved and by == "auto":
                raise Unusable("compose would take the newer image of that name")
            host = self._context.host
            compose = await _compose.program(host, spelled(engine.address), service)
            if by == "auto":
                await _compose.unchanged(host, compose, service)
            return Way(compose, str(compose))
        except Unusable as unusable:
            if by == "compose":
                raise MitigationRefused(f"compose cannot do it: {unusable}") from unusable
            return Way(None, str(unusable))

    async def _written(self, engine: Engine, one: Container) -> int | None:
        """Bytes that it wrote inside itself; None when the engine does not tell in time."""
        try:
            found = await engine.call(
                "GET", f"containers/{one.id}/json", params={"size": "1"}, patience=_SIZE_S
            )
        except HostError:
            return None
        size = found.get("SizeRw", 0)
        return size if isinstance(size, int) else None

    def _command(
        self, way: Way, one: Container, engine: Engine, found: Mapping[str, Any]
    ) -> tuple[str, ...]:
        if way.compose is not None:
            return (shlex.join(map(harmless, self._argv(way.compose, found))),)
        stop = f"POST /containers/{one.short}/stop?t={self._options.stop_timeout}"
        return (
            f"POST /containers/{one.short}/rename?name={kept_as(one)} on {engine.where}",
            f"POST /containers/create?name={one.name} with the config of {one.short}",
            f"{stop}, POST /containers/(the new one)/start",
            f"DELETE /containers/{one.short} once the new one is up; its volumes stay",
        )

    def _argv(self, compose: Compose, found: Mapping[str, Any]) -> tuple[str, ...]:
        service = service_of(table(table(found, "Config"), "Labels"))
        assert service is not None
        stop = str(self._options.stop_timeout)
        return compose.argv(
            "up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout", stop,
            service.name,
        )  # fmt: skip

    # Through compose ------------------------------------------------------------------------

    async def _composed(
        self,
        compose: Compose,
        engine: Engine,
        found: Mapping[str, Any],
        clone: Clone,
        waiting: Waiting,
    ) -> Container:
        """The new container that compose made, up. Raises MitigationFailed (one like the old one
        is back) and the others."""
        service, old = service_of(table(table(found, "Config"), "Labels")), container(found)
        assert service is not None
        try:
            before = await ids_of(engine, service)
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        self._context.fence()
        try:
            return await self._made(self._argv(compose, found), engine, service, before, waiting)
        except MitigationFailed as error:
            back = await to_its_end(put_back(engine, service, old, clone, before))
            raise MitigationFailed(f"{error}; {back}") from error
        except asyncio.CancelledError:
            back = await to_its_end(put_back(engine, service, old, clone, before))
            raise MitigationFailed(f"stopped before the new one was up; {back}") from None

    async def _made(
        self,
        argv: Sequence[str],
        engine: Engine,
        service: Service,
        before: Collection[str],
        waiting: Waiting,
    ) -> Container:
        limit = self._options.stop_timeout + self._options.wait + _MORE_S
        code, feed = await run(self._context.host, argv, AS_IT_IS, self._context.output, limit)
        try:
            new = sorted(await ids_of(engine, service) - {*before})
        except HostError as error:
            raise MitigationUncertain(
                f"compose ended with {code}; how it is now is not known: {error}"
            ) from error
        if code or not new:
            raise MitigationFailed(f"compose ended with {code}: {feed.told()}")
        return await waiting.up(new[0], service.name)


async def _who(engine: Engine, name: str, old: str) -> str:
    """Whether a name is that of the old one, a new one or nobody. Raises HostError."""
    try:
        one = container(await engine.inspect(name))
    except EngineRefused as error:
        if error.status == 404:
            return f"there is no {name}"
        raise
    return f"{name} is {'the old one' if one.id == old else 'a new one'}: {state_words(one)}"


def refusal(one: Container, found: Mapping[str, Any]) -> str:
    """Why a container cannot be made anew; empty when it can."""
    if one.removed_when_ended:
        return "it was started with --rm: once stopped it is gone, and nothing could bring it back"
    if one.state in ("removing", "paused", "dead"):
        return f"it is {one.state}"
    return managed(found)


def _hits(
    one: Container,
    found: Mapping[str, Any],
    way: Way,
    size: int | None,
    suffering: Sequence[Container],
) -> tuple[tuple[str, str], ...]:
    health = f", {one.health}" if one.health else ""
    hits = [("container", f"{one.short}, image {one.image}"), ("state", one.words + health)]
    if one.project:
        hits.append(("compose", f"{one.project} / {one.service}"))
    hits.append(("made by", way.why if way.compose else f"the engine's API: {way.why}"))
    written = "how much is not known" if size is None else amount(size)
    hits.append(("lost", f"its log, and what it wrote inside itself: {written}"))
    volumes = [said(m.get("Name") or m.get("Source") or "?", 40) for m in found.get("Mounts") or ()]
    hits.append(("volumes kept", ", ".join(volumes) or "it has none"))
    if one.has_process:
        hits.append(("ports", ", ".join(one.ports) or "none published"))
        hits.append(("connections", "all open ones are cut; how many is not known"))
    if suffering:
        hits.append(("depend on it", ", ".join(sorted(other.name for other in suffering))))
    return tuple(hits)


def _undo(way: Way, one: Container) -> str:
    if way.compose is not None:
        return (
            "nothing once the new one is up; if it does not come up, one like the old one is made "
            "of the config and the image that run now"
        )
    return (
        f"nothing once the new one is up; if it does not come up, the old one, kept as "
        f"{kept_as(one)}, is put back and started"
    )


def _warnings(one: Container, found: Mapping[str, Any], moved: bool) -> tuple[str, ...]:
    warnings = []
    if moved:
        warnings.append(
            f"{one.image} is another image by now: the new container gets the one that runs"
        )
    if one.oom:
        warnings.append("it was OOM killed: with the same memory limit it may be again")
    unnamed = len(unnamed_volumes(found))
    if unnamed:
        warnings.append(f"{unnamed} of its volumes have no name of their own: they go over to it")
    return tuple(warnings)


def _create(options: RecreateOptions, context: MitigationContext) -> Mitigation:
    return Recreate(options, context)


SPECS: Final = (
    MitigationSpec(
        kind="docker.recreate",
        title="Recreate the container",
        options=RecreateOptions,
        create=_create,
        risk=Risk.DESTROY,
        acts_on="docker",
        takes_row=True,
        target_option="container",
        moves=moves_of("recreate"),
        timeout=LIMIT_S,
    ),
)
