"""Events as rows of a SQLite journal, and back. Pure."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from typing import Any, Final, NamedTuple

from warroom.domain.events import Author, Event, Kind, packed, plain
from warroom.domain.readings import Reading

Row = tuple[Any, ...]

_KINDS: Final = {kind.value: kind for kind in Kind}
"""Calling the enum takes several times as long."""

_MADE: Any = tuple.__new__
"""`Event._make` without its call of a function in Python."""


class Unreadable(Exception):
    """A row that is no event."""


def row_of(number: int, event: Event) -> Row:
    """The parameters of `insert_event.sql`; the incident's id stands in its own row."""
    author = event.author
    return (
        number, event.seq, event.id, event.at.isoformat(), event.recorded_at.isoformat(),
        author.login, author.uid, author.origin, event.kind.value, event.text,
        packed(event.data), event.starred, event.internal, event.previous, event.digest,
    )  # fmt: skip


def event_of(incident: str, row: Row) -> Event:
    """The event in a row that begins with the columns of `events_after.sql`; `incident` is the id
    that its digest covers. Raises Unreadable for what no warroom of this version wrote."""
    (
        seq, name, at, recorded_at, login, uid, origin, kind, text, data, starred, internal,
        previous, digest,
    ) = row[:14]  # fmt: skip
    try:
        table = json.loads(data)
        if not isinstance(table, dict):
            raise Unreadable("its data is not a table")
        return Event(
            name, incident, seq, _instant(at), _instant(recorded_at), Author(login, uid, origin),
            Kind(kind), text, table, bool(starred), bool(internal), previous, digest,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


class Columns(NamedTuple):
    """What `columns_after.sql` finds: how many events of an incident, sealed as that id, up to
    which sequence; and their columns, a JSON array each."""

    incident: str
    length: int
    last: int
    arrays: Row

    def events(self) -> list[Event]:
        """Several times as fast as `event_of` for each. Raises Unreadable, not always for what
        that does: what `data` holds beside a table is not looked for.

        What neighbours have in common is one object, so that they take less memory.
        """
        try:
            with _uncollected():
                return _events(self.incident, *map(json.loads, self.arrays))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unreadable(str(error)) from error


def _events(
    incident: str, seqs: list[int], ids: list[str], ats: list[str], recorded_ats: list[str],
    logins: list[str], uids: list[int], origins: list[str], kinds: list[str], texts: list[str],
    tables: list[Any], starred: list[int], internal: list[int], previous: list[str],
    digests: list[str],
) -> list[Event]:  # fmt: skip
    if not all("".join(times).count("+00:00") == len(times) for times in (ats, recorded_ats)):
        raise Unreadable("a time that is not in UTC")
    if {*map(type, tables)} - {dict} or seqs != sorted(seqs):
        raise Unreadable("data that is no table, or entries out of their order")
    happened, recorded = (map(datetime.fromisoformat, times) for times in (ats, recorded_ats))
    if previous[1:] == digests[:-1]:
        previous[1:] = digests[:-1]
    people = list(zip(logins, uids, origins, strict=True))
    authors = {person: Author(*person) for person in set(people)}
    fields = zip(
        ids, repeat(incident), seqs, happened, recorded, map(authors.__getitem__, people),
        map(_KINDS.__getitem__, kinds), texts, tables, map(bool, starred), map(bool, internal),
        previous, digests,
    )  # fmt: skip
    return list(map(_MADE, repeat(Event), fields))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing that is made here is garbage, and looking for it would take as long again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def reading_row(number: int, reading: Reading) -> Row:
    """The parameters of `keep.sql`."""
    second = int(reading.at.timestamp())
    metrics = packed(plain(reading.metrics))
    return number, second, reading.source, reading.at.isoformat(), metrics


def reading_of(row: Row) -> Reading:
    """The figures in a row of `readings.sql`."""
    source, at, metrics = row
    figures = {name: float(value) for name, value in json.loads(metrics).items()}
    return Reading(source, _instant(at), figures)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise Unreadable(f"the time {text} does not say its zone")
    return instant
