"""Keys one at a time, each where the one before it leads.

Textual hands keys on faster than they are obeyed: of `n`, `r`, `K` arriving together (a slow SSH
line, a paste, tmux) only the first would open the note, and the others would act on the room. Here
each key waits until what the one before it opens is open, also when it comes a moment later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.worker import Worker

DIALOG: Final = "dialog"
"""The group of workers that open dialogs, or write down what came of one."""
PATIENCE_S: Final = 1.0
"""How long a key waits at most for the one before it."""


class TypeAhead:
    """`take` keeps a key or a paste until its turn; `deliver` is how the app obeys one."""

    def __init__(self, app: App[Any], deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app, self._deliver = app, deliver
        self._waiting: deque[events.Event] = deque()
        self._task: asyncio.Task[None] | None = None

    def take(self, event: events.Event) -> None:
        """Deliver the event after those before it."""
        self._waiting.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._type(), name="keys")

    async def _type(self) -> None:
        while self._waiting:
            before = self._now()
            try:
                await self._deliver(self._waiting.popleft())
            except Exception as error:  # noqa: BLE001 - as the app does with its own messages
                self._app._handle_exception(error)
                return
            with suppress(TimeoutError):  # whatever it does, it does not answer to keys soon
                await asyncio.wait_for(self._settled(*before), PATIENCE_S)

    def _now(self) -> tuple[int, set[Worker[Any]]]:
        """How many screens lie on each other, and who is busy with dialogs."""
        busy = {w for w in self._app.workers if w.group == DIALOG and not w.is_finished}
        return len(self._app.screen_stack), busy

    async def _settled(self, depth: int, busy: set[Worker[Any]]) -> None:
        """Return when the key is obeyed, and the dialog that it asked for takes keys.

        Those who work on that are the workers that the key started; or, when it closed a dialog,
        the one that had waited for the answer.
        """
        for node in list((self._app.focused or self._app.screen).ancestors_with_self):
            await _idle(node)  # the way of a key that nobody takes: up to the app
        reached, working = self._now()
        if reached == depth:
            working -= busy
        while reached <= depth and working:
            await asyncio.sleep(0.001)
            now, busy = self._now()
            working &= busy
            if now != reached:
                break
        await _idle(self._app.screen)


async def _idle(node: MessagePump) -> None:
    """Return when the node has obeyed every message that it had."""
    done = asyncio.Event()
    if node.call_later(done.set):
        await done.wait()
