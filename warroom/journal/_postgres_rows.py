"""Events as rows of `warroom.event`, and back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from warroom.domain.events import Author, Event, Kind, packed
from warroom.domain.readings import Reading


class Unreadable(Exception):
    """A row that is no event."""


def row_of(number: int, event: Event) -> tuple[Any, ...]:
    """The parameters of `insert_event.sql`."""
    author = event.author
    return (
        number, event.seq, event.id, event.at, event.recorded_at,
        author.login, author.uid, author.origin, event.kind.value, event.text,
        packed(event.data), event.starred, event.internal, event.previous, event.digest,
    )  # fmt: skip


def event_of(row: Mapping[str, Any]) -> Event:
    """The event in a row. Raises Unreadable for what no warroom of this version wrote."""
    try:
        data = json.loads(row["data"])
        if not isinstance(data, dict):
            raise Unreadable("its data is not a table")
        return Event(
            row["id"], row["name"], row["seq"], instant_of(row["at"]),
            instant_of(row["recorded_at"]), Author(row["login"], row["uid"], row["origin"]),
            Kind(row["kind"]), row["text"], data, row["starred"], row["internal"],
            row["previous"], row["digest"],
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def reading_of(row: Mapping[str, Any]) -> Reading:
    """The figures in a row. Raises Unreadable for what no warroom wrote."""
    try:
        metrics = {name: float(value) for name, value in json.loads(row["metrics"]).items()}
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise Unreadable(f"{row['source']}: {error}") from error
    return Reading(row["source"], instant_of(row["at"]), metrics)


def instant_of(value: datetime) -> datetime:
    """In UTC; the last microsecond of the year 9999 comes without a zone, as PostgreSQL's
    `infinity` does in asyncpg."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
