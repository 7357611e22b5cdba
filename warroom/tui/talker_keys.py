"""Every key of the top talkers, declared once: a part of the console's commands."""

from __future__ import annotations

from typing import Final

from warroom.tui.command import Command

TALKER_KEYS: Final[tuple[Command, ...]] = (
    Command(
        "group", "b", "group by",
        "top talkers: by address, range, path, status, method, agent, host…", "rows", "group",
        word="group",
    ),
    Command(
        "window", "B", "window", "top talkers: 1, 5, 15 minutes, since start", "rows", "window",
        word="window",
    ),
    Command(
        "lines", "full_stop", "its lines", "top talkers: the lines of this row, in the logs",
        "rows", "lines", word="lines", shown=".",
    ),
    Command(
        "whois", "ampersand", "who is it",
        "an address's name and owner; says whom it asks before it does",
        "rows", "whois", word="whois", shown="&",
    ),
)  # fmt: skip
"""In the order of the help. `→` and `←`, into a row and out of it, are keys of the logs, too."""
