"""Texts that somebody is still writing, kept so that a lost connection does not lose them.

A file for each text in a folder of its owner's. What is kept here is a convenience and no record:
a crash of the console or a dropped connection leaves it, a power failure may take the last words.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

LIMIT: Final = 1024 * 1024
"""Characters of one text."""
KEPT_S: Final = 30 * 86400.0
"""Seconds for which a text is kept that nobody took up again."""


class DraftNotKept(Exception):
    """The text is on the screen only; one plain line says why."""


def default_folder() -> Path:
    """`warroom/drafts` in the user's state folder: whose draft it is, wherever the journal is."""
    from platformdirs import user_state_path

    return user_state_path("warroom") / "drafts"


class Drafts:
    """Texts by key, such as `("update", INCIDENT, "chat")` joined with slashes.

    An incident is best named by its first event's id, because two journals may each have an
    `INC-2026-11-21-001`. Blocks no longer than a small write takes: nothing is synced.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._swept = False

    @property
    def folder(self) -> Path:
        """Where the files are; made when the first text is put."""
        return default_folder() if self._folder is None else self._folder

    def get(self, key: str) -> str:
        """The text kept under `key`; empty when there is none or it cannot be read."""
        try:
            descriptor = os.open(self._file(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
                kept = json.loads(stream.read(8 * LIMIT))
        except (OSError, ValueError, RecursionError):
            return ""
        if not isinstance(kept, dict) or kept.get("key") != key:
            return ""
        text = kept.get("text")
        return text[:LIMIT] if isinstance(text, str) else ""

    def put(self, key: str, text: str) -> None:
        """Keep `text` in place of what was there, readable by its owner alone.

        Raises DraftNotKept; what was kept before is then still there.
        """
        if len(text) > LIMIT:
            raise DraftNotKept(f"the draft is not kept: longer than {LIMIT:,} characters")
        file = self._file(key)
        kept = json.dumps({"key": key, "text": text})  # in ASCII: lone surrogates are kept, too
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            descriptor, name = tempfile.mkstemp(prefix=".", dir=file.parent)  # 0600
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                    stream.write(kept)
                Path(name).replace(file)  # a link in its place is replaced, not followed
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise DraftNotKept(f"the draft is not kept: {error.strerror or error}") from error

    def forget(self, key: str) -> None:
        """There is nothing under `key` any more: it was sent, saved or thrown away.

        Raises DraftNotKept when it cannot be taken away.
        """
        try:
            self._file(key).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise DraftNotKept(f"the draft is still kept: {error.strerror or error}") from error

    def _sweep(self) -> None:
        """Once: take away what is older than KEPT_S. What cannot be taken away stays."""
        if self._swept:
            return
        self._swept = True
        oldest = time.time() - KEPT_S
        for file in self.folder.glob("*.json"):
            with suppress(OSError):
                if file.lstat().st_mtime < oldest:
                    file.unlink()

    def _file(self, key: str) -> Path:
        """By digest: a key may hold anything, a file's name may not."""
        named = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / f"{named[:40]}.json"
