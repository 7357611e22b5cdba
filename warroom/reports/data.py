"""An incident as data: JSON with everything in it, CSV for a spreadsheet.

JSON: `{"version": 1, "exported": {"by", "host", "at"}, "incident", "durations",
"time_in_severity", "time_in_status", "timeline", "evidence", "readings", "events"}`, described in
docs/EXPORT.md. `events` are what the journal holds, with their digests, so that the file can be
imported and checked; `readings` are figures kept around the incident, by source; the rest follows
from the events and is there for those who only read. Instants are ISO 8601 in UTC, durations
seconds. Entries, events and readings stand in a line each: so two exports can be compared.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from warroom.domain.events import Author, Event, Kind, broken, plain, utc
from warroom.domain.evidence import Exhibit
from warroom.domain.incident import Incident
from warroom.domain.readings import Reading
from warroom.domain.text import harmless, shorten
from warroom.domain.timeline import Entry, Timeline
from warroom.reports.errors import BadExport

T = TypeVar("T")

VERSION: Final = 1
COLUMNS: Final = (
    "seq", "at", "author", "machine", "kind", "starred", "internal", "edited", "text",
)  # fmt: skip
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
    took = timeline.durations
    known = _known(events)
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
    lists = {
        "timeline": (_entry(entry, known) for entry in timeline.entries),
        "evidence": map(_exhibit, timeline.exhibits),
        "readings": map(_reading, readings),
        "events": (_event(event, known) for event in events),
    }
    written = json.dumps(head, ensure_ascii=False, indent=2, allow_nan=False).removesuffix("\n}")
    parts = [f'  "{name}": {_lines(members)}' for name, members in lists.items()]
    parts[-1] += "\n}\n"
    return ",\n".join([written, *parts])


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


def _lines(members: Iterable[str]) -> str:
    """A list with a member a line; far quicker than what the library can indent."""
    inner = ",\n    ".join(members)
    return f"[\n    {inner}\n  ]" if inner else "[]"


_packed: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_text: Final = json.encoder.encode_basestring
"""A text as JSON. Entries and events are put together from such pieces: the library takes three
times as long for them, and there may be a hundred thousand."""
_BOOL: Final = {False: "false", True: "true"}


def _plainly(error: Exception) -> str:
    return shorten(harmless(str(error) or type(error).__name__), 200)


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
        writer.writerow(_row(entry))
    return sheet.getvalue()


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.seq, entry.at.isoformat(), cell(entry.author), _YES[entry.by_machine], entry.kind,
        _YES[entry.starred], _YES[entry.internal], _YES[entry.amended], cell(entry.text),
    )  # fmt: skip


_YES: Final = {False: "no", True: "yes"}


def cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula."""
    text = harmless(text, lines=True)
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
        "hypotheses": [
            {"text": one.text, "state": one.state.value, "reason": one.reason}
            for one in incident.hypotheses
        ],
    }


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _known(events: Iterable[Event]) -> Mapping[int, str]:
    """What events and entries have in common, as JSON, by its identity."""
    known: dict[int, str] = {}
    for event in events:
        known[id(event.at)] = event.at.isoformat()
        known[id(event.data)] = _packed(event.data)
        who = event.author
        if id(who) not in known:
            login, origin = _text(who.login), _text(who.origin)
            known[id(who)] = f'{{"login": {login}, "uid": {who.uid}, "origin": {origin}}}'
    return known


def _entry(entry: Entry, known: Mapping[int, str]) -> str:
    data, packed = entry.data, known.get(id(entry.data))
    if packed is None or "evidence" in data:
        packed = _packed({name: value for name, value in data.items() if name != "evidence"})
    at = known.get(id(entry.at)) or entry.at.isoformat()
    return (
        f'{{"seq": {entry.seq}, "at": "{at}", "author": {_text(entry.author)},'
        f' "kind": "{entry.kind}", "text": {_text(entry.text)}, "starred": {_BOOL[entry.starred]},'
        f' "internal": {_BOOL[entry.internal]}, "edited": {_BOOL[entry.amended]},'
        f' "data": {packed}}}'
    )


def _exhibit(exhibit: Exhibit) -> str:
    """Where it is found: its text stands in the event that kept it."""
    held = exhibit.evidence
    return _packed(
        {
            "label": exhibit.label,
            "entry": exhibit.entry,
            "kind": held.kind.value,
            "title": held.title,
            "source": held.source,
        }
    )


def _reading(reading: Reading) -> str:
    figures = {name: value for name, value in reading.metrics.items() if math.isfinite(value)}
    return _packed({"source": reading.source, "at": reading.at.isoformat(), "metrics": figures})


def _reading_of(table: Mapping[str, Any]) -> Reading:
    metrics = {str(name): float(value) for name, value in table["metrics"].items()}
    if not all(map(math.isfinite, metrics.values())):
        raise ValueError("a reading that is no number")
    return Reading(_text_of(table["source"]), _instant_of(table["at"]), metrics)


def _origin_of(table: Mapping[str, Any]) -> Origin:
    by, host, at = (harmless(str(table.get(name, ""))) for name in ("by", "host", "at"))
    return Origin(shorten(by, 100), shorten(host, 100), shorten(at, 40))


def _event(event: Event, known: Mapping[int, str]) -> str:
    return (
        f'{{"id": {_text(event.id)}, "incident": {_text(event.incident)}, "seq": {event.seq},'
        f' "at": "{known[id(event.at)]}", "recorded_at": "{event.recorded_at.isoformat()}",'
        f' "author": {known[id(event.author)]}, "kind": "{event.kind}",'
        f' "text": {_text(event.text)}, "data": {known[id(event.data)]},'
        f' "starred": {_BOOL[event.starred]}, "internal": {_BOOL[event.internal]},'
        f' "previous": {_text(event.previous)}, "digest": {_text(event.digest)}}}'
    )


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
