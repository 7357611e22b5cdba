"""Which config file is meant: named, in the current folder, the user's, or the machine's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

NAME: Final = "warroom.toml"


class How(StrEnum):
    """How a file was found, as messages say it."""

    OPTION = "--config"
    VARIABLE = "$WARROOM_CONFIG"
    CURRENT = "the current folder"
    USER = "the user's folder"
    MACHINE = "/etc/warroom"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Found:
    """A config file and how it was found; `path` is None when there is none.

    A runbook is one too: `Found(path, How.OPTION)` for one that was named on the command line.
    """

    path: Path | None
    how: How

    @property
    def is_named(self) -> bool:
        """Somebody said this very file, which is all the trust it needs."""
        return self.how in (How.OPTION, How.VARIABLE)


def find(explicit: str | None, environ: Mapping[str, str]) -> Found:
    """The config to use: `--config`, `$WARROOM_CONFIG`, `./warroom.toml`,
    `$XDG_CONFIG_HOME/warroom/warroom.toml`, `/etc/warroom/warroom.toml`.

    A named one is taken whether or not it is there: that it is missing is then the error.
    """
    if explicit:
        return Found(_expanded(explicit, environ), How.OPTION)
    if environ.get("WARROOM_CONFIG"):
        return Found(_expanded(environ["WARROOM_CONFIG"], environ), How.VARIABLE)
    for path, how in places(environ):
        if os.path.lexists(path):  # a dangling link is somebody's mistake: let it be reported
            return Found(path, how)
    return Found(None, How.NOWHERE)


def places(environ: Mapping[str, str]) -> list[tuple[Path, How]]:
    """Where a config is looked for when none is named, in order."""
    return [
        (Path.cwd() / NAME, How.CURRENT),
        (_user_folder(environ) / "warroom" / NAME, How.USER),
        (Path("/etc/warroom") / NAME, How.MACHINE),
    ]


def _user_folder(environ: Mapping[str, str]) -> Path:
    """XDG Base Directory Specification: a relative $XDG_CONFIG_HOME is to be ignored."""
    folder = Path(environ.get("XDG_CONFIG_HOME", ""))
    return folder if folder.is_absolute() else _home(environ) / ".config"


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    if text == "~" or text.startswith("~/"):
        return _home(environ) / text[2:]
    return Path(text)
