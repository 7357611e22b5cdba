"""Events as rows of a SQLite journal, and back. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from warroom.domain.events import Author, Event, Kind, packed, plain
from warroom.domain.readings import Reading

Row = tuple[Any, ...]


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
    """The events in many rows. Raises Unreadable."""
    return [event_of(incident, row) for row in rows]


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
