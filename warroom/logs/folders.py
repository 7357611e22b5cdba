"""What lies in a host's folder, for whoever types a path."""

from __future__ import annotations

import asyncio
from typing import Final

from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import Host, HostError

PATIENCE_S: Final = 3.0
"""Seconds that a folder may take to be listed: who types does not wait for a path."""


async def listed(host: Host, folder: str) -> list[str]:
    """The names in `folder` (empty: where the host begins), sorted, those of folders with a slash
    behind (POSIX, `ls -p`). A name that cannot be typed, for it holds a control character, is left
    out. Raises HostError.
    """
    # -L: a link to a folder is one; a dangling link is complained of, and all others are told
    argv = ("ls", "-1ApL", "--", folder or ".")
    found = await host.run(argv, timeout=PATIENCE_S)
    if found.code and not found.out:
        why = harmless_bytes(found.err or b"ls failed", limit=200).splitlines()[0]
        raise HostError(why.rpartition(": ")[2])
    lines = found.out.decode("utf-8", "surrogateescape").split("\n")
    lines.pop()  # a line without its end is what was cut
    return sorted(name for name in lines if name and harmless(name) == name)


class Folders:
    """Completes paths, one part at a time; each folder is listed once."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], asyncio.Task[list[str]]] = {}

    async def completed(self, host: Host, path: str) -> str | None:
        """`path` with its last part completed to the first name that begins so; None where there
        is none. Raises HostError."""
        folder, slash, start = path.rpartition("/")
        key = host.name, folder + slash
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(listed(host, folder + slash))
        # another letter ends this wait, and others wait for the same folder
        names = await asyncio.shield(self._asked[key])
        for name in names:
            if name.startswith(start) and (start or not name.startswith(".")) and name != start:
                return f"{folder}{slash}{name}"
        return None
