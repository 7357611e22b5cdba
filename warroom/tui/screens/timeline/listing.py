"""The entries by time and those that a filter lets through, kept up to date event by event.

A hundred thousand entries are put in order once. After that a new event costs its place in three
lists, and a key in the filter looks only through what the filter before it had left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from warroom.domain.timeline import Entry
from warroom.tui.screens.timeline.filters import Filter, author_of, haystack

Place = tuple[datetime, int]
"""Where an entry stands: when it happened, then its sequence."""

START: Final[Place] = (datetime.min.replace(tzinfo=UTC), 0)
_MANY: Final = 256
"""So many changes at once are sorted in anew."""


def place_of(entry: Entry) -> Place:
    return entry.at, entry.seq


class Listing:
    """`entries` are all, `shown` those that `filter` lets through; both by time."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.shown: list[Entry] = []
        self.filter = Filter()
        self.exhibited: frozenset[int] = frozenset()
        self._by_seq: dict[int, Entry] = {}
        self._admitted: list[Entry] = []
        self._hay: dict[int, str] = {}
        self._warmed = 0

    def load(self, entries: Iterable[Entry], exhibited: Collection[int] = ()) -> None:
        """Begin anew with these entries (by time)."""
        self.entries = list(entries)
        self._by_seq = {entry.seq: entry for entry in self.entries}
        self._hay.clear()
        self._warmed = 0
        self.exhibited = frozenset(exhibited)
        self._admit()

    def take(
        self, changed: Mapping[int, Entry | None], exhibited: Collection[int] | None = None
    ) -> None:
        """The entries of these sequences are now so; None: no longer there."""
        if exhibited is not None and self.exhibited != exhibited:
            moved = self.exhibited ^ frozenset(exhibited)
            self.exhibited = frozenset(exhibited)
            changed = {seq: self._by_seq.get(seq) for seq in moved} | dict(changed)
        if len(changed) > _MANY:
            kept = {**self._by_seq, **changed}.values()
            found = sorted((entry for entry in kept if entry is not None), key=place_of)
            self.load(found, self.exhibited)
            return
        for seq, entry in changed.items():
            self._replace(seq, entry)

    def apply(self, wanted: Filter) -> None:
        """Show what `wanted` lets through."""
        before, self.filter = self.filter, wanted
        if wanted == before:
            return
        if wanted.refines(before):
            self.shown = self._matching(self.shown)
        elif wanted.but_text == before.but_text:
            self.shown = self._matching(self._admitted)
        else:
            self._admit()

    def warm(self, count: int) -> bool:
        """Prepare up to `count` more entries for the first filter; whether any are left."""
        until = min(self._warmed + count, len(self.entries))
        for entry in self.entries[self._warmed : until]:
            if entry.seq not in self._hay:
                self._hay[entry.seq] = haystack(entry)
        self._warmed = until
        return until < len(self.entries)

    def entry(self, seq: int) -> Entry | None:
        """The entry of that sequence, shown or not."""
        return self._by_seq.get(seq)

    def index(self, place: Place) -> int:
        """Where in `shown` the entry at `place` is, or would be: then its neighbour."""
        return max(0, min(bisect_left(self.shown, place, key=place_of), len(self.shown) - 1))

    def neighbours(self, place: Place) -> tuple[Entry | None, Entry | None]:
        """The entry at `place` and the next one in time, hidden ones too."""
        at = bisect_left(self.entries, place, key=place_of)
        pair = self.entries[at : at + 2]
        return (pair[0] if pair else None), (pair[1] if len(pair) > 1 else None)

    def authors(self) -> dict[str, int]:
        """How many entries each author has."""
        return _counted(author_of(entry) for entry in self.entries)

    def kinds(self) -> dict[str, int]:
        """How many entries there are of each kind."""
        return _counted(entry.kind.value for entry in self.entries)

    def tags(self) -> dict[str, int]:
        """How many entries have each tag."""
        tagged = (entry for entry in self.entries if "tags" in entry.data)
        return _counted(tag for entry in tagged for tag in entry.tags)

    def _admit(self) -> None:
        wanted, exhibited = self.filter, self.exhibited
        if wanted.but_text == Filter():
            self._admitted = list(self.entries)
        else:
            self._admitted = [e for e in self.entries if wanted.admits(e, exhibited)]
        self.shown = self._matching(self._admitted)

    def _matching(self, entries: Sequence[Entry]) -> list[Entry]:
        words = self.filter.words
        if not words:
            return list(entries)
        while self.warm(100_000):
            pass
        hay = self._hay
        found = [entry for entry in entries if words[0] in hay[entry.seq]]
        for word in words[1:]:
            found = [entry for entry in found if word in hay[entry.seq]]
        return found

    def _replace(self, seq: int, entry: Entry | None) -> None:
        before = self._by_seq.pop(seq, None)
        self._hay.pop(seq, None)
        if before is not None:
            for held in (self.entries, self._admitted, self.shown):
                at = bisect_left(held, place_of(before), key=place_of)
                if held[at : at + 1] == [before]:
                    del held[at]
            self._warmed = max(0, self._warmed - 1)
        if entry is None:
            return
        self._by_seq[seq] = entry
        self._hay[seq] = hay = haystack(entry)
        self._insert(self.entries, entry)
        if self.filter.admits(entry, self.exhibited):
            self._insert(self._admitted, entry)
            if all(word in hay for word in self.filter.words):
                self._insert(self.shown, entry)

    def _insert(self, held: list[Entry], entry: Entry) -> None:
        if not held or place_of(held[-1]) < place_of(entry):
            held.append(entry)
        else:
            held.insert(bisect_left(held, place_of(entry), key=place_of), entry)


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
