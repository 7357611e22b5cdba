"""Calls of `warroom top` in their plainest form, understood before click is there.

`warroom top FILE`, with `--by`, `-n` and `--json` or without, is what people and scripts say in a
flood, and what is timed beside awk: importing click would make it a twentieth longer. Whatever else
is said, and whatever is wrong, is left to the command itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from warroom.cli.bare import AllSaid, fail
from warroom.cli.counting import GROUPINGS, counted, print_report


class Plain(NamedTuple):
    """What is to be counted in which files, and how many of it to print."""

    files: tuple[str, ...]
    by: str = "ip"
    number: int = 20
    as_json: bool = False


def top(words: Sequence[str]) -> None:
    """Count and leave, where `words` are a plain call; else return."""
    call = understood(words)
    if call is None:
        return
    try:
        full = call.as_json or call.by != "ip"
        print_report(
            counted(call.files, by=call.by, n=call.number, full=full), as_json=call.as_json
        )
    except KeyboardInterrupt:
        fail("\nAborted!", 1)
    raise AllSaid


def understood(words: Sequence[str]) -> Plain | None:
    """The plain call that `words` are; None for any other, right or wrong.

    >>> understood(["--by", "path", "a.log", "b.log"])
    Plain(files=('a.log', 'b.log'), by='path', number=20, as_json=False)
    >>> understood(["--trend", "a.log"]), understood(["--by", "colour", "a.log"])
    (None, None)
    """
    files: list[str] = []
    as_json = False
    said = {"--by": "ip", "-n": "20"}
    rest = iter(words)
    for word in rest:
        if word in said:
            said[word] = next(rest, "")
        elif word == "--json":
            as_json = True
        elif word.startswith("-"):
            return None
        else:
            files.append(word)
    by, number = said["--by"], said["-n"]
    if not files or by not in GROUPINGS or not (number.isascii() and number.isdigit()):
        return None
    return Plain(tuple(files), by, int(number), as_json) if int(number) else None
