"""An incident as data: JSON with everything in it, CSV for a spreadsheet.

JSON: `{"version": 1, "incident", "durations", "time_in_severity", "time_in_status", "timeline",
"events"}`. `events` are what the journal holds, with their digests, so that the file can be
imported and checked; the rest follows from them and is there for those who only read. Instants
are ISO 8601 in UTC, durations seconds.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from warroom.domain.events import Author, Event, Kind, broken
from warroom.domain.incident import Incident
from warroom.domain.text import harmless
from warroom.domain.timeline import Entry, Timeline
from warroom.reports.errors import BadExport

VERSION: Final = 1
COLUMNS: Final = (
    "seq", "at", "author", "machine", "kind", "starred", "internal", "edited", "text",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'")


def to_json(events: Sequence[Event], timeline: Timeline) -> str:
    """The whole incident, indented by two."""
    took = timeline.durations
    document = {
        "version": VERSION,
        "incident": _incident(timeline.incident),
        "durations": {
            "detect": took.detect,
            "acknowledge": took.acknowledge,
            "mitigate": took.mitigate,
            "resolve": took.resolve,
            "total": took.total,
        },
        "time_in_severity": dict(timeline.time_in_severity),
        "time_in_status": {s.value: seconds for s, seconds in timeline.time_in_status.items()},
        "timeline": [_entry(entry) for entry in timeline.entries],
        "events": [_event(event) for event in events],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> tuple[Event, ...]:
    """The events of an export, their chain checked. Raises BadExport."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise BadExport(f"an export of version {document['version']!r}; known: {VERSION}")
        events = tuple(_event_of(table) for table in document["events"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise BadExport(f"not an export of an incident: {harmless(str(error))}") from error
    fault = broken(events)
    if fault:
        raise BadExport(f"the export was changed: entry {fault} does not fit the one before it")
    return events


def to_csv(timeline: Timeline) -> str:
    """The timeline as RFC 4180 says (CRLF, quotes doubled), a header first.

    A cell that a spreadsheet would take for a formula (it begins with = + - @ or their full-width
    forms) gets an apostrophe in front, as OWASP's "CSV injection" advises, and so does one that
    begins with an apostrophe: take one off to have the text as it was.
    """
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in timeline.entries:
        writer.writerow([_cell(value) for value in _row(entry)])
    return sheet.getvalue()


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.seq, entry.at.isoformat(), entry.author, entry.by_machine, entry.kind.value,
        entry.starred, entry.internal, entry.amended, entry.text,
    )  # fmt: skip


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = harmless(str(value), lines=True)
    return "'" + text if text.startswith(_FORMULA) else text


def _incident(incident: Incident) -> Mapping[str, Any]:
    return {
        "id": incident.id,
        "title": incident.title,
        "scheme": incident.scheme,
        "severity": incident.severity,
        "status": incident.status.value,
        "opened_at": incident.opened_at.isoformat(),
        "acknowledged_at": _instant(incident.acknowledged_at),
        "mitigated_at": _instant(incident.mitigated_at),
        "resolved_at": _instant(incident.resolved_at),
        "closed_at": _instant(incident.closed_at),
        "roles": {role.value: list(names) for role, names in incident.roles.items()},
        "fields": dict(incident.fields),
        "ticked": sorted(incident.ticked),
        "action_items": [
            {"text": item.text, "owner": item.owner, "due": item.due, "done": item.done}
            for item in incident.action_items
        ],
    }


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _entry(entry: Entry) -> Mapping[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "author": entry.author,
        "kind": entry.kind.value,
        "text": entry.text,
        "starred": entry.starred,
        "internal": entry.internal,
        "edited": entry.amended,
        "data": entry.data,
    }


def _event(event: Event) -> Mapping[str, Any]:
    author = event.author
    return {
        "id": event.id,
        "incident": event.incident,
        "seq": event.seq,
        "at": event.at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "author": {"login": author.login, "uid": author.uid, "origin": author.origin},
        "kind": event.kind.value,
        "text": event.text,
        "data": event.data,
        "starred": event.starred,
        "internal": event.internal,
        "previous": event.previous,
        "digest": event.digest,
    }


def _event_of(table: Mapping[str, Any]) -> Event:
    author = table["author"]
    return Event(
        id=table["id"],
        incident=table["incident"],
        seq=table["seq"],
        at=datetime.fromisoformat(table["at"]),
        recorded_at=datetime.fromisoformat(table["recorded_at"]),
        author=Author(author["login"], author["uid"], author["origin"]),
        kind=Kind(table["kind"]),
        text=table["text"],
        data=table["data"],
        starred=table["starred"],
        internal=table["internal"],
        previous=table["previous"],
        digest=table["digest"],
    )
