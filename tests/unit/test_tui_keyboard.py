"""Keys read by the loop: what terminals send, in whatever pieces, and a terminal that goes away."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from select import select

import pytest
from textual import events
from textual.message import Message

from warroom.tui.keyboard import Keyboard


class Typist:
    """Types into a terminal, and sees what is handed on."""

    def __init__(self) -> None:
        self.outside, self.inside = os.openpty()
        tty.setraw(self.inside)
        self.taken: list[str] = []
        self.is_lost = False
        loop = asyncio.get_running_loop()
        self.keyboard = Keyboard(self.inside, loop, self._take, self._lost)
        self.keyboard.start()

    def _take(self, message: Message) -> None:
        match message:
            case events.Key():
                self.taken.append(message.key)
            case events.Paste():
                self.taken.append(f"pasted {message.text}")

    def _lost(self) -> None:
        self.is_lost = True

    def types(self, data: bytes) -> None:
        os.write(self.outside, data)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.001)

    async def hands_on(self, *keys: str) -> None:
        await self.until(lambda: len(self.taken) >= len(keys))
        assert self.taken == list(keys)
        self.taken.clear()


@pytest.fixture
async def typist() -> AsyncIterator[Typist]:
    typist = Typist()
    yield typist
    typist.keyboard.stop()
    os.close(typist.inside)
    if not typist.is_lost:
        os.close(typist.outside)


async def test_keys_are_handed_on_in_their_order(typist: Typist) -> None:
    typist.types(b"aB\r\x1b[A")
    await typist.hands_on("a", "B", "enter", "up")


async def test_an_escape_alone_is_a_key_and_one_that_goes_on_is_another(typist: Typist) -> None:
    typist.types(b"\x1b")
    await typist.hands_on("escape")
    typist.types(b"\x1b")
    typist.types(b"[B")
    await typist.hands_on("down")


async def test_a_letter_of_several_bytes_may_come_in_pieces(typist: Typist) -> None:
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    typist.types(b"a" + first)
    await typist.hands_on("a")
    typist.types(second + first)
    await typist.hands_on("ü")
    typist.types(second)
    await typist.hands_on("ü")
    typist.types(first)  # a piece that says nothing yet
    await typist.until(lambda: not select([typist.inside], [], [], 0)[0])
    typist.types(second + b"x")
    await typist.hands_on("ü", "x")


async def test_bytes_that_are_no_text_do_not_end_the_console(typist: Typist) -> None:
    typist.types(b"\xff\xfea")
    await typist.until(lambda: "a" in typist.taken)


async def test_a_paste_is_one(typist: Typist) -> None:
    typist.types(b"\x1b[200~two\nlines\x1b[201~q")
    await typist.hands_on("pasted two\nlines", "q")


async def test_nothing_is_read_while_the_terminal_is_somebody_elses(typist: Typist) -> None:
    typist.keyboard.stop()
    typist.types(b"for the shell")
    assert os.read(typist.inside, 100) == b"for the shell"
    typist.keyboard.start()
    typist.types(b"x")
    await typist.hands_on("x")


async def test_a_terminal_that_goes_away_is_told_once(typist: Typist) -> None:
    os.close(typist.outside)
    await typist.until(lambda: typist.is_lost)
    assert typist.taken == []
