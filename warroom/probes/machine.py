"""A machine: CPU, load, memory, swap, disks, network, and the processes that use most CPU.

This machine is asked through psutil, in a thread; another through one command a look, which reads
/proc, df and ps. The first sample takes two looks, for most of it is a difference between two.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from warroom.domain.sample import Detail, Sample, Section
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

if TYPE_CHECKING:
    from warroom.hosts.base import Host
    from warroom.probes._machine_look import Look, Process, Words

FIRST_SPAN: Final = 0.25
"""Seconds between the two looks of the first sample."""
_ASKS_HERE: Final = "CPU, load, memory, swap, disks{}, network and processes (psutil, /proc)"
_ASKS_THERE: Final = (
    "/proc/uptime, stat, meminfo, loadavg, net/dev, [0-9]*/stat; df -P{}; ps -eo pid,user,args"
)
_KEY: Final = re.compile(r"\d{1,10}-\d{1,16}")


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """`disks` are mount points (none: every real file system); `processes` how many are shown."""

    disks: tuple[str, ...] = ()
    processes: int = 15

    def __post_init__(self) -> None:
        if not 1 <= self.processes <= 200:
            raise ValueError("processes: 1 to 200")
        for mount in self.disks:
            if not mount.startswith("/") or "\0" in mount:
                raise ValueError(f'disks: "{mount}" is not a mount point, such as "/var"')


class _Counters(Protocol):
    """A machine's counters. Raises ProbeFault."""

    async def look(self) -> Look: ...

    async def words(self, processes: list[Process]) -> Mapping[str, Words]: ...

    async def detail(self, key: str) -> Detail: ...


class MachineProbe:
    """Looks at the machine that its host is."""

    kind = "machine"

    def __init__(self, options: MachineOptions, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        disks = "".join(f" {mount}" for mount in options.disks)
        self.asks = harmless((_ASKS_THERE if context.host.name else _ASKS_HERE).format(disks))
        self._options, self._context = options, context
        self._counters: _Counters = (
            _There(context.host, options.disks, context.timeout)
            if context.host.name
            else _Here(options.disks, context)
        )
        self._before: Look | None = None

    async def sample(self) -> Sample:
        """What happened since the last sample. Raises ProbeFault."""
        from warroom.probes._machine_look import busiest, sample_of

        if self._before is None:
            self._before = await self._counters.look()
            await asyncio.sleep(FIRST_SPAN)
        before, after = self._before, await self._counters.look()
        if after.uptime_s < before.uptime_s:
            before = after  # it was started anew: there is nothing to compare with
        self._before = after
        top = busiest(before, after, self._options.processes)
        words = await self._counters.words([process for process, _ in top])
        return sample_of(self.name, self._context.clock.now(), before, after, top, words)

    async def detail(self, key: str) -> Detail:
        """All about one process, never its environment; without a key the disks."""
        if key:
            if not _KEY.fullmatch(key):
                raise ProbeFault("there is no such process")
            return await self._counters.detail(key)
        return _disks(self.name, self._before or await self._counters.look())

    async def close(self) -> None:
        """Nothing is kept open."""


class _Here:
    """This machine's counters."""

    def __init__(self, disks: tuple[str, ...], context: ProbeContext) -> None:
        self._disks, self._context = disks, context
        self._words: Mapping[str, Words] = {}

    async def look(self) -> Look:
        from warroom.probes._machine_here import look

        return await asyncio.to_thread(look, self._context.clock.monotonic(), self._disks)

    async def words(self, processes: list[Process]) -> Mapping[str, Words]:
        from warroom.probes._machine_here import words

        self._words = await asyncio.to_thread(words, processes, self._words)
        return self._words

    async def detail(self, key: str) -> Detail:
        from warroom.probes._machine_here import detail

        return await asyncio.to_thread(detail, key)


class _There:
    """A far machine's counters."""

    def __init__(self, host: Host, disks: tuple[str, ...], timeout: float) -> None:
        self._host, self._disks, self._timeout = host, disks, timeout
        self._words: dict[str, Words] = {}

    async def look(self) -> Look:
        from warroom.probes._machine_there import LOOK, NotLinux, look

        found = await self._parts(LOOK, *self._disks)
        try:
            one, self._words = look(found, self._disks)
        except NotLinux:
            raise ProbeFault(f"{self._host.name}: no /proc as Linux has; nothing to read") from None
        if self._disks and len(one.disks) != len(self._disks):
            wanted = ", ".join(self._disks)
            raise ProbeFault(f"{self._host.name}: df cannot look at each of {wanted}")
        return one

    async def words(self, processes: list[Process]) -> Mapping[str, Words]:
        del processes  # they came with the look
        return self._words

    async def detail(self, key: str) -> Detail:
        from warroom.probes._machine_there import DETAIL, detail

        pid = key.partition("-")[0]
        found = detail(await self._parts(DETAIL, pid), key)
        if found is None:
            raise ProbeFault(f"process {pid} has ended")
        return found

    async def _parts(self, script: str, *words: str) -> dict[str, bytes]:
        from warroom.probes._machine_there import LIMIT, parts

        mark = f"== {secrets.token_hex(8)}"
        argv = ["sh", "-c", script, "warroom", mark, *words]
        try:
            result = await self._host.run(argv, timeout=self._timeout, limit=LIMIT)
        except HostError as error:
            raise ProbeFault(str(error)) from error
        return parts(result.out, mark)


def _disks(name: str, look: Look) -> Detail:
    from warroom.probes._machine_look import of_total, size

    pairs = tuple(
        (
            disk.mount,
            f"{of_total(disk.used, disk.used + disk.free)} {disk.percent:.0f}%, "
            f"{size(disk.free)} free"
            + (f", inodes {disk.inodes_percent:.0f}%" if disk.inodes_percent is not None else ""),
        )
        for disk in sorted(look.disks, key=lambda disk: disk.percent, reverse=True)
    )
    return Detail(name, (Section("disks", pairs),))


def _create(options: MachineOptions, context: ProbeContext) -> MachineProbe:
    return MachineProbe(options, context)


SPEC: Final = ProbeSpec("machine", "Machine", MachineOptions, _create, every=5.0)
