"""Restart, reload and scale an application of PM2: its processes by id, as they were shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from warroom.config.values import Line, Seconds
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.hosts.base import CommandTimeout, HostError, HostLost, HostUnreachable
from warroom.mitigations._pm2_list import Pm2, Process, runs, said
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

Verb = Literal["restart", "reload"]

LONGEST_S: Final = 300
MOST: Final = 64
"""Processes of one application; more is a mistake in a number."""
_NOTHING: Final = Line("")
_WAIT: Final = Seconds(60.0)
_BACKSTOP_S: Final = 60.0
_LOOK_S: Final = 0.5
_STEADY_S: Final = 1.5
"""A process counts as up when it has lasted this long; PM2's own min_uptime is 1 s."""
_NAME: Final = re.compile(r"(?!-)[^\x00-\x1f\x7f]{1,100}")
_RESERVED: Final = frozenset({"all", "json", "stdin"})


@dataclass(frozen=True, slots=True)
class Options:
    """`app` is the name of an application; `home` its PM2_HOME, empty for the user's own; `wait`
    is how long it may take."""

    app: Line
    home: Line = _NOTHING
    wait: Seconds = _WAIT

    def __post_init__(self) -> None:
        _check(self.app, self.home, self.wait)


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """As Options, and how many processes there are to be: `to`, or `by` more (or fewer)."""

    app: Line
    to: int | None = field(default=None, metadata={"doc": "to = 4"})
    by: int | None = field(default=None, metadata={"doc": "by = 2, or -1"})
    home: Line = _NOTHING
    wait: Seconds = _WAIT
    expires: Seconds | None = None

    def __post_init__(self) -> None:
        _check(self.app, self.home, self.wait)
        if (self.to is None) is (self.by is None):
            raise ValueError("a scale wants one of to = 4 and by = 2")
        if self.to is not None and not 1 <= self.to <= MOST:
            raise ValueError(f"to: from 1 to {MOST}")
        if self.by is not None and not 1 <= abs(self.by) <= MOST:
            raise ValueError(f"by: from 1 to {MOST}, or as many fewer")


class Pm2Action:
    """What the acts on one application share."""

    def __init__(self, options: Options | ScaleOptions, context: MitigationContext) -> None:
        self._app, self._wait, self._context = options.app, options.wait, context
        self._home = options.home
        self._pm2 = Pm2(context.host, options.home)

    async def _looked(self) -> tuple[Process, ...]:
        try:
            found = await self._pm2.processes(self._app)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        if not found:
            raise MitigationRefused(f"PM2 runs no application called {self._app}")
        return found

    async def _same(self, card: Card) -> tuple[Process, ...]:
        """The processes now. Raises MitigationRefused when they are not those of the card."""
        now = await self._looked()
        if runs(now) != card.target.identity["runs"]:
            raise MitigationRefused(
                f"{self._app} is not what was shown: now {_states(now)}; look again"
            )
        return now

    async def _ask(self, argv: Sequence[str]) -> None:
        """Run pm2. Raises MitigationFailed, or MitigationUncertain when its end is not known."""
        self._context.fence()
        try:
            result = await self._context.host.run(argv, timeout=self._wait)
        except (HostLost, CommandTimeout) as error:
            raise MitigationUncertain(f"{error}; PM2's daemon may go on with it") from error
        except HostUnreachable as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        except HostError as error:
            raise MitigationFailed(str(error)) from error
        if result.code:
            raise MitigationFailed(f"{self._app}: {said(result)}")

    async def _up(self, wanted: int, before: Sequence[Process]) -> tuple[Process, ...]:
        """The processes once `wanted` of them are online and stay so. Raises MitigationFailed."""
        clock = self._context.clock
        deadline, since, seen = clock.monotonic() + self._wait, clock.monotonic(), ""
        crashes = {one.id: one.restarts for one in before}
        while True:
            try:
                now = await self._looked()
            except MitigationRefused as error:
                raise MitigationUncertain(
                    f"{self._app}: it was asked for; how it is now is not known: {error}"
                ) from error
            self._context.output.say(_states(now))
            if runs(now) != seen:
                seen, since = runs(now), clock.monotonic()
            is_up = len(now) == wanted and all(one.status == "online" for one in now)
            if is_up and clock.monotonic() - since >= _STEADY_S:
                return now
            looping = [one for one in now if one.restarts > crashes.get(one.id, 0) + 2]
            if looping or any(one.status == "errored" for one in now):
                raise MitigationFailed(f"{self._app} does not stay up: {_states(now)}")
            if clock.monotonic() >= deadline:
                raise MitigationFailed(f"{self._app} after {span(self._wait)}: {_states(now)}")
            await asyncio.sleep(_LOOK_S)

    def _target(self, found: Sequence[Process]) -> Target:
        host = self._context.host.name or "this machine"
        home = f" in {self._home}" if self._home else ""
        return Target(f"pm2 {self._app}{home} on {host}", self._app, {"runs": runs(found)})

    async def verify(self, card: Card) -> str:
        """Whether they still are the processes that were shown."""
        now = await self._looked()
        same = runs(now) == card.target.identity["runs"]
        return f"{_states(now)}; {'as they were shown' if same else 'not those that were shown'}"

    async def close(self) -> None:
        """Nothing is kept open."""


class Again(Pm2Action):
    """Restarts an application, or reloads it process by process."""

    def __init__(self, verb: Verb, options: Options, context: MitigationContext) -> None:
        super().__init__(options, context)
        self._verb: Verb = verb

    async def preview(self, row: Row | None) -> Card:
        """Its processes now. Raises MitigationRefused, also when no daemon runs."""
        found = await self._looked()
        return Card(
            kind=f"pm2.{self._verb}",
            title=self._context.title or f"{self._verb.capitalize()} {self._app}",
            host=self._context.host.name,
            target=self._target(found),
            command=tuple(" ".join(argv) for argv in self._argvs(found)),
            hits=_hits(found),
            undo="nothing takes it back: what the old processes held in memory is gone",
            risk=Risk.CHANGE,
            warnings=_warnings(self._verb, found),
        )

    async def perform(self, card: Card) -> Done:
        """Act on the processes that the card shows, and wait until they are up again."""
        clock = self._context.clock
        began = clock.monotonic()
        before = await self._same(card)
        for number, argv in enumerate(self._argvs(before)):
            try:
                await self._ask(argv)
            except MitigationRefused as error:
                if number:
                    raise MitigationFailed(
                        f"{number} of {len(before)} were done: {error}"
                    ) from error
                raise
        after = await self._up(len(before), [replace(p, restarts=p.restarts + 1) for p in before])
        if {one.run for one in before} & {one.run for one in after}:
            raise MitigationFailed(f"{self._app}: some still are the old processes")
        seconds = clock.monotonic() - began
        done = f"{'restarted' if self._verb == 'restart' else 'reloaded'} {self._app}"
        text = f"{done} in {span(seconds)}; {_states(after)}"
        return Done(text, {"before": _states(before), "after": _states(after)})

    def _argvs(self, found: Sequence[Process]) -> Sequence[tuple[str, ...]]:
        """`pm2 restart` takes several ids, `pm2 reload` only its first."""
        ids = [str(one.id) for one in found]
        if self._verb == "restart":
            return (self._pm2.argv("restart", *ids),)
        return [self._pm2.argv("reload", one) for one in ids]


class Scale(Pm2Action):
    """Sets how many processes an application has."""

    def __init__(self, options: ScaleOptions, context: MitigationContext) -> None:
        super().__init__(options, context)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """How many there are and will be. Raises MitigationRefused."""
        found = await self._looked()
        have, want = len(found), self._wanted(len(found))
        fewer = have - want
        expires = self._options.expires
        after = f", to be done after {span(expires)}" if expires else ""
        hits = (("processes", f"{have} → {want}"), *_hits(found))
        warnings = _warnings("scale", found)
        if fewer > 0:
            warnings = (f"{fewer} of its processes are ended, with what they serve", *warnings)
        return Card(
            kind="pm2.scale",
            title=self._context.title or f"Scale {self._app} to {want}",
            host=self._context.host.name,
            target=self._target(found),
            command=(" ".join(self._argv(want)),),
            hits=hits,
            undo=f"pm2.scale back to {have}{after}",
            risk=Risk.CHANGE,
            warnings=warnings,
            context={"want": want},
        )

    async def perform(self, card: Card) -> Done:
        """Scale what the card shows, and wait until that many are up."""
        before, want = await self._same(card), int(card.context["want"])
        await self._ask(self._argv(want))
        after = await self._up(want, before)
        undo = Undo(
            "pm2.scale",
            f"Scale {self._app} back to {len(before)}",
            {"app": self._app, "to": len(before), "home": self._home},
        )
        text = f"{self._app}: {len(before)} → {len(after)} processes; {_states(after)}"
        evidence = {"before": _states(before), "after": _states(after)}
        return Done(text, evidence, undo, self._options.expires)

    def _argv(self, want: int) -> tuple[str, ...]:
        return self._pm2.argv("scale", self._app, str(want))

    def _wanted(self, have: int) -> int:
        options = self._options
        want = options.to if options.to is not None else have + (options.by or 0)
        if want < 1:
            raise MitigationRefused(f"{self._app} has {have}: that would leave none")
        if want > MOST:
            raise MitigationRefused(f"{self._app} has {have}: {want} would be over {MOST}")
        if want == have:
            raise MitigationRefused(f"{self._app} has {have} processes already")
        return want


def _check(app: str, home: str, wait: float) -> None:
    if not _NAME.fullmatch(app) or app in _RESERVED or app.isdigit():
        raise ValueError("app: not the name of an application; `pm2 list` shows them")
    if home and not home.startswith("/"):
        raise ValueError("home: a whole path, from / on")
    if not 0 < wait <= LONGEST_S:
        raise ValueError(f"wait: from above 0 to {LONGEST_S} seconds")


def _states(found: Sequence[Process]) -> str:
    """`2 online (0, 1), 1 errored (3)`."""
    states: dict[str, list[int]] = {}
    for one in found:
        states.setdefault(one.status, []).append(one.id)
    return ", ".join(
        f"{len(ids)} {status} ({', '.join(map(str, ids))})" for status, ids in states.items()
    )


def _hits(found: Sequence[Process]) -> tuple[tuple[str, str], ...]:
    memory = sum(one.memory for one in found) / 2**20
    return (
        ("state", _states(found)),
        ("pids", ", ".join(str(one.pid) for one in found)),
        ("memory", f"{memory:.0f} MiB in all"),
        ("restarts so far", ", ".join(str(one.restarts) for one in found)),
    )


def _warnings(verb: str, found: Sequence[Process]) -> tuple[str, ...]:
    forks = any(one.mode == "fork_mode" for one in found)
    if verb == "reload" and forks:
        return ("it is in fork mode: a reload is a restart, with a gap",)
    if verb == "restart" and len(found) > 1:
        return ("all its processes are down for a moment; reload takes one after the other",)
    if verb == "scale" and forks:
        return ("it is in fork mode: two processes cannot listen on one port",)
    return ()


def _restart(options: Options, context: MitigationContext) -> Mitigation:
    return Again("restart", options, context)


def _reload(options: Options, context: MitigationContext) -> Mitigation:
    return Again("reload", options, context)


def _scale(options: ScaleOptions, context: MitigationContext) -> Mitigation:
    return Scale(options, context)


def _fit(spec: MitigationSpec, options: Options | ScaleOptions) -> MitigationSpec:
    return replace(spec, timeout=2.0 * options.wait + _BACKSTOP_S)


_LONGEST: Final = 2.0 * LONGEST_S + _BACKSTOP_S

SPECS: Final = (
    MitigationSpec(
        "pm2.restart", "Restart the application", Options, _restart, Risk.CHANGE, "",
        target_option="app", timeout=_LONGEST, fit=_fit,
    ),
    MitigationSpec(
        "pm2.reload", "Reload the application", Options, _reload, Risk.CHANGE, "",
        target_option="app", timeout=_LONGEST, fit=_fit,
    ),
    MitigationSpec(
        "pm2.scale", "Scale the application", ScaleOptions, _scale, Risk.CHANGE, "",
        target_option="app", timeout=_LONGEST, fit=_fit,
    ),
)  # fmt: skip
