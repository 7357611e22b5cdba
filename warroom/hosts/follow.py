"""Follows a growing file through everything that rotates it: what to read, in which order.

`Follower` decides; it touches files only through `Files`, so that the same decisions serve this
machine's disk, SFTP, and a model of a disk in tests. A file is told apart from its successor by
its identity, and a position is believed only while the bytes before it (`MARK`) still stand there.

What is kept through each kind of rotation:

- *rename and create* (logrotate's default), *remove and create*, a *symlink swap*: everything;
  the file that went is still read for `LINGER` seconds, for writers that have not reopened yet.
- *copytruncate*: everything up to the copy, when the copy stands uncompressed beside the file;
  else all but what was written after the last poll. (What is written between copy and truncation
  is lost by the rotation itself.)
- two rotations between two polls lose the file in the middle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

CHUNK: Final = 256 * 1024
"""Most bytes of one read."""
MARK: Final = 256
"""Bytes before a position that must still be there for it to be believed."""
LINGER: Final = 5.0
"""Seconds that a file is still read after its name went to another."""
PATIENCE: Final = 1.0
"""Seconds that an unfinished line is waited for before it is passed on as it is."""
REACH_BACK: Final = 16 * 1024 * 1024
"""Furthest, in bytes, that the beginning of the last lines is looked for."""
_KNOWN = 8


class Gone(Exception):
    """There is no file of that name."""


class Barred(Exception):
    """There is something of that name, but it cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a glance at a file tells: who it is, its bytes, when it was last written."""

    id: Hashable
    size: int
    stamp: float


class Handle(Protocol):
    """An open file. `look` and `read` raise Barred when it cannot be read any more."""

    async def look(self) -> Look: ...

    async def read(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the file."""
        ...

    async def close(self) -> None: ...


class Files(Protocol):
    """Where files are. `look` and `open` raise Gone or Barred."""

    async def look(self, path: str) -> Look: ...

    async def open(self, path: str) -> Handle: ...

    async def copies(self, path: str) -> Sequence[str]:
        """Paths beside `path` that may be older copies of it, newest first."""
        ...


class _Reading:
    """How far one file has been read."""

    def __init__(self, handle: Handle, id_: Hashable, position: int, mark: bytes) -> None:
        self.handle, self.id, self.position, self.mark = handle, id_, position, mark
        self.seen: tuple[int, float] | None = None  # the look at which nothing was left to read
        self.held_since: float | None = None  # an unfinished line stands at the end since then
        self.left_at: float | None = None  # its name went to another then

    async def peek(self, look: Look) -> bytes | None:
        """The next bytes, not yet taken; None when what was read before is not there any more."""
        if (look.size, look.stamp) == self.seen and self.held_since is None:
            return b""
        overlap = len(self.mark)
        got = await self.handle.read(overlap + CHUNK, self.position - overlap)
        if got[:overlap] != self.mark:
            return None
        if len(got) - overlap < CHUNK:
            self.seen = (look.size, look.stamp)
        return got[overlap:] if overlap else got

    def whole(self, data: bytes, now: float) -> bytes:
        """What of `data` can be passed on now: its whole lines, or an unfinished one that is
        longer than a chunk or was waited for long enough."""
        cut = data.rfind(b"\n") + 1
        if cut or not data:
            self.held_since = now if cut < len(data) else None
            return data[:cut]
        if self.held_since is None:
            self.held_since = now
        if len(data) < CHUNK and now - self.held_since < PATIENCE:
            return b""
        self.held_since = None
        return data

    def take(self, data: bytes) -> None:
        """`data` was passed on."""
        self.position += len(data)
        self.mark = (self.mark + data[-MARK:])[-MARK:]


class Follower:
    """One followed name. Call `poll` again and again, at once while `behind`, then `close`.

    `trouble` says in one line why there is nothing to read, while there is a reason.
    """

    def __init__(
        self, path: str, last: int, files: Files, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path, self.trouble, self.behind = path, "", False
        self._files, self._clock, self._last = files, clock, last
        self._started = False  # once it has, a file that appears is read from its beginning
        self._current: _Reading | None = None
        self._older: list[_Reading] = []
        self._known: dict[Hashable, tuple[int, bytes]] = {}
        self._open_line: _Reading | None = None

    async def poll(self) -> bytes:
        """What is new: whole lines of one file, up to a chunk; empty when there is nothing."""
        look = await self._attend()
        self.behind = False
        for reading in self._readings():
            known = look if reading is self._current else None
            try:
                data = await reading.peek(known or await reading.handle.look())
            except Barred as reason:
                self.trouble = f"{self.path}: {reason}"
                await self._drop(reading)
                continue
            if data is None:
                await self._replaced(reading)
                self.behind = True  # what took its place, and its copy, can be read at once
                return b""
            whole = reading.whole(data, self._clock())
            if whole:
                return self._passed_on(reading, whole, len(data))
            if self._is_over(reading):
                await self._drop(reading)
        return b""

    async def close(self) -> None:
        """Close every file."""
        for reading in self._readings():
            await self._drop(reading)

    def _readings(self) -> list[_Reading]:
        return [*self._older, self._current] if self._current else [*self._older]

    def _passed_on(self, reading: _Reading, whole: bytes, at_hand: int) -> bytes:
        if self._open_line not in (None, reading):
            self._open_line, reading.seen = None, None
            self.behind = True
            return b"\n"  # what another file left unfinished must not run into this line
        reading.take(whole)
        self._open_line = None if whole.endswith(b"\n") else reading
        self.behind = at_hand >= CHUNK
        return whole

    async def _attend(self) -> Look | None:
        """See whose name it is now, and open that file; the look at the current one, if any."""
        try:
            look = await self._files.look(self.path)
            if self._current is None or look.id != self._current.id:
                self._retire()
                look = await self._open()
        except Gone:
            self._retire()
            self._started, self.trouble = True, f"{self.path}: not there yet"
            return None
        except Barred as reason:
            self.trouble = f"{self.path}: {reason}"
            return None
        self.trouble = ""
        return look

    def _retire(self) -> None:
        if self._current is not None:
            self._current.left_at = self._clock()
            self._older.append(self._current)
            self._current = None

    async def _open(self) -> Look:
        handle = await self._files.open(self.path)
        look = await handle.look()
        again = next((reading for reading in self._older if reading.id == look.id), None)
        if again is not None:
            await handle.close()
            self._older.remove(again)
            again.left_at, self._current = None, again
            return look
        if self._started:
            position, mark = self._known.pop(look.id, (0, b""))
        else:
            position = await last_lines(handle, look.size, self._last)
            overlap = min(position, MARK)
            mark = await handle.read(overlap, position - overlap)
        self._started = True
        self._current = _Reading(handle, look.id, position, mark)
        return look

    async def _replaced(self, reading: _Reading) -> None:
        """The file was truncated or written anew: begin again, after what its copy still holds."""
        fresh = _Reading(reading.handle, reading.id, 0, b"")
        fresh.left_at = reading.left_at
        if reading is self._current:
            self._current = fresh
            copy = await self._copy_of(reading)
            if copy is not None:
                self._older.append(copy)
                if self._open_line is reading:  # the copy goes on where the line was left
                    self._open_line = copy
        else:
            self._older[self._older.index(reading)] = fresh

    async def _copy_of(self, reading: _Reading) -> _Reading | None:
        for path in await self._files.copies(self.path):
            try:
                handle = await self._files.open(path)
            except (Gone, Barred):
                continue
            look = await handle.look()
            overlap = len(reading.mark)
            if look.id != reading.id and look.size > reading.position:
                there = await handle.read(overlap, reading.position - overlap)
                if there == reading.mark:
                    copy = _Reading(handle, look.id, reading.position, reading.mark)
                    copy.left_at = self._clock()
                    return copy
            await handle.close()
        return None

    def _is_over(self, reading: _Reading) -> bool:
        """Whether a file that is read to its end went long enough ago to be closed."""
        if reading.left_at is None or reading.held_since is not None:
            return False
        return self._clock() - reading.left_at >= LINGER

    async def _drop(self, reading: _Reading) -> None:
        """Close a file; its position is kept, should its name come back."""
        if reading is self._current:
            self._current = None
        else:
            self._older.remove(reading)
        await reading.handle.close()
        self._known[reading.id] = (reading.position, reading.mark)
        while len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]


async def last_lines(handle: Handle, size: int, last: int) -> int:
    """Where the last `last` lines of a file of `size` bytes begin, read from its end in blocks.

    A line without its line feed at the end counts. Looks back `REACH_BACK` bytes at most.
    """
    if last <= 0:
        return size
    position, wanted = size, last + 1  # the line feed before the first of them
    while position > 0 and size - position < REACH_BACK:
        step = min(64 * 1024, position)
        block = await handle.read(step, position - step)
        if len(block) < step:  # it shrank under our eyes
            return 0
        if position == size and not block.endswith(b"\n"):
            wanted -= 1
        found = block.count(b"\n")
        if found >= wanted:
            place = len(block)
            for _ in range(wanted):
                place = block.rfind(b"\n", 0, place)
            return position - step + place + 1
        wanted -= found
        position -= step
    return position
