"""Removes what nobody uses on an engine: exactly what the card showed, one by one.

`POST /…/prune` would take whatever is unused at that later moment; so each thing is removed by its
id, without force: what somebody began to use meanwhile the engine itself refuses to remove.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from warroom.config.inputs import Input
from warroom.config.values import Seconds
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineRefused, part
from warroom.hosts.docker_container import container, instant
from warroom.mitigations._asked import answers
from warroom.mitigations._docker_engine import OnEngine, amount, said
from warroom.mitigations._docker_waste import ALL, CHOICES, Ended, Kind, Piece, Waste, usage, waste
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

Preset = Literal[
    "", "containers", "images", "build cache", "containers, images and build cache"
]  # fmt: skip
WHAT: Final = Input("what", "what to remove", "choice", CHOICES, default=ALL)
_DAY: Final = Seconds(86400.0)
_PLACES: Final[Mapping[Kind, str]] = {
    "container": "containers",
    "image": "images",
    "volume": "volumes",
}
_SHOWN: Final = 15
_MOST: Final = 1000
"""Things that are removed in one go; and containers that are looked at."""
_DF_S: Final = 60.0
"""Seconds longer than usual that the engine may take to add up sizes."""
_REMOVE_S: Final = 30.0
_MARGIN_S: Final = 0.1
"""How long the request to prune the build cache may be on its way."""
LIMIT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """`what` is asked for when it is not given; volumes are never removed unless a person chooses
    them. Containers that ended less than `older` ago are left alone."""

    socket: str = ""
    what: Preset = ""
    older: Seconds = _DAY


@dataclass
class Tally:
    """What came of each thing so far."""

    removed: list[Piece] = field(default_factory=list)
    gone: int = 0
    refused: list[str] = field(default_factory=list)
    cache: int = 0

    @property
    def size(self) -> int:
        return sum(piece.size for piece in self.removed) + self.cache

    def __str__(self) -> str:
        done = Waste(tuple(self.removed)).words
        parts = [f"removed {done}", f"about {amount(self.size)} are free"]
        if self.cache:
            parts.insert(1, f"{amount(self.cache)} of build cache")
        if self.gone:
            parts.append(f"{self.gone} were gone already")
        if self.refused:
            parts.append(f"{len(self.refused)} are used again: {'; '.join(self.refused[:3])}")
        return ", ".join(parts)


class Prune(OnEngine):
    """Removes the containers, images, build cache or volumes on the card."""

    remembers: tuple[str, ...] = ("what", "size")

    def __init__(self, options: PruneOptions, context: MitigationContext) -> None:
        super().__init__(options.socket, context)
        self._options = options
        self._what: str = options.what

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        self._what = given.get(WHAT.name, self._what)

    async def preview(self, row: Row | None) -> Card:
        """What would go, by name, and how many bytes that frees. Raises MitigationRefused."""
        if not self._what:
            self.answer({})
        try:
            engine = await self.connected()
            info = await engine.call("GET", "info")
            found, df = await self._looked(engine)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        if found.is_empty:
            left = f"; left alone: {', '.join(found.spared)}" if found.spared else ""
            raise MitigationRefused(f"nothing to remove: no unused {self._what}{left}")
        name = said(info.get("Name") or "docker", 60)
        return Card(
            kind="docker.prune",
            title=f"Remove unused {self._what}",
            host=self._context.host.name,
            target=Target(f"docker prune {engine.where}", name, {"engine": said(info.get("ID"))}),
            command=_command(found, engine.where),
            hits=(("frees", f"about {amount(found.size)}"), *_hits(found), ("docker", usage(df))),
            undo="nothing: what is removed must be built, pulled or filled again",
            risk=Risk.DESTROY,
            warnings=_warnings(found),
            context={"what": self._what, "size": found.size, "waste": found,
                     "drawn": self._context.clock.monotonic()},
        )  # fmt: skip

    async def perform(self, card: Card) -> Done:
        """Remove what the card shows and nothing else."""
        found: Waste = card.context["waste"]
        tally = Tally()
        try:
            engine = await self.connected()
            info = await engine.call("GET", "info")
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        now = said(info.get("ID"))
        if now != card.target.identity["engine"]:
            raise MitigationRefused(
                f"another engine answers now: {card.target.identity['engine']} was shown, this is "
                f"{now}"
            )
        try:
            await self._remove(engine, found, float(card.context["drawn"]), tally)
        except MitigationRefused as error:
            if not tally.removed:
                raise
            raise MitigationFailed(f"{error}; {tally}") from error
        except HostError as error:
            raise MitigationUncertain(f"{error}; known: {tally}; one more may be gone") from error
        except asyncio.CancelledError:
            raise MitigationUncertain(f"stopped; known: {tally}; one more may be gone") from None
        if not tally.removed and not tally.cache:
            raise MitigationFailed(f"nothing was removed: {tally}")
        facts = {"what": self._what, "bytes": tally.size, "removed": len(tally.removed)}
        return Done(str(tally), facts, exhibits=_kept(tally, card))

    async def verify(self, card: Card) -> str:
        """What could be removed now, against what was shown. Raises MitigationRefused."""
        try:
            found, _ = await self._looked(await self.connected())
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        before = int(card.context.get("size") or 0)
        return f"{found.words} could be removed now, {amount(found.size)}; {amount(before)} before"

    async def _looked(self, engine: Engine) -> tuple[Waste, Mapping[str, Any]]:
        """Raises HostError."""
        df: Mapping[str, Any] = await engine.call("GET", "system/df", patience=_DF_S)
        status = {"status": ["created", "exited", "dead"]}
        ended: list[Ended] = []
        for item in (await engine.containers(filters=status))[:_MOST]:
            try:
                found = await engine.inspect(str(item["Id"]))
                one = container(found)
                ended.append((one, one.finished_at or instant(found.get("Created"))))
            except EngineRefused as error:
                if error.status != 404:
                    raise
        now, older = self._context.clock.now(), float(self._options.older)
        unused = waste(self._what, df, ended, now, older)
        if len(unused.pieces) <= _MOST:
            return unused, df
        more = f"{len(unused.pieces) - _MOST:,} more: at most {_MOST:,} go at once"
        return replace(unused, pieces=unused.pieces[:_MOST], spared=(*unused.spared, more)), df

    async def _remove(self, engine: Engine, found: Waste, drawn: float, tally: Tally) -> None:
        say = self._context.output.say
        for piece in found.pieces:
            self._context.fence()
            try:
                path = f"{_PLACES[piece.kind]}/{part(piece.key)}"
                await engine.call("DELETE", path, patience=_REMOVE_S)
            except EngineRefused as error:
                if error.status == 404:
                    tally.gone += 1
                else:
                    tally.refused.append(f"{piece.words.partition(':')[0]}: {error}")
                    say(f"left: {piece.words}: {error}")
                continue
            tally.removed.append(piece)
            say(f"removed {piece.kind} {piece.words}")
        if found.cache[0]:
            self._context.fence()
            unused_for = self._context.clock.monotonic() - drawn + _MARGIN_S
            filters = {"until": [f"{unused_for:.3f}s"]}  # what was used since the card stays
            freed = await engine.call(
                "POST", "build/prune", params={"filters": json.dumps(filters)}, patience=_DF_S
            )
            tally.cache = int(freed.get("SpaceReclaimed") or 0)
            say(f"build cache: {amount(tally.cache)}")


def _command(found: Waste, where: str) -> tuple[str, ...]:
    lines = [
        f"DELETE /{place}/(each of the {len(found.of(kind)):,} below) on {where}"
        for kind, place in _PLACES.items()
        if found.of(kind)
    ]
    if found.cache[0]:
        lines.append(f"POST /build/prune, what was not used since this card, on {where}")
    return tuple(lines)


def _hits(found: Waste) -> list[tuple[str, str]]:
    lines = []
    for kind, place in _PLACES.items():
        pieces = found.of(kind)
        if not pieces:
            continue
        lines.append((place, f"{len(pieces):,}, {amount(sum(p.size for p in pieces))}"))
        lines += [(kind, piece.words) for piece in pieces[:_SHOWN]]
        if len(pieces) > _SHOWN:
            lines.append((kind, f"and {len(pieces) - _SHOWN:,} more"))
    if found.cache[0]:
        lines.append(("build cache", f"{found.cache[0]:,} records, {amount(found.cache[1])}"))
    lines += [("left alone", words) for words in found.spared]
    return lines


def _warnings(found: Waste) -> tuple[str, ...]:
    lines = []
    if found.of("container"):
        lines.append("the logs of these containers go with them")
    if found.of("volume"):
        lines.append("volumes are data: what is in them is gone for good")
    if found.of("image"):
        lines.append("an image without a tag may be what a deploy would roll back to")
    return tuple(lines)


def _kept(tally: Tally, card: Card) -> tuple[Evidence, ...]:
    """A list of what was removed, for the record."""
    if not tally.removed:
        return ()
    lines = [f"{piece.kind} {piece.key}  {piece.words}" for piece in tally.removed]
    text = harmless("\n".join(lines), lines=True)
    title = f"what was removed on {card.target.label}"
    return (Evidence(EvidenceKind.OUTPUT, title, text, host=card.host, query=card.title),)


def inputs_of(options: PruneOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return () if options.what else (WHAT,)


def _fit(spec: MitigationSpec, options: PruneOptions) -> MitigationSpec:
    title = f"Remove unused {options.what}" if options.what else spec.title
    return replace(spec, inputs=inputs_of(options), title=title)


def _create(options: PruneOptions, context: MitigationContext) -> Mitigation:
    return Prune(options, context)


SPECS: Final = (
    MitigationSpec(
        kind="docker.prune",
        title="Remove what nobody uses",
        options=PruneOptions,
        create=_create,
        risk=Risk.DESTROY,
        acts_on="docker",
        timeout=LIMIT_S,
        inputs=(WHAT,),
        fit=_fit,
    ),
)
