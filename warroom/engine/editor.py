"""Edits the timeline: every change is an event, and every change can be taken back.

What one console did is undone in the order in which it was done, by retracting it; redo retracts
that. So whatever others wrote in the meantime stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from warroom.domain.events import Draft, Event, Kind
from warroom.domain.evidence import Evidence
from warroom.domain.text import harmless, shorten
from warroom.domain.timeline import Entry
from warroom.engine.session import Session

Audience = Literal["", "internal", "external"]
STEPS: Final = 200
"""How many changes can be taken back."""
_NAMED: Final = 40
"""Characters of an entry's text that an undo repeats."""


class EditRefused(Exception):
    """The change makes no sense; one plain line."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change in words, and the events that made it."""

    label: str
    seqs: tuple[int, ...]


class Editor:
    """Changes the open incident's timeline. Raises NoIncident and NotSaved like `Session`, and
    EditRefused; nothing is half done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._incident = ""

    async def add(
        self,
        text: str,
        *,
        at: datetime | None = None,
        tags: Sequence[str] = (),
        starred: bool = False,
        audience: Audience = "",
        kind: Kind = Kind.NOTE,
        evidence: Iterable[Evidence] = (),
    ) -> Event:
        """A new entry; `at` is when it happened, if not now."""
        data: dict[str, Any] = {"tags": list(tags)} if tags else {}
        if audience == "external":
            data["audience"] = audience
        if kept := [one.as_data() for one in evidence]:
            data["evidence"] = kept
        event = await self._session.record(
            kind, text, data, at=at, starred=starred, internal=audience == "internal"
        )
        self._did(f"added {_named(text)}", event)
        return event

    async def amend(
        self,
        seq: int,
        *,
        text: str | None = None,
        at: datetime | None = None,
        starred: bool | None = None,
        audience: Audience | None = None,
        tags: Sequence[str] | None = None,
        base: int | None = None,
    ) -> Event:
        """Change what is given. `base` is the version that was looked at (`Projection.base`)."""
        entry = self._entry(seq)
        if text is not None and not text.strip():
            raise EditRefused("an entry without text says nothing: retract it instead")
        data: dict[str, Any] = {"seq": seq}
        data["base"] = self._session.projection.base(seq) if base is None else base
        if at is not None:
            data["at"] = at.isoformat()
        if starred is not None:
            data["starred"] = starred
        more: dict[str, Any] = {}
        if audience is not None:
            data["internal"], more["audience"] = audience == "internal", audience
        if tags is not None:
            more["tags"] = list(tags)
        if more:
            data["data"] = more
        event = await self._session.record(Kind.AMENDED, text or "", data)
        self._did(f"changed {_named(entry.text)}", event)
        return event

    async def retract(self, seq: int, reason: str) -> Event:
        """Take an entry off the timeline; the journal keeps it, and why."""
        entry = self._entry(seq)
        if entry.kind is Kind.OPENED:
            raise EditRefused("the opening stays: its text is the incident's title, edit that")
        event = await self._session.record(Kind.RETRACTED, reason, {"seq": seq})
        self._did(f"retracted {_named(entry.text)}", event)
        return event

    async def merge(self, seqs: Iterable[int]) -> Event:
        """Several entries become the earliest of them, with the texts of all, line by line."""
        entries = sorted((self._entry(seq) for seq in set(seqs)), key=lambda e: (e.at, e.seq))
        if len(entries) < 2:
            raise EditRefused("mark at least two entries to merge")
        first, *others = entries
        if any(entry.kind is Kind.OPENED for entry in others):
            raise EditRefused("the opening stays on its own: nothing earlier can take it in")
        tags = dict.fromkeys(tag for entry in entries for tag in entry.tags)
        before = [seq for entry in entries for seq in _merged(entry)]
        merged = [*before, *(e.seq for e in others)]
        more = {"merged": merged, "tags": list(tags)}
        data = {"seq": first.seq, "base": self._session.projection.base(first.seq), "data": more}
        if any(entry.starred for entry in entries):
            data["starred"] = True
        text = "\n".join(entry.text for entry in entries)
        drafts = [self._session.draft(Kind.AMENDED, text, data)]
        reason = f"merged into {_named(first.text)}"
        drafts += [
            self._session.draft(Kind.RETRACTED, reason, {"seq": e.seq, "into": first.seq})
            for e in others
        ]
        events = await self._session.write(*drafts)
        self._did(f"merged {len(entries)} entries", *events)
        return events[0]

    async def attach(self, seq: int, evidence: Evidence, text: str = "") -> Event:
        """Keep evidence with an entry that is there."""
        entry = self._entry(seq)
        data = {"to": seq, "evidence": [evidence.as_data()]}
        event = await self._session.record(Kind.EVIDENCE, text or evidence.title, data)
        self._did(f"added evidence to {_named(entry.text)}", event)
        return event

    @property
    def can_undo(self) -> str:
        """What would be taken back; empty when nothing is."""
        self._same_incident()
        return self._done[-1].label if self._done else ""

    @property
    def can_redo(self) -> str:
        """What would be done again; empty when nothing is."""
        self._same_incident()
        return self._undone[-1].label if self._undone else ""

    async def undo(self) -> str:
        """Take this console's last change back; what that was, empty when there is none."""
        return await self._turn(self._done, self._undone, "undone")

    async def redo(self) -> str:
        """Do again what was taken back last; what that was, empty when there is nothing."""
        return await self._turn(self._undone, self._done, "done again")

    async def _turn(self, from_: list[Step], to: list[Step], why: str) -> str:
        self._same_incident()
        if not from_:
            return ""
        step = from_[-1]
        text = f"{why}: {step.label}"
        drafts: list[Draft] = [
            self._session.draft(Kind.RETRACTED, text, {"seq": seq}) for seq in step.seqs
        ]
        events = await self._session.write(*drafts)
        from_.pop()
        to.append(Step(step.label, tuple(event.seq for event in events)))
        return step.label

    def _did(self, label: str, *events: Event) -> None:
        self._same_incident()
        self._done = [*self._done, Step(label, tuple(event.seq for event in events))][-STEPS:]
        self._undone.clear()

    def _same_incident(self) -> None:
        """What was done in another incident is not undone in this one."""
        incident = self._session.incident
        name = incident.id if incident else ""
        if name != self._incident:
            self._incident = name
            self._done.clear()
            self._undone.clear()

    def _entry(self, seq: int) -> Entry:
        entry = self._session.projection.entry(seq)
        if entry is None:
            raise EditRefused("that entry is no longer there")
        return entry


def audience_of(entry: Entry) -> Audience:
    """Who an entry is for: empty is everybody inside and, when starred, outside."""
    if entry.internal:
        return "internal"
    return "external" if _said(entry.data) else ""


def _said(data: Mapping[str, Any]) -> bool:
    return data.get("audience") == "external"


def _merged(entry: Entry) -> list[Any]:
    """What an entry had taken in already."""
    said = entry.data.get("merged")
    return said if isinstance(said, list) else []


def _named(text: str) -> str:
    return f'"{shorten(harmless(text), _NAMED)}"'
