"""Where tests keep their files; and a disk that takes nothing more, for this process."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_MEMORY: Final = Path("/dev/shm")
"""A file system in memory, as Linux has one for everybody (shm_overview(7))."""
_ENOUGH: Final = 2 * 2**30
"""Bytes that must be free in it; a run takes a tenth of them."""
_TEMP_ROOT: Final = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes its temporary folders."""
ROOM: Final = 8192
"""What every file may still hold, in bytes: a draft and a short report. A SQLite journal's log
needs more for one commit, which changes two pages at least, of 4,120 bytes each, after 32 at the
log's beginning (https://sqlite.org/fileformat2.html, section 4.1)."""


def use_memory(config: pytest.Config) -> None:
    """Temporary folders are made in memory from now on, where there is enough and nobody named a
    place: a journal waits 0.7 s for its disk, which others keep busy for longer than that.

    What is about a disk makes its folders with `tempfile`, on one.
    """
    if config.option.basetemp or _TEMP_ROOT in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    runs_nothing = os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC  # tests put programs there, too
    if not runs_nothing and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ[_TEMP_ROOT] = str(_MEMORY)


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
