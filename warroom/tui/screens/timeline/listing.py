"""The entries by time and those that a filter lets through, kept up to date event by event.

A hundred thousand entries are put in order once. After that a new event costs its place in three
lists, and a key in the filter looks only through what the filter before it had left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from typing import Final, overload

from warroom.domain.timeline import Entry
from warroom.tui.screens.timeline.filters import Filter, author_of, haystack

Place = tuple[datetime, int]
"""Where an entry stands: when it happened, then its sequence."""

START: Final[Place] = (datetime.min.replace(tzinfo=UTC), 0)
_MANY: Final = 256
"""So many changes at once are sorted in anew."""
_KEPT: Final = 32
"""Filters whose entries are kept until something changes."""


def place_of(entry: Entry) -> Place:
    return entry.at, entry.seq


class _Picked(Sequence[Entry]):
    """Some of many entries. To put a hundred thousand into a list of their own touches each in
    memory, which takes as long as to look through their texts; few of them are ever drawn."""

    def __init__(self, entries: list[Entry], picks: list[int]) -> None:
        self.entries, self.picks = entries, picks

    def __len__(self) -> int:
        return len(self.picks)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self.entries[pick] for pick in self.picks[index]]
        return self.entries[self.picks[index]]


class _Run:
    """Entries by time, and beside each the text that a filter's words are looked for in."""

    def __init__(self, entries: Sequence[Entry] = (), hay: Iterable[str] = ()) -> None:
        self.entries: Sequence[Entry] = entries
        self.hay = list(hay)

    def with_word(self, word: str) -> _Run:
        """Those that have `word`. Two lists beside each other are gone through in half the time
        that looking every text up by its entry takes."""
        has = [word in text for text in self.hay]
        if isinstance(self.entries, _Picked):
            picked = _Picked(self.entries.entries, list(compress(self.entries.picks, has)))
        else:
            own = self.settled()
            picked = _Picked(own, list(compress(range(len(own)), has)))
        return _Run(picked, compress(self.hay, has))

    def settled(self) -> list[Entry]:
        """The entries in a list of their own, as they have to be before others change."""
        if not isinstance(self.entries, list):
            self.entries = list(self.entries)
        return self.entries

    def insert(self, entry: Entry, hay: str) -> None:
        entries = self.settled()
        last = entries[-1:]
        if not last or place_of(last[0]) < place_of(entry):
            entries.append(entry)
            self.hay.append(hay)
        else:
            at = bisect_left(entries, place_of(entry), key=place_of)
            entries.insert(at, entry)
            self.hay.insert(at, hay)

    def remove(self, entry: Entry) -> None:
        entries = self.settled()
        at = bisect_left(entries, place_of(entry), key=place_of)
        if at < len(entries) and entries[at].seq == entry.seq:
            del entries[at], self.hay[at]


class Listing:
    """`entries` are all, `shown` those that `filter` lets through; both by time."""

    def __init__(self) -> None:
        self.filter = Filter()
        self.exhibited: frozenset[int] = frozenset()
        self._by_seq: dict[int, Entry] = {}
        self._all, self._admitted, self._shown = _Run(), _Run(), _Run()
        self._found: dict[tuple[str, ...], _Run] = {}

    @property
    def entries(self) -> Sequence[Entry]:
        return self._all.entries

    @property
    def shown(self) -> Sequence[Entry]:
        return self._shown.entries

    def load(self, entries: Iterable[Entry], exhibited: Collection[int] = ()) -> None:
        """Begin anew with these entries (by time)."""
        self._all = _Run(list(entries))
        self._by_seq = {entry.seq: entry for entry in self.entries}
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
        if wanted.but_text != before.but_text or (wanted.words and self._cold):
            self._admit()
        elif wanted.words in self._found:  # a letter was taken back
            self._shown = self._found[wanted.words]
        else:
            self._match(self._shown if wanted.refines(before) else self._admitted)

    def warm(self, count: int) -> bool:
        """Prepare up to `count` more entries for the first filter; whether any are left."""
        run = self._all
        begin = len(run.hay)
        if begin < len(run.entries):
            run.hay += map(haystack, run.entries[begin : begin + count])
            if not self._cold:
                self._admit()  # what is shown has its texts beside it, too
        return self._cold

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

    @property
    def _cold(self) -> bool:
        """Whether some entries are not prepared for a filter."""
        return len(self._all.hay) < len(self._all.entries)

    def _fill(self) -> None:
        self._all.hay += map(haystack, self.entries[len(self._all.hay) :])

    def _admit(self) -> None:
        """Go through all entries anew."""
        wanted, exhibited, run = self.filter, self.exhibited, self._all
        if wanted.words:
            self._fill()
        if wanted.but_text == Filter():
            self._admitted = _Run(list(run.entries), run.hay)
        else:
            has = [wanted.admits(entry, exhibited) for entry in run.entries]
            self._admitted = _Run(list(compress(run.entries, has)), compress(run.hay, has))
        self._found.clear()
        self._match(self._admitted)

    def _match(self, run: _Run) -> None:
        """Show what of `run` has every word."""
        found = run
        for word in self.filter.words:
            found = found.with_word(word)
        same = found is self._admitted
        self._shown = _Run(list(found.entries), found.hay) if same else found
        if len(self._found) >= _KEPT:
            self._found.clear()
        self._found[self.filter.words] = self._shown

    def _replace(self, seq: int, entry: Entry | None) -> None:
        if self._cold:
            self._fill()
            self._admit()
        self._found.clear()
        self._shown.settled()
        before = self._by_seq.pop(seq, None)
        if before is not None:
            for run in (self._all, self._admitted, self._shown):
                run.remove(before)
        if entry is None:
            return
        self._by_seq[seq] = entry
        hay = haystack(entry)
        self._all.insert(entry, hay)
        if self.filter.admits(entry, self.exhibited):
            self._admitted.insert(entry, hay)
            if all(word in hay for word in self.filter.words):
                self._shown.insert(entry, hay)


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
