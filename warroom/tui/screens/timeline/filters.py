"""What of the timeline is shown: pure, and quick enough for every key of a filter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from warroom.domain.events import Kind
from warroom.domain.incident import FIELDS
from warroom.domain.timeline import Entry

MACHINE: Final = "warroom"
"""Who wrote what nobody wrote."""


def author_of(entry: Entry) -> str:
    """Whose entry it is, as it is shown."""
    return MACHINE if entry.by_machine else entry.author


def haystack(entry: Entry) -> str:
    """Where a filter's words are looked for."""
    tags = " ".join(f"#{tag}" for tag in entry.tags) if "tags" in entry.data else ""
    field = FIELDS.get(str(entry.data.get("field")), "") if entry.kind is Kind.FIELD else ""
    return f"{author_of(entry)}\n{entry.kind}\n{field}\n{entry.text}\n{tags}".casefold()


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition as it is shown; `id` takes it away."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that an entry has to meet, all of them; of several kinds, authors or tags one.

    Every word of `text` has to be somewhere in the entry, in any case. `quiet` hides what warroom
    wrote by itself, unless somebody starred it.
    """

    text: str = ""
    kinds: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    starred: bool = False
    evidence: bool = False
    rivals: bool = False
    quiet: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.text.casefold().split())

    @property
    def but_text(self) -> Filter:
        """The conditions other than the text."""
        return replace(self, text="")

    def admits(self, entry: Entry, exhibited: Collection[int]) -> bool:
        """Whether the entry meets every condition but the text."""
        return not (
            (self.quiet and entry.noise)
            or (self.starred and not entry.starred)
            or (self.kinds and entry.kind.value not in self.kinds)
            or (self.authors and author_of(entry) not in self.authors)
            or (self.tags and self.tags.isdisjoint(entry.tags))
            or (self.evidence and entry.seq not in exhibited)
            or (self.rivals and not entry.rivals)
        )

    def refines(self, other: Filter) -> bool:
        """Whether `other` lets everything through that this does, by their texts."""
        narrower = all(any(old in new for new in self.words) for old in other.words)
        return narrower and self.but_text == other.but_text

    def toggled(self, chip: str) -> Filter:
        """With the condition `chip` ("kind:note", "starred") where it was not, without it else."""
        field, _, value = chip.partition(":")
        if field == "text":
            return replace(self, text="")
        had = getattr(self, field)
        now: Any = had ^ {value} if value else not had
        return replace(self, **{field: now})

    def chips(self) -> tuple[Chip, ...]:
        """The conditions, in the order in which they are shown."""
        made = [Chip("text", f"/{self.text}")] if self.text else []
        for field, before in (("kinds", ""), ("authors", "by "), ("tags", "#")):
            values: frozenset[str] = getattr(self, field)
            made += [Chip(f"{field}:{value}", before + value) for value in sorted(values)]
        for field, label in _FLAGS.items():
            if getattr(self, field):
                made.append(Chip(field, label))
        return tuple(made)


_FLAGS: Final = {
    "starred": "starred",
    "evidence": "with evidence",
    "rivals": "two versions",
    "quiet": "no machine noise",
}
FLAGS: Final = tuple(Chip(field, label) for field, label in _FLAGS.items())
"""The conditions that have no value."""
KINDS: Final = tuple(kind.value for kind in Kind)
