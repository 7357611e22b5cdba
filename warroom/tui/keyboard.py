"""Keys are read by the loop itself, not by a thread.

A thread has to be woken, to wait for the interpreter and to wake the loop: on a busy machine each
may take tens of milliseconds while the loop, at work on data, could have looked by itself.
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop, TimerHandle
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from typing import Final

from textual import constants
from textual._xterm_parser import XTermParser
from textual.message import Message

_MOST: Final = 4096
_ESCAPE_S: Final = constants.ESCAPE_DELAY + 0.001
"""How long it takes until an escape is known to begin nothing longer."""


class Keyboard:
    """Hands on what is typed into a terminal, from `start` until `stop`. `lost` is told when the
    terminal is gone. All of it belongs to the loop."""

    def __init__(
        self,
        fileno: int,
        loop: AbstractEventLoop,
        take: Callable[[Message], None],
        lost: Callable[[], None],
    ) -> None:
        self._fileno, self._loop, self._take, self._lost = fileno, loop, take, lost
        self._parser = XTermParser()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._later: TimerHandle | None = None

    def start(self) -> None:
        self._loop.add_reader(self._fileno, self._readable)

    def stop(self) -> None:
        self._loop.remove_reader(self._fileno)
        self._wait_no_more()

    def _readable(self) -> None:
        try:
            data = os.read(self._fileno, _MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._wait_no_more()
        if not data:
            self.stop()
            self._lost()
            return
        if text := self._decode(data):  # the parser takes an empty one for the end
            self._hand_on(self._parser.feed(text))
        self._later = self._loop.call_later(_ESCAPE_S, self._waited)

    def _waited(self) -> None:
        """Nothing more came: if that was an escape, it was the key of that name."""
        self._hand_on(self._parser.tick())

    def _hand_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._take(message)

    def _wait_no_more(self) -> None:
        if self._later is not None:
            self._later.cancel()
