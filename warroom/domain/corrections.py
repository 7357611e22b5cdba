"""What still holds of what was written down: amendments made, retracted entries taken out.

The journal keeps everything; whoever wants to know how things stand reads the events through
`Corrections` (or `standing`) first. A retraction of a correction takes the correction back, and a
retraction of that brings it again: undo and redo. The opening can be amended (its text is the
incident's title) but not retracted.

An amendment says in `data["base"]` which version its author had seen (its sequence). Of two
people who edit the same version neither has seen the other's: the later one is shown, the other
stays beside it as a rival until somebody who has seen both edits again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warroom.domain.events import CORRECTIONS, Event, Kind, utc


@dataclass(frozen=True, slots=True)
class Version:
    """An entry's text and time as of event `seq`, by whom and when it was written down."""

    seq: int
    author: str
    recorded_at: datetime
    at: datetime
    text: str


class Corrections:
    """Events with what became of each. Takes them by sequence."""

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}
        self._about: dict[int, list[Event]] = {}
        self._entries: dict[int, int] = {}
        self._opening = 0

    def add(self, events: Sequence[Event]) -> tuple[int, ...]:
        """The sequences of the entries that the corrections among `events` are about."""
        self._events.update({event.seq: event for event in events})
        if not self._opening:
            openings = (event.seq for event in events if event.kind is Kind.OPENED)
            self._opening = next(openings, 0)
        about: dict[int, None] = {}
        for event in events:
            if event.kind in CORRECTIONS and (target := target_of(event)) in self._events:
                self._about.setdefault(target, []).append(event)
                entry = self._entries.get(target, 0) if self._is_correction(target) else target
                self._entries[event.seq] = entry
                about[entry] = None
        about.pop(0, None)
        return tuple(about)

    def _is_correction(self, seq: int) -> bool:
        return self._events[seq].kind in CORRECTIONS

    def holds(self, seq: int) -> bool:
        """Whether nothing that holds itself takes event `seq` back."""
        taken_back = False
        if seq in self._about and seq != self._opening:
            above = self._retractions_above(seq)
            gone: set[int] = set()
            for retraction in sorted(above, key=lambda event: -event.seq):
                if retraction.seq not in gone:
                    gone.add(target_of(retraction))
            taken_back = seq in gone
        return not taken_back

    def corrected(self, seq: int) -> Event | None:
        """Entry `seq` with its amendments made; None when it was retracted."""
        event = self._events[seq]
        if seq not in self._about:
            return event
        if not self.holds(seq):
            return None
        for amendment in self._amendments(seq):
            event = _amended(event, amendment)
        return event

    def versions(self, seq: int) -> tuple[Version, ...]:
        """The texts and times that entry `seq` had, as it was written first; the last one holds."""
        event = self._events[seq]
        versions = [_version(event, event)]
        for amendment in self._amendments(seq):
            event = _amended(event, amendment)
            if _rewrites(amendment):
                versions.append(_version(event, amendment))
        return tuple(versions)

    def rivals(self, seq: int) -> tuple[Version, ...]:
        """Versions that the author of what holds now had not seen and that say something else."""
        bases = {a.seq: a.data.get("base") for a in self._amendments(seq)}
        versions = self.versions(seq)
        unseen = 0  # from which of the versions on nobody has seen them
        for number, version in enumerate(versions):
            base = bases.get(version.seq)
            seen = base if isinstance(base, int) else version.seq
            while unseen < number and versions[unseen].seq <= seen:
                unseen += 1
        last = versions[-1]
        return tuple(h for h in versions[unseen:-1] if (h.text, h.at) != (last.text, last.at))

    def base(self, seq: int) -> int:
        """What an amendment of entry `seq` that has seen everything names as its base."""
        return max((a.seq for a in self._amendments(seq)), default=seq)

    def _amendments(self, seq: int) -> list[Event]:
        return [
            event
            for event in self._about.get(seq, ())
            if event.kind is Kind.AMENDED and self.holds(event.seq)
        ]

    def _retractions_above(self, seq: int) -> list[Event]:
        """Retractions of `seq`, and of those, and so on."""
        found: list[Event] = []
        waiting = [seq]
        while waiting:
            for event in self._about.get(waiting.pop(), ()):
                if event.kind is Kind.RETRACTED:
                    found.append(event)
                    waiting.append(event.seq)
        return found


def standing(events: Sequence[Event]) -> list[Event]:
    """`events` (by sequence) as corrected: each with its own sequence and digest, in the order in
    which they were written, without corrections and without what was retracted."""
    if not any(event.kind in CORRECTIONS for event in events):
        return list(events)
    corrections = Corrections()
    corrections.add(events)
    entries: Iterable[Event | None] = (
        corrections.corrected(event.seq) for event in events if event.kind not in CORRECTIONS
    )
    return [event for event in entries if event is not None]


def target_of(event: Event) -> int:
    """The sequence that a correction is about; 0 when it names none."""
    target = event.data.get("seq")
    return target if isinstance(target, int) and 0 < target < event.seq else 0


def instant_of(value: object) -> datetime | None:
    """The UTC instant that an ISO 8601 text names; one without a zone is taken as UTC.

    >>> instant_of("2026-11-21T15:00+01:00")
    datetime.datetime(2026, 11, 21, 14, 0, tzinfo=datetime.timezone.utc)
    >>> instant_of("about three") is None
    True
    """
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        return utc(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except ValueError:
        return None


def _rewrites(amendment: Event) -> bool:
    """Whether it changes what people read, and not only how the entry is marked."""
    return bool(amendment.text) or "at" in amendment.data


def _version(event: Event, written: Event) -> Version:
    return Version(written.seq, written.author.login, written.recorded_at, event.at, event.text)


def _amended(event: Event, amendment: Event) -> Event:
    said = amendment.data
    more = said.get("data")
    data: Mapping[str, Any] = {**event.data, **more} if isinstance(more, Mapping) else event.data
    return event._replace(
        text=amendment.text or event.text,
        at=instant_of(said.get("at")) or event.at,
        starred=bool(said.get("starred", event.starred)),
        internal=bool(said.get("internal", event.internal)),
        data=data,
    )
