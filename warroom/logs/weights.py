"""Requests, their bytes and their status classes, counted in one number per key.

The lowest 64 bits hold bytes sent, then follow 40 bits for each class: adding two numbers adds
every figure at once, which makes a full count cost one dictionary look-up more than a plain one.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")
"""Status classes; `none` for lines whose status is not known."""
_BYTES: Final = 64
_CLASS: Final = 40
_LOW: Final = (1 << _BYTES) - 1
_ONE: Final = (1 << _CLASS) - 1
_REMEMBERED: Final = 65536

WITHOUT_STATUS: Final = 1 << _BYTES + _CLASS * (len(CLASSES) - 1)
"""The weight of one request that says neither status nor size."""


class Weights(dict[bytes, int]):
    """The weight of one ` STATUS SIZE `; each is worked out once, for they come again and again."""

    def __missing__(self, result: bytes) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        parts = result.split()
        weight = WITHOUT_STATUS
        if len(parts) == 2:
            digit = parts[0][0] - 48
            known = len(parts[0]) == 3 and 1 <= digit <= 5
            sent = int(parts[1]) if parts[1].isdigit() and len(parts[1]) <= 15 else 0
            weight = (1 << _BYTES + _CLASS * (digit - 1) if known else WITHOUT_STATUS) + sent
        self[result] = weight
        return weight


def count_of(weight: int) -> int:
    """How many requests."""
    rest, total = weight >> _BYTES, 0
    while rest:
        total += rest & _ONE
        rest >>= _CLASS
    return total


def bytes_of(weight: int) -> int:
    """How many bytes were sent."""
    return weight & _LOW


def classes_of(weight: int) -> dict[str, int]:
    """Requests by status class, those that there are."""
    rest = weight >> _BYTES
    found = {}
    for name in CLASSES:
        if rest & _ONE:
            found[name] = rest & _ONE
        rest >>= _CLASS
    return found
