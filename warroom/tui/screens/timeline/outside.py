"""A text in the responder's own editor: `$VISUAL`, else `$EDITOR`.

The console leaves the terminal to it and goes on watching; nothing is drawn until it is back. The
file lies in a folder that only its owner may enter.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App

from warroom.domain.text import harmless
from warroom.tui import outside

LIMIT: Final = 1024 * 1024
"""Bytes that are read back at most."""


class NoEditor(Exception):
    """The text could not be edited outside; one plain line says why."""


def command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The editor as an argument list. Raises NoEditor when none is set or it is not there."""
    for name in ("VISUAL", "EDITOR"):
        said = environ.get(name, "").strip()
        if not said:
            continue
        try:
            argv = shlex.split(said)
        except ValueError as error:
            raise NoEditor(f"${name} cannot be read: {error}") from error
        if not argv or shutil.which(argv[0]) is None:
            raise NoEditor(f"${name} names {harmless(said)}, which is not here")
        return argv
    raise NoEditor("neither $VISUAL nor $EDITOR is set")


async def edited(app: App[Any], text: str) -> str | None:
    """What became of `text`; None when it was left as it was, or emptied.

    Raises NoEditor: none is set, the terminal cannot be left, or it ended with a failure.
    """
    argv = command()
    if not outside.can_leave(app):
        raise NoEditor("this terminal cannot be left to an editor")
    with tempfile.TemporaryDirectory(prefix="warroom-") as folder:  # 0700
        file = Path(folder) / "entry.md"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text + "\n")
        status = await _run(app, [*argv, str(file)])
        if status:
            raise NoEditor(f"{harmless(argv[0])} ended with {status}: nothing was changed")
        return _read(file, text)


def _read(file: Path, before: str) -> str | None:
    try:
        with file.open("rb") as stream:
            written = stream.read(LIMIT + 1)
    except OSError as error:
        raise NoEditor(f"the text is gone: {error.strerror}") from error
    if len(written) > LIMIT:
        raise NoEditor(f"the text is longer than {LIMIT // 1024:,} KiB: nothing was changed")
    text = written.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
    return text if text.strip() and text != before.rstrip("\n") else None


async def _run(app: App[Any], argv: list[str]) -> int:
    """Its exit status."""
    try:
        return await outside.run(app, argv)
    except OSError as error:
        raise NoEditor(f"{harmless(argv[0])}: {error.strerror}") from error
