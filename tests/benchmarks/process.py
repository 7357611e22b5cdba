"""What processes cost: CPU seconds, memory, and whole commands from start to end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it that still runs."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU time of the tree, with the children that it has waited for."""
    total = 0.0
    for process in tree(pid):
        try:
            total += sum(process.cpu_times()[:4])  # user, system, and both of waited-for children
        except psutil.NoSuchProcess:
            continue
    return total


def resident_mib(pid: int) -> float:
    """Resident memory of the tree, MiB; pages that its processes share count in each."""
    total = 0
    for process in tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def end(pid: int, patience: float = 2.0) -> None:
    """End a tree: ask, then force what is left after `patience` seconds."""
    processes = tree(pid)
    for process in processes:
        _signal(process.terminate)
    _, left = psutil.wait_procs(processes, patience)
    for process in left:
        _signal(process.kill)
    psutil.wait_procs(left, patience)


def _signal(send: object) -> None:
    try:
        send()  # type: ignore[operator]
    except psutil.NoSuchProcess:
        return  # it ended by itself meanwhile


_LAUNCHER: Final = """
import os, sys, time
began = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.perf_counter() - began
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status) and 1)
"""
"""Starts a command from a small process: Linux counts the memory of whoever forks as the child's
own peak (getrusage(2), ru_maxrss), and the benchmark itself is large."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One command: wall and CPU time in seconds, `peak` MiB of its largest process."""

    wall: float
    cpu: float
    peak: float
    output: bytes


class CommandFailed(Exception):
    """A measured command ended with an error; one line."""


def run(argv: Sequence[str], env: Mapping[str, str] | None = None, folder: str = "/") -> Cost:
    """Run a command to its end. Its output goes through a file, so that a slow reader costs it
    nothing. Raises CommandFailed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, *argv],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
            env={**os.environ, **(env or {})}, check=False,
        )  # fmt: skip
        err.seek(0)
        said = err.read().decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        if done.returncode:
            raise CommandFailed(f"{Path(argv[0]).name} ended with {done.returncode}: {said[-1]}")
        wall, cpu, peak = map(float, said[-1].split())
        out.seek(0)
        return Cost(wall, cpu, peak / 1024, out.read())
