"""The numbers of the lines that a filter lets through, ascending, growing at both ends."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence


class Matches:
    """Numbers found looking back from the newest line (`older`) and arriving (`newer`).

    The older half is kept in descending order, so that both grow at their end.
    """

    def __init__(self) -> None:
        self._older: array[int] = array("Q")
        self._newer: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self._older) + len(self._newer)

    def __getitem__(self, index: int) -> int:
        older = len(self._older)
        return self._older[older - 1 - index] if index < older else self._newer[index - older]

    def grow_older(self, ascending: Sequence[int]) -> None:
        """Numbers that are all below those that are here."""
        self._older.extend(array("Q", ascending[::-1]))

    def grow_newer(self, ascending: Iterable[int]) -> None:
        """Numbers that are all above those that are here."""
        self._newer.extend(ascending)

    def rank(self, number: int) -> int:
        """How many are `number` or less."""
        if self._newer and number >= self._newer[0]:
            return len(self._older) + bisect_right(self._newer, number)
        return len(self._older) - bisect_left(self._older, -number, key=lambda n: -n)

    def keep(self, spans: Iterable[tuple[int, int]]) -> None:
        """Forget every number outside of `spans`: ascending (first, last) pairs."""
        kept: array[int] = array("Q")
        whole = self._older[::-1]
        whole.extend(self._newer)
        low = 0
        for first, last in spans:
            low = bisect_left(whole, first, low)
            high = bisect_right(whole, last, low)
            kept.extend(whole[low:high])
            low = high
        self._older = array("Q")
        self._newer = kept
