"""Requests, their bytes and their status classes, counted in one number per key.

The lowest 64 bits hold bytes sent, then follow 40 bits for each class and at the top the count.
Adding two numbers adds every figure at once, and comparing two compares their counts.
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

COUNT_SHIFT: Final = _BYTES + _CLASS * len(CLASSES)
"""Where in a weight the count begins."""


def _one(index: int) -> int:
    return (1 << COUNT_SHIFT) + (1 << _BYTES + _CLASS * index)


WITHOUT_STATUS: Final = _one(len(CLASSES) - 1)
"""The weight of one request that says neither status nor size."""


class Weights(dict[bytes, int]):
    """The weight of one ` STATUS SIZE`; each is worked out once, for they come again and again."""

    def __missing__(self, result: bytes) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        parts = result.split()
        weight = WITHOUT_STATUS
        if len(parts) == 2:
            digit = parts[0][0] - 48
            known = len(parts[0]) == 3 and 1 <= digit <= 5
            sent = int(parts[1]) if parts[1].isdigit() and len(parts[1]) <= 15 else 0
            weight = (_one(digit - 1) if known else WITHOUT_STATUS) + sent
        self[result] = weight
        return weight


def count_of(weight: int) -> int:
    """How many requests."""
    return weight >> COUNT_SHIFT


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
