"""What systemctl and journalctl say of a unit: systemctl(1), systemd.exec(5), journalctl(1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import CommandMissing, Host, HostError, HostLost, Result
from warroom.mitigations.base import MitigationRefused

UNIT: Final = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")
"""Characters of a unit's name, systemd.unit(5); never a `-` first, which is an option."""
SUFFIX: Final = re.compile(
    r"\.(?:service|socket|target|timer|mount|automount|path|slice|scope|swap|device)"
)
_PROPERTIES: Final = (
    "Id", "Description", "LoadState", "ActiveState", "SubState", "StateChangeTimestamp", "MainPID",
    "InvocationID", "Result", "NRestarts", "CanStart", "CanStop", "CanReload", "RefuseManualStart",
    "RefuseManualStop", "NeedDaemonReload", "Restart", "TriggeredBy", "RequiredBy", "BoundBy",
    "ConsistsOf", "Type",
)  # fmt: skip
_NOT_THERE: Final = ("not been booted with systemd", "Failed to connect to bus", "Host is down")
_LOOK_S: Final = 10.0
_SYNC_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as `systemctl show` has it; every text is harmless."""

    properties: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.properties.get(name, "")

    @property
    def name(self) -> str:
        return self["Id"]

    @property
    def run(self) -> str:
        """The id of this run, 32 hex digits; empty when it has never run."""
        return self["InvocationID"]

    @property
    def is_active(self) -> bool:
        return self["ActiveState"] in ("active", "reloading")

    @property
    def words(self) -> str:
        """`active (running) since Mon 2026-01-05 10:11:12 UTC`."""
        since = self["StateChangeTimestamp"]
        state = f"{self['ActiveState']} ({self['SubState']})"
        return f"{state} since {since}" if since else state

    @property
    def goes_along(self) -> tuple[str, ...]:
        """Units that systemd stops or restarts with it: Requires=, BindsTo=, PartOf= it."""
        names = " ".join(self[key] for key in ("RequiredBy", "BoundBy", "ConsistsOf")).split()
        return tuple(sorted(set(names)))


@dataclass(frozen=True, slots=True)
class Systemctl:
    """systemd on a host: the system's, or with `user` the user's own manager."""

    host: Host
    user: bool = False
    sudo: bool = False

    def argv(self, *words: str) -> tuple[str, ...]:
        """`systemctl WORDS`, which neither asks for a password nor opens a pager."""
        return (*self._before(), "systemctl", *self._which(), "--no-ask-password", *words)

    async def show(self, unit: str) -> Unit:
        """The unit as it is. Raises MitigationRefused and HostError."""
        names = f"--property={','.join(_PROPERTIES)}"
        result = await self._look(*self._words("show", "--no-pager", names, "--", unit))
        if result.code:
            raise MitigationRefused(said(result))
        lines = harmless_bytes(result.out, lines=True).splitlines()
        pairs = (line.partition("=") for line in lines)
        return Unit({name: value for name, _, value in pairs})

    async def dependants(self, unit: str) -> tuple[str, ...]:
        """Units that want it, directly or not; none when systemctl does not say."""
        words = self._words(
            "list-dependencies", "--reverse", "--plain", "--no-pager", "--no-legend", "--", unit
        )
        result = await self._look(*words)
        found = []
        for line in harmless_bytes(result.out, lines=True).splitlines()[1:]:
            name = line.replace("●", " ").replace("○", " ").replace("×", " ").strip()
            if UNIT.fullmatch(name) and SUFFIX.search(name):
                found.append(name)
        return tuple(dict.fromkeys(found))

    async def journal(self, unit: str, run: str, lines: int) -> tuple[str, ...]:
        """The newest lines of the unit's log, of one run where it is given; none without one.

        journald takes in what it was sent a moment later: the last words of what just ended would
        be missing. It is asked to catch up first (`--sync`, journalctl(1)), which root may ask.
        """
        option = "--user-unit" if self.user else "--unit"
        words = ["journalctl", "--no-pager", "--quiet", "--output=short-iso", f"--lines={lines}"]
        words += [f"_SYSTEMD_INVOCATION_ID={run}"] if run else [f"{option}={unit}"]
        with suppress(HostError):  # the lines themselves say more of what is wrong
            await self.host.run([*self._before(), "journalctl", "--sync"], timeout=_SYNC_S)
        try:
            result = await self.host.run([*self._before(), *words], timeout=_LOOK_S)
        except HostLost:
            raise
        except HostError:
            return ()
        text = harmless_bytes(result.out, limit=256 * 1024, lines=True)
        return tuple(shorten(line, 500) for line in text.splitlines()[-lines:])

    def _before(self) -> tuple[str, ...]:
        return ("sudo", "--non-interactive") if self.sudo else ()

    def _which(self) -> tuple[str, ...]:
        return ("--user",) if self.user else ()

    def _words(self, *words: str) -> tuple[str, ...]:
        return ("systemctl", *self._which(), *words)

    async def _look(self, *argv: str) -> Result:
        """What reading says; no rights are needed for it. Raises MitigationRefused, HostError."""
        try:
            result = await self.host.run(argv, timeout=_LOOK_S)
        except CommandMissing as error:
            raise MitigationRefused(f"{error}: no systemd here") from error
        if any(word.encode() in result.err for word in _NOT_THERE):
            where = f"on {self.host.name}" if self.host.name else "here"
            raise MitigationRefused(f"systemd does not run {where}: {said(result)}")
        return result


def said(result: Result) -> str:
    """What a command says of its failure, in one line."""
    data = result.err if result.err.strip() else result.out
    text = " ".join(harmless_bytes(data, limit=2000, lines=True).split())
    return shorten(text, 300) or f"exit code {result.code}"


def names(units: Sequence[str], most: int = 8) -> str:
    """Some units, and how many more."""
    shown = ", ".join(harmless(unit) for unit in units[:most])
    return f"{shown} and {len(units) - most} more" if len(units) > most else shown
