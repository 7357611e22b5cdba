"""What every command needs and what is soon imported: how it leaves, how the console looks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

LOOK: Final = "warroom.look"
"""Where the root command's options for the console are kept, in the context's `meta`."""
USAGE: Final = 2
"""Exit status for a wrong call, a wrong config, or a terminal that will not do."""


@dataclass(frozen=True)
class Look:
    """How the console is to look and behave."""

    theme: str = ""
    share: bool = False
    ascii_only: bool = False
    observe: bool = False
    runbooks: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    """By pane, why there is nothing to show and what would help."""
    dry_run: bool = False


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
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(128 + signal.SIGPIPE)
