"""The terminal is given back, and one that goes away at any moment holds nothing up.

Textual alone waits for ever once a write has failed, spins on a terminal that has hung up, and
dies of a signal with the alternate screen still on. The order here: a signal or a lost terminal
ends the console as `q` does; what has not ended after `GRACE_S` is ended by force, the terminal
set back as it was. The incident is intact either way: whatever was acknowledged is on disk.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import FrameType
from typing import IO, Any, Final, cast

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from warroom.domain.text import harmless
from warroom.hosts.turns import key_came, was_written
from warroom.tui.keyboard import Keyboard

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LOST: Final = 128 + signal.SIGHUP
"""The exit status when the terminal is gone."""
GRACE_S: Final = 2.0
"""How long an orderly end may take once it was asked for from outside."""
_AS_BEFORE: Final = (
    b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[<u"
    b"\x1b[?1049l\x1b[?25h"
)
"""What the driver writes at its end, for when it cannot."""


class Outlet:
    """The terminal as a file that takes everything: once it is gone, writes go nowhere.

    So the thread that writes lives on and empties its queue, and nobody waits for it.
    """

    def __init__(self, file: IO[str], on_lost: Callable[[], None]) -> None:
        self._file, self._on_lost = file, on_lost
        self.is_lost = False

    def write(self, text: str) -> None:
        self._do(lambda: self._file.write(text))

    def flush(self) -> None:
        self._do(self._file.flush)
        was_written()

    def fileno(self) -> int:
        return self._file.fileno()

    def _do(self, doing: Callable[[], object]) -> None:
        if self.is_lost:
            return
        try:
            doing()
        except (OSError, ValueError):  # ValueError: the file is closed
            self.is_lost = True
            self._on_lost()


class Sent(StrEnum):
    """Keys as most terminals send them, which Textual takes for others: `ESC CR` for Enter, so
    that who wants a new line would save half a text."""

    ALT_ENTER = "alt+enter"


class TerminalDriver(LinuxDriver):
    """Textual's driver, on a terminal that may be lost. Its app has `lost`."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        cast(dict[str, Any], ANSI_SEQUENCES_KEYS)["\x1b\r"] = (Sent.ALT_ENTER,)
        self._on_lost: Callable[[], None] = app.lost
        self._file: Any = Outlet(sys.__stderr__ or sys.stderr, self._lost)
        self._keyboard = Keyboard(self.fileno, self._loop, self.process_message, self._on_lost)

    def process_message(self, message: Message) -> None:
        if isinstance(message, (events.Key, events.Paste)):
            key_came()
        super().process_message(message)

    def send_message(self, message: Message) -> None:
        self._app.post_message(message)

    def run_input_thread(self) -> None:
        """Textual's thread for keys only stands for them being read."""
        self._loop.call_soon_threadsafe(self._read_keys)
        self.exit_event.wait()

    def _read_keys(self) -> None:
        if self._key_thread is not None and self._key_thread.is_alive():
            self._keyboard.start()

    def disable_input(self) -> None:
        self._keyboard.stop()
        super().disable_input()

    def _lost(self) -> None:
        self._loop.call_soon_threadsafe(self._on_lost)


class Ending:
    """Ends the console when something other than its own keys asks for that."""

    def __init__(self) -> None:
        self.loop: AbstractEventLoop | None = None
        """Where the console runs; None before it has touched the terminal."""
        self._before = _settings()
        self._timer: threading.Timer | None = None

    @contextmanager
    def on_signals(self, end: Callable[[int], None]) -> Iterator[None]:
        """While the console runs, a signal of `SIGNALS` calls `end` with the exit status."""

        def signalled(number: int, _: FrameType | None) -> None:
            status = 128 + number
            if self.loop is None or self.loop.is_closed():
                raise SystemExit(status)  # the terminal is not taken yet, or given back already
            self.by_force_later(status)
            self.loop.call_soon_threadsafe(end, status)

        handlers = {number: signal.signal(number, signalled) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            if self._timer is not None:
                self._timer.cancel()
            if not is_there():
                _leave_the_streams()

    def by_force_later(self, status: int) -> None:
        """End the process after `GRACE_S`, should it not have ended by itself until then."""
        if self._timer is None:
            self._timer = threading.Timer(GRACE_S, self._by_force, (status,))
            self._timer.daemon = True
            self._timer.start()

    def _by_force(self, status: int) -> None:
        """Not even a stalled terminal, to which nothing can be written, holds this back."""
        with suppress(OSError, termios.error):
            if self._before is not None:
                termios.tcflush(0, termios.TCOFLUSH)
                termios.tcsetattr(0, termios.TCSANOW, self._before)
            os.set_blocking(2, False)
            os.write(2, _AS_BEFORE)
        os._exit(status)


def last_words(error: BaseException | None) -> str:
    """Where a defect is, without the values of variables, harmless to show."""
    lines = traceback.format_exception(error) if error else ["unknown error\n"]
    return harmless("".join(lines), lines=True) + (
        "\nwarroom ended because of a defect. The incident is intact: start it again."
    )


def is_there() -> bool:
    """Whether stdin is still a terminal: one that has hung up no longer answers as such."""
    return os.isatty(0)


def _settings() -> list[Any] | None:
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def _leave_the_streams() -> None:
    """Nothing can be said any more; a failing flush at exit would change the exit status."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
