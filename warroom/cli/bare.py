"""How every command leaves. Importing it costs nothing."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

USAGE: Final = 2
"""Exit status for a wrong call, a wrong config, or a terminal that will not do."""


class AllSaid(SystemExit):
    """Leave with success and at once: all is printed, and nothing is left to be closed.

    Where much was read, taking the interpreter down piece by piece costs a tenth of the time.
    """


def fail(message: str, status: int = USAGE) -> NoReturn:
    """Say what is wrong on stderr and leave."""
    print(message, file=sys.stderr)
    raise SystemExit(status)


def unread() -> NoReturn:
    """Leave because whoever read the output went away: as SIGPIPE would end it, without a word."""
    import signal

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(128 + signal.SIGPIPE)
