"""This machine's counters, by psutil. Everything here blocks: call it in a thread."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import psutil

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless, shorten
from warroom.probes._machine_look import (
    GONE,
    VIRTUAL,
    Cpu,
    Disk,
    Look,
    Process,
    Words,
    size,
    without_secrets,
)
from warroom.probes.base import ProbeFault

COMMAND = 400
"""Characters of a command line that are kept."""
_STEP = 200  # hundredths of a second: a set clock moves the start that psutil computes


def look(at: float, disks: tuple[str, ...]) -> Look:
    """All counters; `at` is now by the caller's clock, `disks` are mount points (none: all).

    Raises ProbeFault for a mount point that is not there.
    """
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    received, sent = _network()
    return Look(
        at=at,
        cpu=_cpu(psutil.cpu_times()),
        cores=tuple(_cpu(times) for times in psutil.cpu_times(percpu=True)),
        load=psutil.getloadavg(),
        memory_total=memory.total,
        memory_available=memory.available,
        swap_total=swap.total,
        swap_free=swap.free,
        disks=tuple(_disks(disks)),
        received=received,
        sent=sent,
        uptime_s=time.time() - psutil.boot_time(),
        processes=tuple(_processes()),
    )


def words(processes: Iterable[Process], kept: Mapping[str, Words]) -> Mapping[str, Words]:
    """Who runs these and how they were called, by key; `kept` are those known already."""
    return {process.key: kept.get(process.key) or _words(process.pid) for process in processes}


def detail(key: str) -> Detail:
    """All about one process, but never its environment. Raises ProbeFault when it is gone."""
    pid, _, started = key.partition("-")
    try:
        process = psutil.Process(int(pid))
        if abs(_started(process) - int(started)) > _STEP:
            raise ProbeFault(f"process {pid} has ended; another has its number now")
        with process.oneshot():
            return _detail(process)
    except (psutil.NoSuchProcess, ValueError):
        raise ProbeFault(f"process {harmless(pid)} has ended") from None


def _detail(process: psutil.Process) -> Detail:
    refused = "(not yours to see)"

    def asked(name: str) -> str:
        """An attribute that the system may keep from us."""
        try:
            found = getattr(process, name)()
        except psutil.AccessDenied:
            return refused
        return harmless(str(found))

    times = process.cpu_times()
    pairs = (
        ("pid", str(process.pid)),
        ("parent", asked("ppid")),
        ("user", asked("username")),
        ("state", asked("status")),
        ("started", f"{datetime.fromtimestamp(process.create_time(), UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("running for", span(time.time() - process.create_time())),
        ("CPU time", span(times.user + times.system)),
        ("memory", size(process.memory_info().rss)),
        ("threads", asked("num_threads")),
        ("open files", asked("num_fds")),
        ("folder", asked("cwd")),
        ("program", asked("exe")),
    )
    try:
        arguments = " ".join(process.cmdline())
    except psutil.AccessDenied:
        arguments = refused
    command = without_secrets(shorten(harmless(arguments), 64 * COMMAND))
    return Detail(
        f"{harmless(process.name())} ({process.pid})",
        (Section("process", pairs), Section("command", lines=(command,))),
    )


def _cpu(times: psutil._common.scputimes) -> Cpu:
    found = times._asdict()
    total = sum(found.values()) - found.get("guest", 0.0) - found.get("guest_nice", 0.0)
    waiting = found.get("iowait", 0.0)
    return Cpu(total - found["idle"] - waiting, waiting, total)


def _network() -> tuple[int, int]:
    counters = [
        counted
        for name, counted in psutil.net_io_counters(pernic=True).items()
        if not name.startswith(VIRTUAL)
    ]
    return sum(c.bytes_recv for c in counters), sum(c.bytes_sent for c in counters)


def _disks(wanted: tuple[str, ...]) -> Iterable[Disk]:
    for mount in wanted or _mounts():
        try:
            found = psutil.disk_usage(mount)
        except OSError as error:
            if wanted:
                reason = (error.strerror or str(error)).lower()
                raise ProbeFault(f"disk {harmless(mount)}: {reason}") from None
            continue  # a mount that went, or that only its user may see
        yield Disk(harmless(mount), found.used, found.free, _inodes(mount))


def _mounts() -> list[str]:
    """Where each block device is mounted first, and the root whatever it is made of."""
    mounts = {"/": "/"}  # by device; in a container the root is an overlay
    for partition in psutil.disk_partitions(all=False):
        if partition.mountpoint == "/":
            mounts = {partition.device: "/"} | mounts
        if not partition.fstype.startswith(("squashfs", "iso9660")):  # full by nature
            mounts.setdefault(partition.device, partition.mountpoint)
    return list(dict.fromkeys(mounts.values()))


def _inodes(mount: str) -> float | None:
    found = os.statvfs(mount)
    used, free = found.f_files - found.f_ffree, found.f_favail
    return 100.0 * used / (used + free) if found.f_files else None


def _processes() -> Iterable[Process]:
    # without `oneshot`: it pays for what is read from one file, and these come from two
    for process in psutil.process_iter():
        try:
            times, memory = process.cpu_times(), process.memory_info()
            yield Process(
                process.pid,
                _started(process),
                times.user + times.system,
                memory.rss,
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it ended while we looked


def _started(process: psutil.Process) -> int:
    return int(process.create_time() * 100)


def _words(pid: int) -> Words:
    try:
        process = psutil.Process(pid)
        command = shorten(harmless(" ".join(process.cmdline())), COMMAND)
        with process.oneshot():
            name, user = harmless(process.name()), harmless(process.username())
        return Words(name, user, without_secrets(command))
    except psutil.NoSuchProcess:
        return GONE
    except psutil.AccessDenied:
        return Words(f"process {pid}", "", "(not yours to see)")
