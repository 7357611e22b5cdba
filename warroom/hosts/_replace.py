"""Names and words that replacing a file has in common on this machine and on others."""

from __future__ import annotations

import re
import secrets
from typing import Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import FileChanged, FileMissing, HostError

LEFT_S: Final = 600.0
"""Seconds after which a file that a killed console left behind is taken away by the next one."""
_MARK: Final = "warroom-new"


def beside(name: str) -> str:
    """What a file is called until it is renamed to `name`. It begins with a dot, which the glob
    patterns of programs that include whole folders (`conf.d/*`) do not match."""
    return f".{name}.{secrets.token_hex(6)}.{_MARK}"


def is_left(name: str, of: str) -> bool:
    """Whether `name` is what `beside(of)` gave once.

    >>> is_left(beside("block.conf"), "block.conf"), is_left(".block.conf.swp", "block.conf")
    (True, False)
    """
    return re.fullmatch(rf"\.{re.escape(of)}\.[0-9a-f]{{12}}\.{_MARK}", name) is not None


def shown(path: str) -> str:
    """A path as messages say it."""
    return shorten(harmless(path), 200)


def missing(path: str) -> FileMissing:
    return FileMissing(f"{shown(path)}: no such file")


def no_regular_file(path: str, *, is_link: bool) -> HostError:
    kind = "is a symbolic link" if is_link else "is no regular file"
    return HostError(f"{shown(path)} {kind}")


def too_large(path: str, limit: int) -> HostError:
    return HostError(f"{shown(path)} is larger than {limit:,} bytes")


def compare(path: str, now: bytes | None, expected: bytes | None) -> None:
    """Raises FileChanged unless the file holds what was expected; None is no file."""
    if now == expected:
        return
    if expected is None:
        raise FileChanged(f"{shown(path)} is there now; it was not a moment ago")
    if now is None:
        raise FileChanged(f"{shown(path)} is gone; it was there a moment ago")
    raise FileChanged(f"{shown(path)} was changed by somebody else meanwhile")
