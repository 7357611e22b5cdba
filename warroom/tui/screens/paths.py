"""Completes what stands behind `:open`: a host, its files, rotated ones beside what is followed."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from warroom.hosts.base import HostError
from warroom.logs.folders import Folders

if TYPE_CHECKING:
    from collections.abc import Callable

    from warroom.engine.room import Room

    Tell = Callable[[str], None]


class Paths:
    """Asked with every letter; `tell` says why a folder's names are not known."""

    def __init__(self, room: Room, tell: Tell) -> None:
        self._room, self._tell = room, tell
        self._folders = Folders()

    async def completed(self, text: str) -> str | None:
        """The first that begins with `text`; None where there is none, or nobody can tell."""
        if not text:
            return None
        host, colon, path = text.partition(":")
        if colon and host in self._room.settings.hosts:
            found = await self._in(host, path)
            return found and f"{host}:{found}"
        if "/" not in text:
            hosts = (f"{name}:" for name in sorted(self._room.settings.hosts))
            beside = await self._beside(text)
            return beside or next((name for name in hosts if name.startswith(text)), None)
        return await self._in("", text)

    async def _beside(self, start: str) -> str | None:
        for entry in self._room.settings.logs:
            path = PurePosixPath(entry.path)
            stem = path.stem
            if entry.path and (stem.startswith(start) or start.startswith(stem)):
                found = await self._in(entry.on, f"{path.parent / start}")
                if found is not None and PurePosixPath(found).name.startswith(stem):
                    return PurePosixPath(found).name
        return None

    async def _in(self, host: str, path: str) -> str | None:
        try:
            return await self._folders.completed(self._room.hosts[host], path)
        except HostError as error:
            self._tell(f"cannot complete: {error}")
            return None
