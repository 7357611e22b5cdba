"""Restart, reload, stop and start a unit of systemd: only the run that was shown, and with what
its journal says afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from warroom.config.values import Seconds
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.hosts.base import CommandTimeout, HostError, HostLost, HostUnreachable
from warroom.mitigations._systemctl import SUFFIX, UNIT, Systemctl, Unit, names, said
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

Verb = Literal["restart", "reload", "stop", "start"]

LONGEST_S: Final = 300
_WAIT: Final = Seconds(90.0)
"""systemd's own DefaultTimeoutStopSec, systemd-system.conf(5)."""
_LOOK_S: Final = 0.25
_STEADY_S: Final = 1.0
"""A service counts as up when it has been active for this long."""
_LINES: Final = 10
_BACKSTOP_S: Final = 60.0
_PAST: Final[dict[Verb, str]] = {
    "restart": "restarted", "reload": "reloaded", "stop": "stopped", "start": "started",
}  # fmt: skip
RISKS: Final[dict[Verb, Risk]] = {
    "restart": Risk.CHANGE,
    "reload": Risk.CHANGE,
    # Restart= does not bring back what was stopped on purpose, systemd.service(5)
    "stop": Risk.DESTROY,
    "start": Risk.CHANGE,
}


@dataclass(frozen=True, slots=True)
class Options:
    """`unit` is a unit's name, of a service where nothing else is said; `user` is one of the
    user's own manager; `sudo` asks `sudo` for the right, without a password; `wait` is how long
    it may take."""

    unit: str
    user: bool = False
    sudo: bool = False
    wait: Seconds = _WAIT

    def __post_init__(self) -> None:
        if not UNIT.fullmatch(self.unit):
            raise ValueError('unit: not the name of a unit, such as "nginx.service"')
        if not 0 < self.wait <= LONGEST_S:
            raise ValueError(f"wait: from above 0 to {LONGEST_S} seconds")

    @property
    def name(self) -> str:
        """The whole name."""
        return self.unit if SUFFIX.search(self.unit) else f"{self.unit}.service"


class UnitAction:
    """One verb on one unit."""

    remembers = ("unit", "run")

    def __init__(self, verb: Verb, options: Options, context: MitigationContext) -> None:
        self._verb, self._options, self._context = verb, options, context
        self._systemctl = Systemctl(context.host, options.user, options.sudo)

    async def preview(self, row: Row | None) -> Card:
        """The unit's state, and who goes with it. Raises MitigationRefused."""
        try:
            unit = await self._systemctl.show(self._options.name)
            reason = refusal(self._verb, unit, self._options.name)
            if reason:
                raise MitigationRefused(reason)
            wanted_by = await self._systemctl.dependants(unit.name)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        host = self._context.host.name
        return Card(
            kind=f"systemd.{self._verb}",
            title=self._context.title or f"{self._verb.capitalize()} {unit.name}",
            host=host,
            target=Target(
                f"systemd {unit.name}{' of the user' if self._options.user else ''} on "
                f"{host or 'this machine'}",
                unit.name,
                {"invocation": unit.run, "state": unit["ActiveState"]},
            ),
            command=(" ".join(self._argv(unit.name)),),
            hits=_hits(self._verb, unit, wanted_by),
            undo=_undo_words(self._verb, unit),
            risk=RISKS[self._verb],
            warnings=_warnings(self._verb, unit),
            context={"unit": unit.name, "run": unit.run},
        )

    async def perform(self, card: Card) -> Done:
        """Act on the run that the card shows, then look until it is as it should be."""
        clock, name = self._context.clock, str(card.context["unit"])
        began = clock.monotonic()
        try:
            before = await self._systemctl.show(name)
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        _compare(card, before)
        await self._ask(name)
        after = await self._settled(name, before)
        seconds = clock.monotonic() - began
        lines = await self._journal(after)
        text = f"{_PAST[self._verb]} {name} in {span(seconds)}; {after.words}"
        evidence = {
            "unit": name,
            "seconds": round(seconds, 2),
            "state_before": before.words,
            "state_after": after.words,
            "run_before": before.run,
            "run_after": after.run,
            "journal": list(lines),
        }
        return Done(text, evidence, self._undo(name))

    async def verify(self, card: Card) -> str:
        """Whether the unit still is in the run that was shown."""
        name, shown = str(card.context["unit"]), str(card.context["run"])
        try:
            unit = await self._systemctl.show(name)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        same = "the run that was shown" if unit.run == shown else "another run than the one shown"
        return f"{name} is {unit.words}; {same}"

    async def close(self) -> None:
        """Nothing is kept open."""

    def _argv(self, name: str) -> tuple[str, ...]:
        return self._systemctl.argv(self._verb, "--", name)

    async def _ask(self, name: str) -> None:
        """Ask systemd, and wait for its job. Raises Failed, or Uncertain with no answer."""
        done = _PAST[self._verb]
        self._context.fence()
        try:
            result = await self._context.host.run(self._argv(name), timeout=self._options.wait)
        except (HostLost, CommandTimeout) as error:
            raise MitigationUncertain(
                f"{error}; systemd may go on with it, and {name} may have been {done}"
            ) from error
        except HostUnreachable as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        except HostError as error:
            raise MitigationFailed(f"{name} was not {done}: {error}") from error
        if result.code:
            lines = await self._journal(await self._looked(name))
            last = f"; its journal ends: {lines[-1]}" if lines else ""
            raise MitigationFailed(f"{name} was not {done}: {said(result)}{last}")

    async def _settled(self, name: str, before: Unit) -> Unit:
        """The unit once it is as asked for. Raises MitigationFailed when it does not get there."""
        clock = self._context.clock
        deadline, since = clock.monotonic() + self._options.wait, clock.monotonic()
        while True:
            unit = await self._looked(name)
            state = unit["ActiveState"]
            is_late = clock.monotonic() >= deadline
            if self._verb == "stop" and state in ("inactive", "failed"):
                return unit
            if unit["Type"] == "oneshot" and state == "inactive" and unit["Result"] == "success":
                return unit  # it has done its work and ended: that is how it runs
            if self._verb != "stop" and (state in ("failed", "inactive") or is_late):
                raise MitigationFailed(await self._ended_badly(unit))
            if self._verb != "stop" and unit.is_active and clock.monotonic() - since >= _STEADY_S:
                if self._verb == "restart" and unit.run == before.run:
                    raise MitigationFailed(f"{name} still is in the run that began before")
                return unit
            if is_late:
                raise MitigationFailed(f"{name} is still {unit.words}")
            await asyncio.sleep(_LOOK_S)

    async def _ended_badly(self, unit: Unit) -> str:
        lines = await self._journal(unit)
        last = f"; its journal ends: {lines[-1]}" if lines else ""
        result = f", {unit['Result']}" if unit["Result"] not in ("", "success") else ""
        return f"{unit.name} was {_PAST[self._verb]}, then: {unit.words}{result}{last}"

    async def _looked(self, name: str) -> Unit:
        try:
            return await self._systemctl.show(name)
        except (HostError, MitigationRefused) as error:
            raise MitigationUncertain(
                f"{name} was {_PAST[self._verb]}; how it is now is not known: {error}"
            ) from error

    async def _journal(self, unit: Unit) -> Sequence[str]:
        """The last lines of its log, for the record and for whoever watches."""
        try:
            lines = await self._systemctl.journal(unit.name, "", _LINES)
        except HostError:
            return ()  # the act is over: a log that cannot be read does not change what it did
        for line in lines:
            self._context.output.say(line)
        return lines

    def _undo(self, name: str) -> Undo | None:
        verb = {"stop": "start", "start": "stop"}.get(self._verb)
        if verb is None:
            return None
        options = {"unit": name, "user": self._options.user, "sudo": self._options.sudo}
        return Undo(f"systemd.{verb}", f"{verb.capitalize()} {name}", options)


def refusal(verb: Verb, unit: Unit, name: str) -> str:
    """Why `verb` makes no sense for a unit as it is; empty when it does."""
    load, state = unit["LoadState"], unit["ActiveState"]
    if load == "not-found":
        return f"there is no unit {name}"
    if load == "masked":
        return f"{name} is masked: nothing can start it before `systemctl unmask`"
    if load not in ("loaded", ""):
        return f"{name} cannot be used: {load}"
    if verb == "reload" and unit["CanReload"] == "no":
        return f"{name} has no reload (ExecReload=): restart it instead"
    if verb == "reload" and not unit.is_active:
        return f"{name} does not run: {unit.words}"
    if verb == "start" and unit.is_active:
        return f"{name} is {unit.words} already"
    if verb == "stop" and state in ("inactive", "failed"):
        return f"{name} does not run: {unit.words}"
    refuses = "RefuseManualStart" if verb == "start" else "RefuseManualStop"
    if verb != "reload" and unit[refuses] == "yes":
        return f"{name} may not be {_PAST[verb]} by hand ({refuses}=yes)"
    return ""


def _compare(card: Card, now: Unit) -> None:
    shown = card.target.identity
    if now.run != shown["invocation"]:
        raise MitigationRefused(
            f"{now.name} is not in the run that was shown ({shown['invocation'] or 'none'}): it is "
            f"{now.words}, run {now.run or 'none'}; look again"
        )
    if now["ActiveState"] != shown["state"]:
        raise MitigationRefused(
            f"{now.name} was {shown['state']} when it was shown and is {now.words}; look again"
        )


def _hits(verb: Verb, unit: Unit, wanted_by: Sequence[str]) -> tuple[tuple[str, str], ...]:
    hits = [("unit", unit["Description"] or unit.name), ("state", unit.words)]
    if unit["MainPID"] not in ("", "0"):
        hits.append(("main process", f"pid {unit['MainPID']}"))
    if unit["NRestarts"] not in ("", "0"):
        hits.append(("restarted by systemd", f"{unit['NRestarts']} times"))
    if unit.goes_along and verb in ("restart", "stop"):
        hits.append((f"{_PAST[verb]} with it", names(unit.goes_along)))
    others = [one for one in wanted_by if one not in unit.goes_along]
    if others:
        hits.append(("wanted by", names(others)))
    return tuple(hits)


def _undo_words(verb: Verb, unit: Unit) -> str:
    if verb == "stop":
        return f"systemd.start starts it again: systemctl start {unit.name}"
    if verb == "start":
        return f"systemd.stop stops it again: systemctl stop {unit.name}"
    if verb == "reload":
        return "nothing: put the former configuration back, then reload again"
    return "nothing takes it back: what the old run held in memory is gone"


def _warnings(verb: Verb, unit: Unit) -> tuple[str, ...]:
    warnings = []
    if unit["NeedDaemonReload"] == "yes":
        warnings.append("its unit file has changed on disk: systemd still uses the one it read")
    if verb == "stop" and unit["TriggeredBy"]:
        warnings.append(f"{unit['TriggeredBy']} may start it again")
    if verb in ("stop", "restart") and unit.name.partition(".")[0] in ("ssh", "sshd"):
        warnings.append("whoever came over SSH may not get in again")
    return tuple(warnings)


def _creator(verb: Verb) -> Callable[[Options, MitigationContext], Mitigation]:
    return lambda options, context: UnitAction(verb, options, context)


def _fit(spec: MitigationSpec, options: Options) -> MitigationSpec:
    return replace(spec, timeout=2.0 * options.wait + _BACKSTOP_S)


def _spec(verb: Verb) -> MitigationSpec:
    return MitigationSpec(
        kind=f"systemd.{verb}",
        title=f"{verb.capitalize()} the unit",
        options=Options,
        create=_creator(verb),
        risk=RISKS[verb],
        acts_on="",
        target_option="unit",
        timeout=2.0 * LONGEST_S + _BACKSTOP_S,
        fit=_fit,
    )


SPECS: Final = (_spec("restart"), _spec("reload"), _spec("stop"), _spec("start"))
