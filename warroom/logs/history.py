"""A log of before: what rotation put away, read once, from its beginning to its end.

It is unpacked by the host's own `gzip`, `bzip2`, `xz` or `zstd`, so that one way serves every
machine. Lines go into a ring of their own: they come as of the time that they say themselves, the
newest are kept, and those that fall out are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from warroom.config.settings import LogEntry
from warroom.domain.clock import Clock
from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import AS_IT_IS, Host, HostError
from warroom.hosts.turns import turn
from warroom.logs._source import Source
from warroom.logs.engine import PIECE, LogEngine, SourceState
from warroom.logs.fold import own_time
from warroom.logs.ring import RING_LIMIT, Raw
from warroom.logs.split import Batch, Splitter

UNPACKERS: Final[Mapping[str, Sequence[str]]] = {
    ".gz": ("gzip", "-dc"),
    ".bz2": ("bzip2", "-dc"),
    ".xz": ("xz", "-dc"),
    ".zst": ("zstd", "-dcq"),
}
"""What writes the content of an archive to its standard output, by the end of its name."""
_LOOK_S: Final = 10.0
_NUMBER: Final = re.compile(r"\.(\d{1,4})(?=\.|\Z)")
_DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[-_T]?(\d{0,6})")
_GLOB: Final = re.compile(r"([\\*?\[\]])")
_ERROR: Final = 4096


def argv_of(path: str, limit: int = RING_LIMIT) -> Sequence[str]:
    """The command that writes a file's lines; of one that is not packed, only the last `limit`
    bytes, for no more are kept."""
    unpacker = UNPACKERS.get(PurePosixPath(path).suffix)
    path = path if path.startswith("/") else f"./{path}"
    return (*unpacker, path) if unpacker else ("tail", "-c", str(limit), path)


async def put_away(host: Host, path: str) -> Sequence[str]:
    """What rotation made of the log at `path`: files beside it whose names begin with its own, or
    with its stem and a date; newest first. Raises HostError."""
    file = PurePosixPath(path)
    name = _GLOB.sub(r"\\\1", file.name)
    stem = _GLOB.sub(r"\\\1", file.stem)
    argv = ("find", str(file.parent), "-maxdepth", "1", "-type", "f",
            "(", "-name", f"{name}?*", "-o", "-name", f"{stem}-[0-9]*", ")", "-print0")  # fmt: skip
    found = await host.run(argv, timeout=_LOOK_S)
    paths = [part.decode("utf-8", "surrogateescape") for part in found.out.split(b"\0") if part]
    if found.code and not paths:
        raise HostError(harmless_bytes(found.err or b"find failed", limit=200))
    return sorted((p for p in paths if p != path), key=_age)


def _age(path: str) -> tuple[int, int, str]:
    """Sorts the newest first: by rotation's number, then by date, then by name."""
    name = PurePosixPath(path).name
    if number := _NUMBER.search(name):
        return 0, int(number[1]), name
    if date := _DATE.search(name):
        return 1, -int("".join(date.groups()[:3]) + date[4].ljust(6, "0")), name
    return 2, 0, name


class OldLog(LogEngine):
    """One such file, read while it is looked at. `limit` bounds what is kept, in bytes."""

    def __init__(
        self, entry: LogEntry, host: Host, *, clock: Clock, limit: int = RING_LIMIT
    ) -> None:
        super().__init__((entry,), {entry.on: host}, clock=clock, limit=limit)
        self.whole = False
        """Whether it is read to its end."""
        self._splitter = Splitter()
        self._at = 0.0  # the latest time that a line said

    @property
    def newest(self) -> float:
        """The latest time that a line said so far, seconds since the epoch; now, while none did."""
        return self._at or self._now()

    async def _follow(self, source: Source) -> None:
        host, entry = self._hosts[source.entry.on], source.entry
        said = bytearray()
        self._say(source, SourceState.FOLLOWING)
        try:
            argv = argv_of(entry.path, self.ring.limit)
            async with host.launch(argv, AS_IT_IS, said.extend) as running:
                async for chunk in running.output():
                    for start in range(0, len(chunk), PIECE):
                        self._came(source, self._splitter.feed(chunk[start : start + PIECE]))
                        await turn()
                code = await running.code()
            self._came(source, self._splitter.flush())
        except HostError as fault:
            self._say(source, SourceState.FAULT, harmless(str(fault))[:300])
            return
        self.whole = True
        why = harmless_bytes(bytes(said[:_ERROR]), limit=300).replace(f"{harmless(argv[-1])}: ", "")
        why = why.strip() or f"{argv[0]} ended with {code}"
        self._say(source, SourceState.FAULT if code else SourceState.FOLLOWING, why if code else "")
        self.changed.set()

    def _came(self, source: Source, batch: Batch | None) -> None:
        """Lines, as of the time that the last of them says."""
        if not batch:
            return
        source.look.at(batch)
        now = self._now()
        for line in reversed(batch.data[:-1].rsplit(b"\n", 3)[-3:]):
            said = own_time(Raw(0, 0, self._at or now, line, len(line))) if line else None
            if said is not None:
                self._at = max(self._at, min(said, now))
                break
        source.last_at = self._at or now
        self.ring.append(source.index, source.last_at, batch)
        self.changed.set()
