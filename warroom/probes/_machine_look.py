"""What a machine's counters say at one instant, and what two of them add up to: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Column, Health, Row, Sample
from warroom.domain.text import shorten

COLUMNS: Final = (
    Column("pid", "pid", "id", priority=1),
    Column("user", "user", priority=2),
    Column("cpu", "cpu %", "percent"),
    Column("memory", "mem", "bytes", priority=1),
    Column("memory_percent", "mem %", "percent", priority=3),
    Column("time", "time", "seconds", priority=4),
    Column("command", "command", grow=True),
)
VIRTUAL: Final = ("lo", "veth", "docker", "br-", "virbr", "ifb", "cni", "flannel", "cali")
"""How interfaces are called whose traffic never leaves the machine, or is counted elsewhere."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_HIDDEN: Final = "••••"
_LOOKED_AT: Final = 8_000
"""Characters of a command line that are shown, and so searched for secrets."""
_SECRETS: Final = (
    re.compile(r"(?i)((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key)[\w-]*+[= ])\S+"),
    re.compile(r"(://[^/\s:@]*+:)[^\s@]++(?=@)"),
    re.compile(r"(\b(?:mysql\w*|mariadb[\w-]*)\b.* -p)[^\s-]\S*"),
    re.compile(r"(\bsshpass -p ?)\S+"),
    re.compile(r"(\bredis-cli\b.* -a )\S+"),
    re.compile(r"(?i)(\b(?:Authorization:|Bearer)\s+(?:Basic |Bearer )?)\S+"),
)


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds (or ticks; only their ratio counts) since boot, of one core or of all."""

    busy: float
    waiting: float
    total: float


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: bytes, and the share of its inodes that is used (None: it has no limit)."""

    mount: str
    used: int
    free: int
    inodes_percent: float | None = None

    @property
    def percent(self) -> float:
        """As df counts it: what root alone may use is neither used nor free."""
        return 100.0 * self.used / (self.used + self.free) if self.used + self.free else 0.0


@dataclass(frozen=True, slots=True)
class Process:
    """`started` tells it from a later process of the same pid; `cpu_s` and `memory` (bytes)."""

    pid: int
    started: int
    cpu_s: float
    memory: int

    @property
    def key(self) -> str:
        return f"{self.pid}-{self.started}"


@dataclass(frozen=True, slots=True)
class Look:
    """All counters at `at` (seconds of a clock that never steps back). Sizes are bytes."""

    at: float
    cpu: Cpu
    cores: tuple[Cpu, ...]
    load: tuple[float, float, float]
    memory_total: int
    memory_available: int
    swap_total: int
    swap_free: int
    disks: tuple[Disk, ...]
    received: int
    sent: int
    uptime_s: float
    processes: tuple[Process, ...]

    @property
    def memory_percent(self) -> float:
        """What programs cannot have any more; caches count as available, as in free(1)."""
        return _share(self.memory_total - self.memory_available, self.memory_total)

    @property
    def swap_percent(self) -> float:
        return _share(self.swap_total - self.swap_free, self.swap_total)

    @property
    def fullest(self) -> Disk | None:
        return max(self.disks, key=lambda disk: disk.percent, default=None)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a process besides figures; harmless and without secrets."""

    name: str
    user: str
    command: str


GONE: Final = Words("ended", "", "(ended)")
"""For a process that ended before it could be asked."""


def busiest(before: Look, after: Look, count: int) -> list[tuple[Process, float]]:
    """The processes that took most CPU in between, with percent of one core; then by memory."""
    earlier = {process.key: process.cpu_s for process in before.processes}
    seconds = max(after.at - before.at, 0.001)
    shares = [
        (process, 100.0 * max(0.0, process.cpu_s - earlier.get(process.key, 0.0)) / seconds)
        for process in after.processes
    ]
    shares.sort(key=lambda pair: (pair[1], pair[0].memory), reverse=True)
    return shares[:count]


def sample_of(
    source: str,
    now: datetime,
    before: Look,
    after: Look,
    top: list[tuple[Process, float]],
    words: Mapping[str, Words],
) -> Sample:
    """The sample of the time from `before` to `after`; `words` are by process key."""
    figures = metrics(before, after)
    summary = f"cpu {figures['cpu_percent']:.0f}%, memory {after.memory_percent:.0f}%"
    if after.fullest:
        summary += f", disk {after.fullest.mount} {after.fullest.percent:.0f}%"
    return Sample(
        source=source,
        at=now,
        health=Health.OK,  # what is too full is for the checks to say
        summary=summary,
        metrics=figures,
        columns=COLUMNS,
        rows=tuple(_row(after, process, share, words) for process, share in top),
        facts=facts(after, figures),
    )


def metrics(before: Look, after: Look) -> dict[str, float]:
    """The figures that checks and courses go by."""
    seconds = max(after.at - before.at, 0.001)
    mean = _busy(before.cpu, after.cpu)
    cores = [_busy(*pair) for pair in zip(before.cores, after.cores, strict=False)]
    inodes = [disk.inodes_percent for disk in after.disks if disk.inodes_percent is not None]
    total = after.cpu.total - before.cpu.total
    figures = {
        "cpu_percent": mean,
        # The kernel rounds each line of /proc/stat by itself: the mean may lie a tick above all.
        "cpu_core_percent": max([mean, *cores]),
        "iowait_percent": _share(max(0.0, after.cpu.waiting - before.cpu.waiting), total),
        "load1": after.load[0],
        "load_per_cpu": after.load[0] / max(1, len(after.cores)),
        "memory_percent": after.memory_percent,
        "swap_percent": after.swap_percent,
        "rx_rate": max(0, after.received - before.received) / seconds,
        "tx_rate": max(0, after.sent - before.sent) / seconds,
        "uptime_s": after.uptime_s,
        "processes": float(len(after.processes)),
    }
    if after.fullest:
        figures |= {
            "disk_percent": after.fullest.percent,
            "disk_free_bytes": float(after.fullest.free),
            "inodes_percent": max(inodes, default=0.0),
        }
    return figures


def facts(look: Look, figures: Mapping[str, float]) -> dict[str, str]:
    """The figures in words, for people."""
    cores = len(look.cores)
    used = look.memory_total - look.memory_available
    found = {
        "cpu": f"{figures['cpu_percent']:.0f}% of {cores} core{'s' if cores != 1 else ''}",
        "load": " ".join(f"{load:.2f}" for load in look.load),
        "memory": f"{of_total(used, look.memory_total)} {look.memory_percent:.0f}%",
        "swap": "none",
    }
    if look.swap_total:
        swapped = of_total(look.swap_total - look.swap_free, look.swap_total)
        found["swap"] = f"{swapped} {look.swap_percent:.0f}%"
    if look.fullest:
        disk = look.fullest
        found["disk"] = f"{disk.mount} {disk.percent:.0f}% ({size(disk.free)} free)"
        if figures["inodes_percent"] >= disk.percent:
            found["inodes"] = f"{figures['inodes_percent']:.0f}% used"
    found["network"] = f"{size(figures['rx_rate'])}/s received, {size(figures['tx_rate'])}/s sent"
    found["uptime"] = span(look.uptime_s)
    found["processes"] = str(len(look.processes))
    return found


def without_secrets(command: str) -> str:
    """A command line without what looks like a secret in it: screens are shared.

    >>> without_secrets("app --token=abc postgres://app:hunter2@db/x")
    'app --token=•••• postgres://app:••••@db/x'
    >>> without_secrets("mysql -u root -phunter2 shop")
    'mysql -u root -p•••• shop'
    """
    command = shorten(command, _LOOKED_AT)  # patterns that look back over a line cost its square
    for pattern in _SECRETS:
        command = pattern.sub(lambda match: match[1] + _HIDDEN, command)
    return command


def size(count: float) -> str:
    """Bytes for people, in powers of 1024.

    >>> size(0), size(1536), size(21 * 2**30)
    ('0 B', '1.5 KiB', '21 GiB')
    """
    power = 0
    while count >= 1024 and power < len(_UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.{1 if count < 10 and power else 0}f} {_UNITS[power]}"


def of_total(used: float, total: float) -> str:
    """Two sizes with the unit of the larger: `3.1 / 23.5 GiB`."""
    for unit, worth in (("GiB", 2**30), ("MiB", 2**20)):
        if total >= worth:
            return f"{used / worth:.1f} / {total / worth:.1f} {unit}"
    return f"{used:.0f} / {total:.0f} B"


def short(command: str) -> str:
    """A command line without the folder of its program: rows are narrow, details have it whole.

    >>> short("/usr/sbin/nginx -g daemon off;")
    'nginx -g daemon off;'
    """
    program, space, arguments = command.partition(" ")
    if program.endswith(":"):  # "postgres: checkpointer": a title, no path
        return command
    return program.rpartition("/")[2] + space + arguments


def _row(look: Look, process: Process, share: float, words: Mapping[str, Words]) -> Row:
    said = words.get(process.key, GONE)
    return Row(
        key=process.key,
        name=said.name,
        cells=(
            process.pid,
            said.user,
            round(share, 1),
            process.memory,
            round(_share(process.memory, look.memory_total), 1),
            process.cpu_s,
            short(said.command) or f"[{said.name}]",  # a kernel's own, as ps writes it
        ),
        data={"pid": process.pid, "started": process.started},
    )


def _busy(before: Cpu, after: Cpu) -> float:
    return _share(max(0.0, after.busy - before.busy), after.total - before.total)


def _share(part: float, whole: float) -> float:
    return min(100.0, max(0.0, 100.0 * part / whole)) if whole > 0 else 0.0
