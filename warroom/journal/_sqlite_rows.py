"""Events as rows of a SQLite journal, and back. Pure."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, make_dataclass
from datetime import UTC, datetime
from typing import Any, Final

from warroom.domain.events import Author, Event, Kind, packed, plain
from warroom.domain.readings import Reading

Row = tuple[Any, ...]

_KINDS: Final = {kind.value: kind for kind in Kind}
"""Calling the enum takes several times as long."""
_Open: Any = make_dataclass("_Open", [(each.name, Any) for each in fields(Event)], slots=True)
"""An event that can still be written to: to fill a frozen one takes four times as long."""


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


def events_of(incident: str, rows: Sequence[Row]) -> list[Event]:
    """The same for many rows, several times as fast. Raises Unreadable, not always for what
    `event_of` does: it parses their data as one, and a row that was tampered with may take a part
    of the next for its own, which its digest then tells.

    What neighbours have in common is one object, so that they take less memory.
    """
    try:
        with _uncollected():
            tables = json.loads("[" + ",".join([row[9] for row in rows]) + "]")
            return list(_events(incident, rows, tables))
    except (ValueError, KeyError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _events(incident: str, rows: Sequence[Row], tables: Sequence[Any]) -> Iterator[Event]:
    authors: dict[tuple[str, int, str], Author] = {}
    instant, last = datetime.fromisoformat, ""
    for row, table in zip(rows, tables, strict=True):
        (
            seq, name, at, recorded_at, login, uid, origin, kind, text, _, starred, internal,
            previous, digest,
        ) = row  # fmt: skip
        author = authors.get((login, uid, origin))
        if author is None:
            author = authors[login, uid, origin] = Author(login, uid, origin)
        recorded = instant(recorded_at)
        happened = recorded if at == recorded_at else instant(at)
        if happened.tzinfo is not UTC or recorded.tzinfo is not UTC or type(table) is not dict:
            raise Unreadable("a time that is not in UTC, or data that is no table")
        event = _Open(
            name, incident, seq, happened, recorded, author, _KINDS[kind], text, table,
            starred == 1, internal == 1, last if previous == last else previous, digest,
        )  # fmt: skip
        event.__class__ = Event
        last = digest
        yield event


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
