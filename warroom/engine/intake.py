"""Takes an exported incident in: its JSON, or a bundle. Nothing in it is run or unpacked."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.journal.base import Journal
from warroom.reports.errors import BadExport

if TYPE_CHECKING:
    from warroom.reports.data import Exported

LIMIT: Final = 512 * 1024 * 1024
"""Bytes of a file at the most."""
_GZIP: Final = b"\x1f\x8b"
_AT_ONCE: Final = 1000
"""So many figures are stored in one go."""


class IntakeError(Exception):
    """The file is no export of ours, was changed, or cannot be read; one plain line."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. `files` is how many a bundle has, 0 for JSON; `digest` is the file's
    SHA-256 (hex)."""

    exported: Exported
    files: int
    digest: str

    @property
    def origin(self) -> str:
        """Who exported it, where and when, as far as the file says, and which file it was."""
        said = self.exported.origin
        known = {"by": said.by, "on": said.host, "at": said.at}
        who = " ".join(f"{word} {value}" for word, value in known.items() if value)
        return f"exported {who}, sha256 {self.digest}" if who else f"sha256 {self.digest}"


def read(path: Path) -> Found:
    """What is in `path`, its chain and manifest checked. Raises IntakeError."""
    from warroom.reports.bundle import unpacked
    from warroom.reports.data import from_json

    try:
        with _opened(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            if stream.read(len(_GZIP)) == _GZIP:
                stream.seek(0)
                held = unpacked(stream)
                return Found(from_json(held.record), held.files, digest)
            stream.seek(0)
            return Found(from_json(stream.read(LIMIT).decode("utf-8")), 0, digest)
    except UnicodeDecodeError as error:
        raise IntakeError(f"{path}: neither a bundle nor JSON (byte {error.start})") from error
    except (BadExport, OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise IntakeError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file that is not too large; nothing that would block or never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        is_ = os.fstat(descriptor)
        if not stat.S_ISREG(is_.st_mode):
            raise BadExport("not a regular file")
        if is_.st_size > LIMIT:
            raise BadExport(f"larger than {LIMIT // 1024**2} MiB")
        yield stream


async def take_in(journal: Journal, path: Path) -> str:
    """Store the incident in `path`, marked with where it comes from; its id here.

    Raises IntakeError, and JournalError when it is here already or cannot be stored.
    """
    found = await asyncio.to_thread(read, path)
    name = await journal.adopt(found.exported.events, found.origin)
    readings = found.exported.readings
    for start in range(0, len(readings), _AT_ONCE):
        await journal.keep(name, readings[start : start + _AT_ONCE])
    return name
