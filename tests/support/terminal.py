"""A real terminal with `warroom` in it: raw bytes as they come, and the screen they draw."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil
import pyte

from tests.support.cli import home

PATIENCE_S: Final = 60.0
LEFT: Final = b"\x1b[?1049l"
"""The normal screen is back."""
_NOT_FOR_PYTE: Final = re.compile(
    r"\x1b\[[<=>][0-9;:]*[ -/]*[@-~]"  # kitty keyboard, XTVERSION: pyte would draw their letters
    r"|\x1b\[\??[0-9;:]*[ -/]+[@-~]"
    r"|\x1b[P\]X^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b\[[0-9;]*t"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[P\]X^_][^\x07\x1b]*\x1b?)?\Z")


class Terminal:
    """Runs a program on a pseudo-terminal of its own, of which it is the foreground process.

    `raw` is every byte that it wrote. The waiting methods fail with the screen.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        size: tuple[int, int] = (160, 48),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.master, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(self.master)
        self.process = subprocess.Popen(
            argv,
            cwd=folder,
            env=home(folder, env),
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(inside)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.master >= 0:
            os.close(self.master)

    # What it shows --------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        self._pump(0)
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def sees(self, *wanted: str, within: float = PATIENCE_S) -> None:
        """Waits until every text is on the screen."""
        self.until(lambda: all(one in self.text for one in wanted), f"not there: {wanted}", within)

    def loses(self, unwanted: str, within: float = PATIENCE_S) -> None:
        """Waits until a text is no longer on the screen."""
        self.until(lambda: unwanted not in self.text, f"still there: {unwanted}", within)

    def until(self, holds: Callable[[], bool], or_else: str, within: float = PATIENCE_S) -> None:
        """Waits for a condition while reading what the program writes."""
        end = time.monotonic() + within
        while not holds():
            state = "ended" if self.process.poll() is not None else "runs"
            assert time.monotonic() < end, f"{or_else}\n(it {state})\n" + self.text
            self._pump(0.02)

    def forget(self) -> None:
        """Takes a blank screen, so that only what is drawn from now on is seen."""
        self._pump(0)
        self._screen.reset()

    def place(self, text: str) -> tuple[int, int]:
        """Column and row, from 0, of the first occurrence on the screen."""
        for row, line in enumerate(self.lines):
            if text in line:
                return line.index(text), row
        raise AssertionError(f"not on the screen: {text}\n{self.text}")

    # What is done to it ---------------------------------------------------------------------

    def keys(self, keys: str) -> None:
        """Types."""
        os.write(self.master, keys.encode())

    def click(self, column: int, row: int) -> None:
        """Presses and lets go of the left button (SGR mouse reports, from 1)."""
        at = f"{column + 1};{row + 1}"
        self.keys(f"\x1b[<0;{at}M\x1b[<0;{at}m")

    def hang_up(self) -> None:
        """The terminal is gone, as when an SSH session drops."""
        os.close(self.master)
        self.master = -1

    def stall(self, keys: str) -> None:
        """Types, and reads nothing more until the program's writes wait for that."""
        self.keys(keys)
        waiting, before = 0, -1
        while waiting == 0 or waiting != before:
            before = waiting
            time.sleep(0.3)
            answer = fcntl.ioctl(self.master, termios.FIONREAD, struct.pack("i", 0))
            (waiting,) = struct.unpack("i", answer)

    # How it ends ----------------------------------------------------------------------------

    def ends(self, within: float = PATIENCE_S) -> int:
        """Waits for the end; the exit status, negative for a signal's."""
        end = time.monotonic() + within
        while (status := self.process.poll()) is None:
            assert time.monotonic() < end, f"it does not end\n{self.text}"
            self._pump(0.02)
        self._pump(0.1)
        return status

    @property
    def settings(self) -> list[Any]:
        """What tcgetattr(3) says of the terminal now."""
        return termios.tcgetattr(self.master)

    @property
    def parting(self) -> str:
        """What was written after the normal screen was back."""
        return bytes(self.raw).rpartition(LEFT)[2].decode("utf-8", "replace")

    def cpu_s(self) -> float:
        """Seconds of processor time used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _pump(self, wait: float) -> None:
        if self.master < 0:
            time.sleep(wait)
            return
        while select.select([self.master], [], [], wait)[0]:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:  # EIO: nobody has the other end open any more
                return
            self.raw += data
            self._draw(self._held + self._decoder.decode(data))
            wait = 0.0

    def _draw(self, text: str) -> None:
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        self._stream.feed(_NOT_FOR_PYTE.sub("", text[:cut]))


_PATIENT: Final = """
import runpy
from warroom.tui import typeahead
typeahead.PATIENCE_S = 10.0
runpy.run_module("warroom", run_name="__main__", alter_sys=True)
"""
"""`python -m warroom`, whose keys wait for the one before them as long as a busy machine takes."""


def console(folder: Path, config: Path, *args: str, **options: Any) -> Terminal:
    """The console on a config, on a terminal of its own."""
    argv = [sys.executable, "-c", _PATIENT, "--config", str(config), *args]
    return Terminal(argv, folder, **options)
