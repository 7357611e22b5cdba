"""A raw line as people see it. Decoding is done for lines on the screen, never for the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from warroom.domain.text import harmless_bytes
from warroom.logs.level import LOOKED_AT, LogLevel, level_of
from warroom.logs.ring import Raw

_COLOURS: Final = re.compile(rb"\x1b\[[0-9;:]*m")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, harmless. `at` is its arrival, seconds since the epoch; `length` its full length
    in bytes; `partial` says that its end has not come yet (then `number` is not its own)."""

    number: int
    source: int
    at: float
    text: str
    level: LogLevel
    length: int
    partial: bool = False


def without_colours(data: bytes) -> bytes:
    """`data` without its colour sequences."""
    return _COLOURS.sub(b"", data) if b"\x1b" in data else data


def text_of(data: bytes, length: int | None = None) -> str:
    """`data` as harmless text: colour sequences (SGR, ECMA-48 section 8.3.117) go, tabs become
    spaces, every other control becomes a picture. A cut is said with the full `length`.

    >>> text_of(b"\\x1b[31mred\\x1b[0m \\x1b[2J")
    'red ␛[2J'
    """
    text = harmless_bytes(without_colours(data), lines=True)
    if length is not None and length > len(data):
        return f"{text}… ({length:,} bytes)"
    return text


def decode(raw: Raw, *, partial: bool = False) -> Line:
    """What a pane shows of `raw`."""
    level = level_of(without_colours(raw.data[:LOOKED_AT]))
    text = text_of(raw.data, raw.length)
    return Line(raw.number, raw.source, raw.at, text, level, raw.length, partial)
