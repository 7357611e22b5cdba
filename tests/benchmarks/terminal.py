"""A program in a terminal of its own, measured as a person at it would.

A thread stamps each piece of output when it arrives; the pieces are drawn afterwards, and whatever
is found on the screen carries the stamp of the piece that brought it. So the emulation, which is
slower than any program measured, is not in the figures.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import queue
import re
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from tests.benchmarks import process
from tests.benchmarks.vt import Picture, Region, replies

KEYS: Final = {
    "UP": "\x1b[A", "DOWN": "\x1b[B", "ENTER": "\r", "ESC": "\x1b", "TAB": "\t", "END": "\x1b[F",
    "BACK": "\x7f",
}  # fmt: skip


class Rig(Protocol):
    """What can measure a program; seconds everywhere but in names that end in `_ms`."""

    t0: float
    first_paint: float | None

    def wait(self, regex: str, timeout: float = 20) -> float | None:
        """From the start, or the last `send`, until `regex` is on the screen; None: never."""
        ...

    def send(self, keys: str) -> None:
        """Type: characters, and <NAME> for those of KEYS."""
        ...

    def latency(
        self, key: Any, n: int = 30, gap: float = 0.15, region: Any = None
    ) -> dict[str, Any]:
        """From a key to a change in `region`: `p50_ms`, `p95_ms`, `missed`."""
        ...

    def idle(self, seconds: float = 30) -> dict[str, Any]:
        """Left alone: `cpu_pct` (100 is one processor), `rss_mib`, `out_bps`."""
        ...

    def sleep(self, seconds: float = 0.0) -> None: ...

    def text(self) -> str: ...

    def close(self) -> None:
        """End the program."""
        ...


class Terminal:
    """The Rig of this repository."""

    def __init__(
        self,
        argv: Sequence[str],
        cols: int = 160,
        rows: int = 48,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        sys.setswitchinterval(0.0005)  # the stamping thread must not wait for the drawing one
        self._picture = Picture(cols, rows)
        self._pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._bytes, self._ended = 0, False
        self.first_paint: float | None = None
        self._fd, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        words = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self.t0 = self._mark = time.perf_counter()
        self._child = subprocess.Popen(
            list(argv), stdin=inside, stdout=inside, stderr=inside, cwd=cwd,
            env={**os.environ, **words, **(env or {})}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(inside)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self) -> None:
        while not self._ended:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # EIO: nobody has the other end any more
                data = b""
            at = time.perf_counter()
            self._ended = not data
            self._bytes += len(data)
            if b"\x1b" in data and (said := replies(data)):
                os.write(self._fd, said)
            self._pieces.put((at, data))

    def _draw(self, timeout: float) -> float | None:
        """Draw the next piece; when it came, or None when none does within `timeout`."""
        try:
            at, data = self._pieces.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        self._picture.feed(data)
        if self.first_paint is None and not self._picture.blank():
            self.first_paint = at
        return at

    def text(self) -> str:
        return self._picture.text()

    def sleep(self, seconds: float = 0.0) -> None:
        """Draw what comes in that time."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0 and not self._ended:
            self._draw(left)
        while not self._pieces.empty():
            self._draw(0)

    def send(self, keys: str) -> None:
        self.sleep()
        data = re.sub(r"<([A-Z]+)>", lambda match: KEYS[match[1]], keys).encode()
        self._mark = time.perf_counter()
        os.write(self._fd, data)

    def wait(self, regex: str, timeout: float = 20) -> float | None:
        wanted, at = re.compile(regex, re.DOTALL), self._mark
        until = time.perf_counter() + timeout
        while not wanted.search(self.text()):
            at = self._draw(min(0.5, until - time.perf_counter())) or at
            if self._ended or time.perf_counter() > until:
                return None
        return at - self._mark

    def latency(
        self,
        key: str | Sequence[str],
        n: int = 30,
        gap: float = 0.15,
        region: Region | None = None,
    ) -> dict[str, Any]:
        keys = [key] if isinstance(key, str) else list(key)
        region = region or (0, 0, self._picture.rows, self._picture.cols)
        took: list[float] = []
        for index in range(-2, n):  # two to warm up
            self.sleep(gap * (0.7 + 0.6 * (index * 0.618 % 1)))  # at any phase of its own rhythm
            before = self._picture.cells(region)
            self.send(keys[index % len(keys)])
            changed = self._change(before, region, self._mark + 3)
            if index >= 0 and changed is not None:
                took.append((changed - self._mark) * 1000)
        took.sort()
        return {
            "p50_ms": statistics.median(took) if took else None,
            "p95_ms": took[min(len(took) - 1, int(0.95 * len(took)))] if took else None,
            "missed": n - len(took),
        }

    def _change(self, before: int, region: Region, until: float) -> float | None:
        while (left := until - time.perf_counter()) > 0 and not self._ended:
            at = self._draw(left)
            if at is not None and self._picture.cells(region) != before:
                return at
        return None

    def idle(self, seconds: float = 30) -> dict[str, Any]:
        sent, cpu, began = self._bytes, process.cpu_seconds(self.pid), time.perf_counter()
        time.sleep(seconds)  # nothing is drawn meanwhile: the processors are the program's
        took = time.perf_counter() - began
        return {
            "cpu_pct": 100 * (process.cpu_seconds(self.pid) - cpu) / took,
            "rss_mib": process.resident_mib(self.pid),
            "out_bps": (self._bytes - sent) / took,
        }

    def close(self) -> None:
        process.end(self.pid)
        self._child.wait()
        os.close(self._fd)


def rig() -> Any:
    """What makes a Rig of (argv, cols, rows, env): Terminal, or the `App` of the script that the
    variable PTYRIG names, which then is to have the same methods."""
    script = os.environ.get("PTYRIG")
    if not script:
        return Terminal
    spec = importlib.util.spec_from_file_location("ptyrig", Path(script))
    if spec is None or spec.loader is None:
        raise SystemExit(f"PTYRIG: {script} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.App
