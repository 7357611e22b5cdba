"""An incident as data: JSON with everything in it, CSV for a spreadsheet.

JSON: `{"version": 1, "exported": {"by", "host", "at"}, "incident", "durations",
"time_in_severity", "time_in_status", "timeline", "evidence", "readings", "events"}`, described in
docs/EXPORT.md. `events` are what the journal holds, with their digests, so that the file can be
imported and checked; `readings` are figures kept around the incident, by source; the rest follows
from the events and is there for those who only read. Instants are ISO 8601 in UTC, durations
seconds. Entries, events and readings stand in a line each: so two exports can be compared.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

import orjson

from warroom.domain.events import MACHINE_KINDS, Author, Event, Kind, broken, plain, utc
from warroom.domain.evidence import Exhibit
from warroom.domain.incident import Incident
from warroom.domain.readings import Reading
from warroom.domain.text import harmless, shorten
from warroom.domain.timeline import Entry, Timeline
from warroom.reports.errors import BadExport
from warroom.reports.times import iso
from warroom.reports.write import encoded

T = TypeVar("T")

VERSION: Final = 1
COLUMNS: Final = (
    "seq", "at", "author", "machine", "kind", "starred", "internal", "edited", "text",
)  # fmt: skip
_AT_ONCE: Final = 500
"""Members of a list, or rows, that are packed before they are written: some 200 KiB."""
_QUOTE: Final = '"'
_SEPARATES: Final = re.compile('[,"\r\n]')
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who exported an incident, on which machine, and when."""

    by: str = ""
    host: str = ""
    at: str = ""


NOBODY: Final = Origin()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export brings back: events whose chain holds, and the figures kept around them."""

    events: tuple[Event, ...]
    readings: tuple[Reading, ...] = ()
    origin: Origin = NOBODY


def to_json(
    events: Sequence[Event],
    timeline: Timeline,
    readings: Sequence[Reading] = (),
    origin: Origin = NOBODY,
) -> str:
    """The whole incident."""
    return b"".join(json_pieces(events, timeline, readings, origin)).decode()


def json_pieces(
    events: Sequence[Event],
    timeline: Timeline,
    readings: Sequence[Reading] = (),
    origin: Origin = NOBODY,
) -> Iterator[bytes]:
    """The same in UTF-8, piece by piece: a hundred thousand events are 80 MB, and memory that is
    used again while it is warm takes a third of the time."""
    took = timeline.durations
    head = {
        "version": VERSION,
        "exported": {"by": origin.by, "host": origin.host, "at": origin.at},
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
    }
    written = json.dumps(head, ensure_ascii=False, indent=2, allow_nan=False).removesuffix("\n}")
    yield written.encode()
    lists: tuple[tuple[str, Iterable[Mapping[str, Any]]], ...] = (
        ("timeline", map(_entry, timeline.entries)),
        ("evidence", map(_exhibit, timeline.exhibits)),
        ("readings", map(_reading, readings)),
        ("events", map(_event, events)),
    )
    for name, members in lists:
        yield f',\n  "{name}": ['.encode()
        yield from _lines(members)
        yield b"]"
    yield b"\n}\n"


def from_json(text: str) -> Exported:
    """What an export holds, its chain checked. Raises BadExport."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            said = shorten(harmless(repr(document["version"])), 40)
            raise BadExport(f"an export of version {said}; known: {VERSION}")
        events = tuple(_event_of(table) for table in document["events"])
        readings = tuple(_reading_of(table) for table in document.get("readings", ()))
        origin = _origin_of(document.get("exported", {}))
        fault = broken(events)
    except (
        AttributeError,
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise BadExport(f"not an export of an incident: {_plainly(error)}") from error
    if fault:
        raise BadExport(f"the export was changed: entry {fault} does not fit the one before it")
    if not events or events[0].kind is not Kind.OPENED:
        raise BadExport("not an export of an incident: it does not begin with an opening")
    return Exported(events, readings, origin)


def _lines(members: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The members of a list, one a line, some hundreds at a time."""
    rest, before = iter(members), b"\n    "
    while some := b",\n    ".join(map(_packed, islice(rest, _AT_ONCE))):
        yield before + some
        before = b",\n    "
    yield b"\n  " if before.startswith(b",") else b""


def _packed(table: Mapping[str, Any]) -> bytes:
    """A table as JSON, several times as fast as the standard library has it; that is for whole
    numbers of more than 64 bits, which nothing else takes."""
    try:
        return orjson.dumps(table)
    except TypeError:
        written = json.dumps(
            table, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_written
        )
        return written.encode()


def _written(value: datetime) -> str:
    return value.isoformat()


def _plainly(error: Exception) -> str:
    return shorten(harmless(str(error) or type(error).__name__), 200)


def to_csv(timeline: Timeline) -> str:
    """The timeline as a table, see `csv_pieces`."""
    return b"".join(csv_pieces(timeline)).decode()


def csv_pieces(timeline: Timeline) -> Iterator[bytes]:
    """The timeline in UTF-8, piece by piece, as RFC 4180 says: CRLF, quotes doubled, a header.

    A cell that a spreadsheet would take for a formula (it begins with = + - @ or their full-width
    forms) gets an apostrophe in front, as OWASP's "CSV injection" advises, and so does one that
    begins with an apostrophe: take one off to have the text as it was.
    """
    yield f"{','.join(COLUMNS)}\r\n".encode()
    entries, authors = iter(timeline.entries), {}
    while some := list(islice(entries, _AT_ONCE)):
        authors.update({e.author: quoted(cell(e.author)) for e in some if e.author not in authors})
        yield encoded("".join(_rows(some, authors)))


def _rows(entries: Sequence[Entry], authors: Mapping[str, str]) -> Iterator[str]:
    """Entries as rows, in a third of the time that the standard library takes. `authors` are
    their cells: few people write many entries."""
    instants = iso([entry.at for entry in entries])
    for entry, at in zip(entries, instants, strict=True):
        seq, _, author, kind, text, starred, internal, _, amended, _ = entry
        yield (
            f"{seq},{at},{authors[author]},{_YES[kind in MACHINE_KINDS]},{kind.value},"
            f"{_YES[starred]},{_YES[internal]},{_YES[amended]},{quoted(cell(text))}\r\n"
        )


_YES: Final = {False: "no", True: "yes"}


def cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula."""
    text = harmless(text, lines=True)
    return "'" + text if text.startswith(_FORMULA) else text


def quoted(text: str) -> str:
    """A cell as RFC 4180 writes it.

    >>> quoted('a "long" wait'), quoted("a long wait")
    ('"a ""long"" wait"', 'a long wait')
    """
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SEPARATES.search(text) else text


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
        "hypotheses": [
            {"text": one.text, "state": one.state.value, "reason": one.reason}
            for one in incident.hypotheses
        ],
    }


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _entry(entry: Entry) -> Mapping[str, Any]:
    data = entry.data
    if "evidence" in data:
        data = {name: value for name, value in data.items() if name != "evidence"}
    return {
        "seq": entry.seq,
        "at": entry.at,
        "author": entry.author,
        "kind": entry.kind,
        "text": entry.text,
        "starred": entry.starred,
        "internal": entry.internal,
        "edited": entry.amended,
        "data": data,
    }


def _exhibit(exhibit: Exhibit) -> Mapping[str, Any]:
    """Where it is found: its text stands in the event that kept it."""
    held = exhibit.evidence
    return {
        "label": exhibit.label,
        "entry": exhibit.entry,
        "kind": held.kind.value,
        "title": held.title,
        "source": held.source,
    }


def _reading(reading: Reading) -> Mapping[str, Any]:
    figures = {name: value for name, value in reading.metrics.items() if math.isfinite(value)}
    return {"source": reading.source, "at": reading.at, "metrics": figures}


def _reading_of(table: Mapping[str, Any]) -> Reading:
    metrics = {str(name): float(value) for name, value in table["metrics"].items()}
    if not all(map(math.isfinite, metrics.values())):
        raise ValueError("a reading that is no number")
    return Reading(_text_of(table["source"]), _instant_of(table["at"]), metrics)


def _origin_of(table: Mapping[str, Any]) -> Origin:
    by, host, at = (harmless(str(table.get(name, ""))) for name in ("by", "host", "at"))
    return Origin(shorten(by, 100), shorten(host, 100), shorten(at, 40))


def _event(event: Event) -> Mapping[str, Any]:
    author = event.author
    return {
        "id": event.id,
        "incident": event.incident,
        "seq": event.seq,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "author": {"login": author.login, "uid": author.uid, "origin": author.origin},
        "kind": event.kind,
        "text": event.text,
        "data": event.data,
        "starred": event.starred,
        "internal": event.internal,
        "previous": event.previous,
        "digest": event.digest,
    }


def _event_of(table: Mapping[str, Any]) -> Event:
    """An event whose every field is of its type: a digest proves that nothing was changed since,
    not that it was right before."""
    author = table["author"]
    return Event(
        id=_text_of(table["id"]),
        incident=_text_of(table["incident"]),
        seq=_of(int, table["seq"]),
        at=_instant_of(table["at"]),
        recorded_at=_instant_of(table["recorded_at"]),
        author=Author(
            _text_of(author["login"]), _of(int, author["uid"]), _text_of(author["origin"])
        ),
        kind=Kind(table["kind"]),
        text=_text_of(table["text"]),
        data=_data_of(table["data"]),
        starred=_of(bool, table["starred"]),
        internal=_of(bool, table["internal"]),
        previous=_text_of(table["previous"]),
        digest=_text_of(table["digest"]),
    )


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _text_of(value: object) -> str:
    text = _of(str, value)
    text.encode()  # a lone surrogate, which no store can hold, is a ValueError here
    return text


def _instant_of(value: object) -> datetime:
    instant = utc(datetime.fromisoformat(_text_of(value)))
    if instant.isoformat() != value:
        raise ValueError("an instant that is not written in UTC as ISO 8601 has it")
    return instant


def _data_of(value: object) -> Mapping[str, Any]:
    """Data such as an event is sealed with: not too deep, no figure that is no number."""
    table = _of(dict, value)
    if table and plain(table) != table:
        raise ValueError("data such as no event has")
    return table
