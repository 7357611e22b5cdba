"""A disk that takes nothing more, for this process."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ROOM: Final = 8192
"""What every file may still hold, in bytes: a draft and a short report. A SQLite journal's log
needs more for one commit, which changes two pages at least, of 4,120 bytes each, after 32 at the
log's beginning (https://sqlite.org/fileformat2.html, section 4.1)."""


@contextmanager
def full_disk(room: int = ROOM) -> Iterator[None]:
    """No file may hold anything beyond its first `room` bytes (RLIMIT_FSIZE, setrlimit(2)).

    A limit at the size that a journal's files have now would not do: after a commit that failed
    its log is carried into the file and begun anew, and then there is room in it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
