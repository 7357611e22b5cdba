"""Follows what is piped into the console, whose keys come from the terminal all the same."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from warroom.config.settings import Settings

_NAME: Final = "stdin"


def taken_over() -> int | None:
    """The descriptor of a pipe or file that stands at standard input, whose place the terminal
    takes; None where there is none of either."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        return None
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return None
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return None
    fd = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    return fd


def followed(settings: Settings, fd: int) -> Settings:
    """`settings` with one log more: what `fd` has."""
    from warroom.config.values import Name
    from warroom.logs.piped import Piped

    taken = {str(log.name) for log in settings.logs}
    name = _NAME if _NAME not in taken else f"{_NAME} (piped)"
    return replace(settings, logs=(*settings.logs, Piped(Name(name), fd=fd)))
