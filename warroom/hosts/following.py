"""A followed file as an endless iterator, for any host."""

from __future__ import annotations

import asyncio
from typing import Final

from warroom.hosts.follow import Follower

INTERVAL: Final = 0.1
"""Seconds between two looks at a file on which nothing is left to read."""


class FollowedFile:
    """`Following` over a follower that looks every `interval` seconds; ends when closed."""

    def __init__(self, follower: Follower, interval: float = INTERVAL) -> None:
        self._follower, self._interval = follower, interval
        self._begun = self._closed = False
        self._busy = asyncio.Lock()  # a file must not be closed while it is being read

    @property
    def trouble(self) -> str:
        return self._follower.trouble

    def __aiter__(self) -> FollowedFile:
        return self

    async def __anext__(self) -> bytes:
        if self._begun:  # the first look is at once; a backlog leaves others their turn
            await asyncio.sleep(0 if self._follower.behind else self._interval)
        self._begun = True
        async with self._busy:
            if self._closed:
                raise StopAsyncIteration
            return await self._follower.poll()

    async def close(self) -> None:
        """Let go of the files; the iteration ends at its next step."""
        self._closed = True
        async with self._busy:
            await self._follower.close()
