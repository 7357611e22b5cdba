"""What is piped into the console: `kubectl logs -f deploy/api | warroom`."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from warroom.config.settings import LogEntry

_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Piped(LogEntry):
    """A log that no config names: the descriptor `fd` is read once, to its end."""

    fd: int = -1

    def __post_init__(self) -> None:
        """It is none of the five that a `[[log]]` may be."""


class PipedIn:
    """`Following` over a descriptor, which stays open; a pipe that nobody reads holds its writer.

    Once it has ended, an empty chunk and `trouble` tell, and nothing comes any more.
    """

    def __init__(self, fd: int) -> None:
        self.trouble = ""
        self._fd = fd
        self._chunks = self._all()

    def __aiter__(self) -> PipedIn:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Let go of it."""
        await self._chunks.aclose()

    async def _all(self) -> AsyncGenerator[bytes, None]:
        if stat.S_ISREG(os.fstat(self._fd).st_mode):
            while data := os.read(self._fd, _CHUNK):
                yield data
        else:
            reader = asyncio.StreamReader(limit=_CHUNK)
            file = os.fdopen(os.dup(self._fd), "rb", 0)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), file
            )
            try:
                while data := await reader.read(_CHUNK):
                    yield data
            finally:
                transport.close()
        self.trouble = "what was piped in has ended"
        yield b""
        await asyncio.Event().wait()
