"""Values with a meaning of their own in a config."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NewType

Seconds = NewType("Seconds", float)
"""A duration; written in TOML as `"5s"`, `"250ms"`, `"1.5m"`, `"2h"` or a number of seconds."""

Name = NewType("Name", str)
"""What a thing is called on screen and in events: 1 to 64 printable characters."""

Line = NewType("Line", str)
"""One line of printable text, as long as it may be."""

TimeZone = NewType("TimeZone", str)
"""A key of the IANA time zone database that this machine knows: `"Europe/Berlin"`."""

NAME_WIDTH: Final = 64
REFERENCES: Final = ("env:", "file:", "command:")
_URL_PASSWORD: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#:]*:[^/?#]+@", re.IGNORECASE)
_KEY_PASSWORD: Final = re.compile(r"(?:^|[?&\s;])(?:password|passwd|pwd)=[^&\s;]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a value that may hold a secret comes from.

    `env:NAME`, `file:PATH` or `command:ARGV` name the place; anything else is the value itself
    and must hold no password. The value never shows in `repr` or in a traceback.
    """

    reference: str

    def __post_init__(self) -> None:
        if self.is_literal and (
            _URL_PASSWORD.search(self.reference) or _KEY_PASSWORD.search(self.reference)
        ):
            raise ValueError(
                "a password does not belong in a config; "
                'name where it is: "env:NAME", "file:PATH" (mode 0600) or "command:ARGV"'
            )
        if not self.is_literal and not self.reference.partition(":")[2].strip():
            raise ValueError(
                'names no place; write "env:NAME", "file:PATH" (mode 0600) or "command:ARGV"'
            )

    @property
    def is_literal(self) -> bool:
        return not self.reference.startswith(REFERENCES)

    def __repr__(self) -> str:
        return "Secret(…)" if self.is_literal else f"Secret({self.reference!r})"
