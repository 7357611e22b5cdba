"""The command line: one word opens the console; sub-commands work without a screen."""

from __future__ import annotations


def main() -> None:
    """Entry point of `warroom`."""
    raise SystemExit("warroom: the command line is not here yet")
