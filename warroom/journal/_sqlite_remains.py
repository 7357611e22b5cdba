"""What rows that were found in a damaged journal add up to: incidents, and what they lack. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.domain.events import Author, Event, Kind, derived_id, digest
from warroom.journal._sqlite_pages import Pages, Record, index_rows, table_rows
from warroom.journal._sqlite_rows import Row, Unreadable, event_of, reading_of

LOST: Final = Author("warroom", 0)
"""Who stands in for the author of an entry that could not be read."""
_EVENT: Final = (int, int, str, str, str, str, int, str, str, str, str, int, int, str, str)
_READING: Final = (int, int, str, str, str)
_OF_DAY: Final = 100
"""How many numbers of a day are tried for an incident whose id is lost."""


@dataclass
class Remains:
    """Of one incident: its id, the id that its digests cover, and what could be read of it."""

    name: str
    sealed_as: str
    origin: str = ""
    events: dict[int, Event] = field(default_factory=dict)
    known: int = 0
    """How many entries it had at least."""
    readings: list[Row] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """Unless that place is taken, or it has one already: the same row may be in two pages."""
        if event.seq not in self.events and event.id not in self._ids:
            self.events[event.seq] = event
            self._ids.add(event.id)

    def missing(self) -> list[range]:
        """Sequences of which only this much is known: there was an entry."""
        gaps: list[range] = []
        for seq in range(1, self.known + 1):
            if seq in self.events:
                continue
            if gaps and gaps[-1].stop == seq:
                gaps[-1] = range(gaps[-1].start, seq + 1)
            else:
                gaps.append(range(seq, seq + 1))
        return gaps

    def changed(self) -> tuple[int, ...]:
        """Sequences of what was read, but is not as it was written: its digest does not fit."""
        return tuple(seq for seq, event in sorted(self.events.items()) if not _fits(event))

    def whole(self) -> list[Event]:
        """Every entry, with a stand-in for each that is missing: people see in the timeline that
        something is not there, and its empty digest says that nobody sealed it."""
        near = self.events[min(self.events)]
        events: list[Event] = []
        for seq in range(1, self.known + 1):
            near = self.events.get(seq, near)
            events.append(near if near.seq == seq else _stand_in(seq, near))
        return events


def remains(found: Pages) -> list[Remains]:
    """Every incident of which an entry can be read, in the order of opening."""
    rows = list(table_rows(found))
    names = dict(_names(found, rows))
    sequences: defaultdict[int, set[int]] = defaultdict(set)
    readings: defaultdict[int, list[Row]] = defaultdict(list)
    for row in index_rows(found):
        if _is(row, (int, int, int)):
            sequences[_int(row[0])].add(_int(row[1]))
        elif _is(row, _READING) and _can_be_read(row):
            readings[_int(row[0])].append(row)
    current, spare = _by_incident(row for _, row in rows), _by_incident(_spare(found))
    incidents = []
    for number in sorted(current.keys() | spare.keys()):
        candidates, further = current.get(number, []), spare.get(number, [])
        one = names.get(number) or _unnamed(number, [*candidates, *further])
        _fill(one, candidates, further, sequences[number], beyond=not found.whole)
        one.readings = readings[number]
        if one.events:
            incidents.append(one)
    return incidents


def _names(found: Pages, rows: Iterable[tuple[int, Record]]) -> Iterator[tuple[int, Remains]]:
    """By the incident's number: from the index of ids, and better from the incident's own row."""
    for row in index_rows(found):
        if _is(row, (str, int)):
            yield _int(row[1]), Remains(str(row[0]), str(row[0]))
    for number, row in rows:
        if _is(row[:4], (type(None), str, str, int)) and len(row) in (4, 6):
            name, *more = (str(row[at]) for at in (1, *range(4, len(row))))
            origin, sealed_as = more or ("", "")
            yield number, Remains(name, sealed_as or name, origin)


def _by_incident(rows: Iterable[Record]) -> dict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if _is(row, _EVENT):
            found[_int(row[0])].append(row[1:])
    return found


def _spare(found: Pages) -> Iterator[Record]:
    return (row for _, row in table_rows(found, spare=True))


def _fill(
    one: Remains, rows: list[Row], spare: list[Row], sequences: set[int], *, beyond: bool
) -> None:
    """A row that no longer counts is taken for what is missing when its digest fits; `beyond` the
    last entry only when the log lost its end, because it may never have been committed."""
    doubtful: list[Event] = []
    for event in _read(one.sealed_as, rows):
        if _fits(event):
            one.take(event)
        else:
            doubtful.append(event)
    one.known = _claimed(max(one.events, default=0), sequences)
    for event in _read(one.sealed_as, spare):
        if _fits(event) and (beyond or event.seq < one.known):
            one.take(event)
            one.known = max(one.known, event.seq)
    for event in doubtful:
        if event.seq in range(1, one.known + 1):
            one.take(event)


def _claimed(last: int, sequences: Iterable[int]) -> int:
    """The last sequence that indexes speak of after `last`, of which an entry was read. One that
    stands alone far out is damage: half of those before it must be spoken of, too."""
    known = last
    for count, seq in enumerate(sorted(seq for seq in sequences if seq > last), start=1):
        known = seq if seq - last <= 2 * count else known
    return known


def _unnamed(number: int, rows: list[Row]) -> Remains:
    """An incident whose id is lost: the id of its day whose digest fits, if there is one."""
    for row in rows:
        day = str(row[3])[:10]
        for of_day in range(1, _OF_DAY):
            name = f"INC-{day}-{of_day:03d}"
            if any(_fits(event) for event in _read(name, [row])):
                return Remains(name, name)
    name = f"INC-unknown-{number}"
    return Remains(name, name)


def _read(incident: str, rows: Iterable[Row]) -> Iterator[Event]:
    for row in rows:
        try:
            yield event_of(incident, row)
        except Unreadable:
            continue


def _can_be_read(row: Row) -> bool:
    _, second, *rest = row
    try:
        return int(reading_of(tuple(rest)).at.timestamp()) == _int(second)
    except (Unreadable, ValueError, TypeError, AttributeError, OverflowError):
        return False


def _fits(event: Event) -> bool:
    return event.digest == digest(event)


def _stand_in(seq: int, near: Event) -> Event:
    text = f"entry {seq} could not be read from the damaged journal"
    kind = Kind.NOTE if seq > 1 else Kind.OPENED
    name = derived_id(near.at, near.incident, str(seq), "lost")
    return near._replace(
        id=name, seq=seq, author=LOST, kind=kind, text=text, data={"lost": True},
        starred=False, internal=False, previous="", digest="",
    )  # fmt: skip


def _is(row: Record, types: tuple[type, ...]) -> bool:
    return len(row) == len(types) and all(map(isinstance, row, types))


def _int(value: Any) -> int:
    number: int = value
    return number
