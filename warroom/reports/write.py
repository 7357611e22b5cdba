"""Puts a report on disk: whole or not at all, for its owner's eyes only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from warroom.reports.errors import NotWritten


def encoded(text: str) -> bytes:
    """A text as UTF-8; what that cannot hold, as an escape."""
    return text.encode("utf-8", "backslashreplace")


def write_atomically(path: Path, content: str | bytes | Iterable[bytes]) -> None:
    """Write `content` (a text as UTF-8, or pieces) to `path` with mode 0600, in place of a regular
    file that is there.

    The bytes are on disk before the name is: a temporary file beside it, fsync, rename, fsync of
    the folder. A symbolic link is not followed: it may lead to where somebody else wants the
    incident to be. Raises NotWritten; a file that was there is then as it was.
    """
    content = encoded(content) if isinstance(content, str) else content
    try:
        _refuse_odd(path)
        _replace(path, (content,) if isinstance(content, bytes) else content)
    except OSError as error:
        raise NotWritten(f"{path}: not written: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise NotWritten(f"{str(path)!r}: not written: {error}") from error


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write `files` (name → content) into `folder`, which is made with mode 0700 when it is not
    there. Other files in it stay. Raises NotWritten."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink():
            raise NotWritten(f"{folder} is a symbolic link: not written; name the folder itself")
    except OSError as error:
        raise NotWritten(f"{folder}: not written: {error.strerror or error}") from error
    for name, content in files.items():
        write_atomically(folder / name, content)


def _refuse_odd(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise NotWritten(f"{path} is a symbolic link: not written; name the file itself")
    if not stat.S_ISREG(mode):
        raise NotWritten(f"{path} is not a regular file: not written")


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
