"""What the journal could not take, on this machine's disk until it does.

One file for each console, in a folder of its user's: a line of JSON for each draft, synced before
anybody is told that it is kept, and a short line when the journal has it. A console holds a lock
(flock(2)) on its file; a file without one was left by a console that ended, and the next one takes
it up. Whatever is delivered twice is stored once, because a draft has an id.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from warroom.domain.events import Author, Draft, Kind, plain, seal
from warroom.journal.base import JournalError

_LARGEST: Final = 256 * 1024 * 1024
_NO_UID: Final = 2**32
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotKept(Exception):
    """The draft is in memory only; one plain line says why."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that is not in the journal yet, and the incident it belongs to."""

    incident: str
    draft: Draft


def default_folder() -> Path:
    """`warroom/outbox` in the user's state folder."""
    from platformdirs import user_state_path

    return user_state_path("warroom") / "outbox"


class Outbox:
    """Drafts for one journal. `journal` gives its name, which holds no secret, when it is needed;
    `console` tells this console's file from others'."""

    def __init__(
        self, journal: Callable[[], Awaitable[str]], console: str, folder: Path | None = None
    ) -> None:
        self._journal, self._console = journal, console
        self._folder = folder
        self._key = ""
        self._files: dict[str, _File] = {}
        self._busy = asyncio.Lock()

    @property
    def folder(self) -> Path:
        """Where the files are; made when the first draft is kept."""
        return default_folder() if self._folder is None else self._folder

    def holds(self, waiting: Waiting) -> bool:
        """Whether it is on disk."""
        return any(waiting.draft.id in file.ids for file in self._files.values())

    async def keep(self, waiting: Waiting) -> None:
        """Returns when it is on disk. Raises NotKept."""
        try:
            line = line_of(waiting)
            async with self._busy:
                own = f"{await self._prefix()}{self._console}.jsonl"
                await asyncio.to_thread(self._keep, own, waiting.draft.id, line)
        except (TypeError, ValueError, RecursionError) as error:
            raise NotKept(f"this cannot be kept: {error}") from error
        except JournalError as error:
            raise NotKept(str(error)) from error
        except OSError as error:
            raise NotKept(f"{self.folder}: {error.strerror or error}") from error

    async def delivered(self, waiting: Waiting) -> None:
        """The journal has it: the file forgets it, and goes with the last of its drafts.

        Nothing is raised: what stays is delivered again, and stored once.
        """
        async with self._busy:
            for name, file in list(self._files.items()):
                if waiting.draft.id in file.ids:
                    with contextlib.suppress(OSError):
                        await asyncio.to_thread(file.forget, waiting.draft.id)
                    if file.closed:
                        del self._files[name]

    async def left_behind(self) -> list[Waiting]:
        """What consoles that ended left here, oldest first; from now on this console has it.

        A folder that cannot be read has nothing to give.
        """
        async with self._busy:
            try:
                return await asyncio.to_thread(self._left_behind, await self._prefix())
            except (OSError, JournalError):
                return []

    async def close(self) -> None:
        """Let go of the files: what is in them is the next console's, and `holds` still says so."""
        async with self._busy:
            for file in self._files.values():
                file.close()

    async def _prefix(self) -> str:
        """What files for this journal begin with. Raises JournalError when nobody knows which
        journal it is."""
        if not self._key:
            name = await self._journal()
            self._key = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"{self._key}-"

    def _keep(self, name: str, draft: str, line: bytes) -> None:
        if name not in self._files:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files[name] = _File.made(self.folder / name)
        self._files[name].add(draft, line)

    def _left_behind(self, prefix: str) -> list[Waiting]:
        found: list[Waiting] = []
        if not self.folder.is_dir():
            return found
        for path in sorted(self.folder.glob(f"{prefix}*.jsonl")):
            if path.name in self._files:
                continue
            with contextlib.suppress(OSError):  # another console's, or not ours to read
                file = _File.taken(path)
                left = file.read()
                if left:
                    self._files[path.name] = file
                    found += left
                elif not file.foreign:
                    file.remove()
        return found


@dataclass(slots=True)
class _File:
    """A file that this process holds the lock of. `foreign`: it has lines that were not
    understood, and is never removed."""

    path: Path
    descriptor: int
    ids: set[str] = field(default_factory=set)
    foreign: bool = False
    closed: bool = False

    @classmethod
    def made(cls, path: Path) -> _File:
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        file = cls(path, descriptor)
        with contextlib.suppress(OSError):  # a file system without locks: others may deliver it
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file

    @classmethod
    def taken(cls, path: Path) -> _File:
        """Raises OSError for a file whose console lives, or that is not this user's own."""
        descriptor = os.open(path, _FLAGS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid():
                raise PermissionError(f"{path} is not this user's own")
            if seen.st_nlink == 0 or seen.st_size > _LARGEST:
                raise FileNotFoundError(path)
        except OSError:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    def add(self, draft: str, line: bytes) -> None:
        """A line that could not be written whole is taken away again."""
        size = os.fstat(self.descriptor).st_size
        try:
            if os.write(self.descriptor, line) < len(line):
                raise OSError("the disk is full")
            os.fsync(self.descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, size)
            raise
        self.ids.add(draft)

    def read(self) -> list[Waiting]:
        """The drafts that the journal does not have as far as this file knows, in its order. A
        line that a crash cut short was never promised to anybody."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self.descriptor), "rb") as stream:
            lines = stream.read().split(b"\n")[:-1]
        waiting: dict[str, Waiting] = {}
        for line in lines:
            try:
                said = json.loads(line)
                if "delivered" in said:
                    waiting.pop(said["delivered"], None)
                else:
                    one = waiting_of(said)
                    waiting[one.draft.id] = one
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                self.foreign = True
        self.ids = set(waiting)
        return list(waiting.values())

    def forget(self, draft: str) -> None:
        self.ids.discard(draft)
        if not self.ids and not self.foreign:
            self.remove()
            return
        os.write(self.descriptor, json.dumps({"delivered": draft}).encode() + b"\n")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.descriptor)


def line_of(waiting: Waiting) -> bytes:
    """One line of JSON. Raises TypeError or ValueError for data that no journal would take."""
    draft = waiting.draft
    if draft.at.tzinfo is None:
        raise ValueError(f"the time {draft.at.isoformat()} does not say its zone")
    said = {
        "incident": waiting.incident,
        "id": draft.id,
        "kind": draft.kind.value,
        "at": draft.at.isoformat(),
        "login": draft.author.login,
        "uid": draft.author.uid,
        "origin": draft.author.origin,
        "text": draft.text,
        "data": plain(draft.data),
        "starred": draft.starred,
        "internal": draft.internal,
    }
    return json.dumps(said).encode() + b"\n"


def waiting_of(said: Mapping[str, Any]) -> Waiting:
    """What `line_of` wrote. Raises ValueError, KeyError, TypeError or OverflowError for anything
    else, and for what no journal would take: waiting, it would hold up all that is said later."""
    author = Author(str(said["login"]), int(said["uid"]), str(said["origin"]))
    at, data = datetime.fromisoformat(said["at"]), said["data"]
    if at.tzinfo is None or not isinstance(data, dict) or not said["id"]:
        raise ValueError("not a draft")
    draft = Draft(
        Kind(said["kind"]), at, author, str(said["text"]), data,
        bool(said["starred"]), bool(said["internal"]), str(said["id"]),
    )  # fmt: skip
    incident = str(said["incident"])
    if draft.kind is Kind.OPENED or not 0 <= author.uid < _NO_UID:
        raise ValueError("not a draft")
    (incident + draft.id).encode()  # a lone surrogate is a ValueError here
    seal(draft.id, incident, 1, at, draft, "")
    return Waiting(incident, draft)
