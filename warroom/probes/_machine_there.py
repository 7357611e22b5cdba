"""A far Linux machine's counters, read by one command a look, and the parsers of its output.

The command is `sh -c` with a constant script of ours; what varies (a mark, a pid, mount points)
are words of its argv. Each part of its output follows a line with the mark, which is random: a
process may call itself anything, a line that looks like ours among it. The formats are those of
proc(5), and of df and ps in POSIX.1-2017 (busybox's do as well).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless_bytes
from warroom.probes._machine_look import (
    VIRTUAL,
    Cpu,
    Disk,
    Look,
    Process,
    Words,
    size,
    without_secrets,
)

TICKS: Final = 100
"""USER_HZ, the unit of CPU time in /proc: 100 on every Linux (time(7))."""
COMMAND: Final = 400
"""Bytes of a command line that are kept."""
LIMIT: Final = 4 * 1024 * 1024
_STAT: Final = re.compile(rb"(?ms)^(\d+) \((.{0,64}?)\) ([A-Za-z]) ((?:-?\d+ ){20,}-?\d+)$")

LOOK: Final = """\
m=$1; shift
for f in uptime stat meminfo loadavg net/dev; do echo "$m $f"; cat /proc/$f; done
echo "$m page"; getconf PAGESIZE
echo "$m disks"
if [ $# -gt 0 ]; then df -P -k "$@"; else df -P -k -l || df -P -k; fi
echo "$m inodes"
if [ $# -gt 0 ]; then df -P -i "$@"; else df -P -i -l || df -P -i; fi
echo "$m processes"; cat /proc/[0-9]*/stat
echo "$m commands"; { ps -eo pid=,user=,args= || ps -o pid,user,args; } | cut -c 1-500
exit 0
"""
DETAIL: Final = """\
m=$1; p=/proc/$2
for f in uptime stat; do echo "$m $f"; cat /proc/$f; done
echo "$m page"; getconf PAGESIZE
echo "$m status"; cat $p/status
echo "$m files"; ls $p/fd | wc -l
echo "$m folder"; readlink $p/cwd
echo "$m program"; readlink $p/exe
echo "$m user"; ps -o user= -p "$2"
echo "$m arguments"; tr '\\0' ' ' <$p/cmdline; echo
echo "$m process"; cat $p/stat
exit 0
"""


class NotLinux(Exception):
    """The output lacks what every Linux has."""


def parts(out: bytes, mark: str) -> dict[str, bytes]:
    """The output by part. Lines before the first mark (a login banner) are nobody's."""
    pieces = re.split(rb"(?m)^" + re.escape(mark.encode()) + rb" ([a-z/]+)\n", out)
    return {name.decode(): text for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def look(found: Mapping[str, bytes], wanted: tuple[str, ...] = ()) -> tuple[Look, dict[str, Words]]:
    """All counters of the parts of LOOK, and the words of every process. Raises NotLinux.

    `wanted` are the mount points that df was asked for; fewer disks than those, and it refused.
    """
    try:
        cpus = _cpus(found["stat"])
        memory = _memory(found["meminfo"])
        uptime = float(found["uptime"].split()[0])
        load = [float(word) for word in found["loadavg"].split()[:3]]
        page = int(found["page"] or 4096)
        processes = _processes(found["processes"], page)
        received, sent = _network(found["net/dev"])
        one = Look(
            at=uptime,
            cpu=cpus[0],
            cores=tuple(cpus[1:]),
            load=(load[0], load[1], load[2]),
            memory_total=memory[b"MemTotal"],
            memory_available=memory.get(b"MemAvailable", memory[b"MemFree"]),
            swap_total=memory[b"SwapTotal"],
            swap_free=memory[b"SwapFree"],
            disks=tuple(_disks(found["disks"], found.get("inodes", b""), wanted)),
            received=received,
            sent=sent,
            uptime_s=uptime,
            processes=tuple(processes),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise NotLinux from error
    return one, _words(found.get("commands", b""), processes)


def detail(found: Mapping[str, bytes], key: str) -> Detail | None:
    """All about the process `key`, from the parts of DETAIL; None when it has ended."""
    seen = _processes(found.get("process", b""), int(found.get("page") or 4096))
    process, name = next(iter(seen.items()), (None, ""))
    if process is None or process.key != key:
        return None
    status = dict(re.findall(rb"(?m)^(\w+):\s*(.*)$", found.get("status", b"")))
    boot = re.search(rb"(?m)^btime (\d+)$", found.get("stat", b""))
    began = (int(boot[1]) if boot else 0) + process.started / TICKS
    running = float((found.get("uptime") or b"0").split()[0]) - process.started / TICKS
    refused = "(not yours to see)"

    def said(part: str) -> str:
        return harmless_bytes(found.get(part, b"").strip()) or refused

    pairs = (
        ("pid", str(process.pid)),
        ("parent", harmless_bytes(status.get(b"PPid", b""))),
        ("user", said("user")),
        ("state", harmless_bytes(status.get(b"State", b""))),
        ("started", f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("running for", span(max(0.0, running))),
        ("CPU time", span(process.cpu_s)),
        ("memory", size(process.memory)),
        ("threads", harmless_bytes(status.get(b"Threads", b""))),
        ("open files", said("files") if status.get(b"PPid") else refused),
        ("folder", said("folder")),
        ("program", said("program")),
    )
    command = without_secrets(said("arguments"))
    return Detail(
        f"{name} ({process.pid})",
        (Section("process", pairs), Section("command", lines=(command,))),
    )


def _cpus(stat: bytes) -> list[Cpu]:
    """All cores together, then each. Guest time is within user time (proc(5))."""
    cpus = []
    for line in stat.splitlines():
        if line.startswith(b"cpu"):
            ticks = [float(word) for word in line.split()[1:9]]
            total, waiting = sum(ticks), ticks[4]
            cpus.append(Cpu(total - ticks[3] - waiting, waiting, total))
    return cpus


def _memory(meminfo: bytes) -> dict[bytes, int]:
    rows = re.findall(rb"(?m)^(\w+):\s+(\d+) kB$", meminfo)
    return {name: int(kib) * 1024 for name, kib in rows}


def _network(text: bytes) -> tuple[int, int]:
    received = sent = 0
    for name, numbers in re.findall(rb"(?m)^\s*(\S+?):\s*([\d ]+)$", text):
        if not name.decode("ascii", "replace").startswith(VIRTUAL):
            fields = numbers.split()
            received, sent = received + int(fields[0]), sent + int(fields[8])
    return received, sent


def _df(text: bytes) -> list[tuple[bytes, str, int, int]]:
    """(device, mount, used, free) of each line of df -P; names may hold spaces."""
    rows = re.findall(rb"(?m)^(.+?) +\d+ +(\d+) +(-?\d+) +(?:\d+%|-) (.+)$", text)
    return [
        (device, harmless_bytes(mount), int(used), max(0, int(free)))
        for device, used, free, mount in rows
    ]


def _disks(disks: bytes, inodes: bytes, wanted: tuple[str, ...]) -> Iterable[Disk]:
    rows = _df(disks)
    if wanted:  # df answers in the order of its arguments, with where each is mounted
        rows = [(row[0], name, row[2], row[3]) for name, row in zip(wanted, rows, strict=False)]
    else:
        rows = list(_real(rows))
    counted = {mount: (used, free) for _, mount, used, free in _df(inodes)}
    for _, mount, used, free in rows:
        used_inodes, free_inodes = counted.get(mount, (0, 0))
        some = used_inodes + free_inodes
        share = 100.0 * used_inodes / some if some else None
        yield Disk(mount, used * 1024, free * 1024, share)


def _real(
    rows: list[tuple[bytes, str, int, int]],
) -> Iterable[tuple[bytes, str, int, int]]:
    """Where each block device is mounted first, and the root whatever it is made of."""
    seen = set()
    for row in sorted(rows, key=lambda row: row[1] != "/"):
        is_block_device = row[0].startswith(b"/dev/") and not row[0].startswith(b"/dev/loop")
        if row[0] not in seen and (is_block_device or row[1] == "/"):
            seen.add(row[0])
            yield row


def _processes(text: bytes, page: int) -> dict[Process, str]:
    """Processes and their names.

    Of /proc/pid/stat utime and stime are fields 14 and 15, starttime 22, rss 24 (proc(5)).
    """
    found = {}
    for pid, name, _, rest in _STAT.findall(text):
        fields = rest.split()
        cpu_s = (int(fields[10]) + int(fields[11])) / TICKS
        memory = int(fields[20]) * page
        process = Process(int(pid), int(fields[18]), cpu_s, memory)
        found[process] = harmless_bytes(name)
    return found


def _words(text: bytes, processes: Mapping[Process, str]) -> dict[str, Words]:
    named = {str(process.pid).encode(): (process.key, name) for process, name in processes.items()}
    words = {key: Words(name, "", "") for key, name in named.values()}
    for pid, user, command in re.findall(rb"(?m)^ *(\d+) +(\S+) +(.*)$", text):
        if pid in named:
            key, name = named[pid]
            line = without_secrets(harmless_bytes(command.rstrip(), limit=COMMAND))
            words[key] = Words(name, harmless_bytes(user), line)
    return words
