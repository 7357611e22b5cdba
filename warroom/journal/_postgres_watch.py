"""Hears of what other consoles write, and looks by itself for what it did not hear of."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.journal._postgres_lane import NoSchema
from warroom.journal._postgres_schema import statement
from warroom.journal.base import JournalError

if TYPE_CHECKING:
    from warroom.journal._postgres_lane import Lane

POLL_S: Final = 2.0
"""How often a console looks for what it was not told of, and whether the server is there."""
_ANSWER_S: Final = 2.0
_CHANNEL: Final = "warroom"
_AGAIN_S: Final = 1.0


class Watcher:
    """Sets `changed` when something was written, and when nobody knows whether something was."""

    def __init__(self, lane: Lane, changed: asyncio.Event, poll_s: float) -> None:
        self._lane, self._changed, self._poll_s = lane, changed, poll_s
        self._task: asyncio.Task[None] | None = None
        self._seen = -1

    def start(self) -> None:
        """In the loop; a second time it does nothing."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            await tasks.end([self._task])
            self._task = None
        await self._lane.close()

    async def _watch(self) -> None:
        while True:
            try:
                await self._listen()
            except (JournalError, HostError, TimeoutError):
                self._changed.set()  # whoever reads now is told what is wrong
            except NoSchema:
                pass  # nobody has ever written: there is nothing to hear of yet
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        """Until the connection is gone. Behind a pooler, which loses LISTEN, only one look."""
        async with self._lane.connected(create=False) as connection:
            if self._lane.pooled:
                await self._look(connection)
                return
            gone = asyncio.Event()
            connection.add_termination_listener(lambda *_: gone.set())
            await connection.add_listener(_CHANNEL, lambda *_: self._changed.set())
            self._changed.set()  # nobody knows what was written while nobody listened
            while not gone.is_set():
                await self._look(connection)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await gone.wait()
        self._changed.set()

    async def _look(self, connection: Any) -> None:
        async with asyncio.timeout(_ANSWER_S):
            position = await connection.fetchval(statement("position"))
        if position != self._seen:
            self._seen = position
            self._changed.set()
