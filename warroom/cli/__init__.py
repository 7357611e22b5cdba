"""The command line: one word opens the console; sub-commands work without a screen.

Data goes to stdout, messages to stderr.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of `warroom`."""
    from warroom.cli.bare import AllSaid, unread

    try:
        if sys.argv[1:2] == ["top"]:
            from warroom.cli.plain import top

            top(sys.argv[2:])
        from warroom.cli.root import warroom

        warroom(prog_name="warroom")
    except BrokenPipeError:
        unread()
    except AllSaid:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            unread()
        os._exit(0)
