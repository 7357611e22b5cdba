"""The journal's entries: immutable, ordered, and chained so that a later change is found."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple


class Kind(StrEnum):
    """What an event says happened."""

    OPENED = "opened"
    NOTE = "note"
    SEVERITY = "severity"
    STATUS = "status"
    ROLE = "role"
    HEALTH = "health"
    FINDING = "finding"
    RECOVERED = "recovered"
    CHECKLIST = "checklist"
    EVIDENCE = "evidence"
    REQUESTED = "mitigation requested"
    OUTCOME = "mitigation outcome"
    EFFECT = "mitigation effect"
    REFUSED = "mitigation refused"
    VERIFIED = "mitigation verified"
    APPROVAL = "approval"
    LOCK = "lock"
    FIELD = "field"
    ACTION_ITEM = "action item"
    HYPOTHESIS = "hypothesis"
    UPDATE = "update"
    STEP = "step"
    OVERDUE = "overdue"
    SNOOZED = "snoozed"
    AMENDED = "amended"
    RETRACTED = "retracted"
    EXPORTED = "exported"

    __hash__ = str.__hash__  # of an Enum it is a function in Python: sets of kinds are asked a lot


NOISE: Final = frozenset({Kind.HEALTH, Kind.FINDING, Kind.RECOVERED})
"""What people may hide of what warroom writes by itself."""

MACHINE_KINDS: Final = NOISE | {Kind.OVERDUE}
"""What warroom writes by itself."""

CORRECTIONS: Final = frozenset({Kind.AMENDED, Kind.RETRACTED})
"""Events about an earlier event, whose sequence is their `data["seq"]`.

`amended` replaces the text (an empty one keeps it) and, from its data, `at` (ISO 8601),
`starred`, `internal`, and the keys of `data`. `retracted` takes an entry back; its text is why.
"""

DEPTH: Final = 32
"""How deep the data of an event may be nested."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who: the login name, its uid, and where the SSH session came from, if it is one."""

    login: str
    uid: int
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is about to be appended; the journal gives it a sequence and a time of record, and an
    id when it has none.

    `at` is when it happened, which may be earlier than when it was written down. A draft with an
    `id` may be appended any number of times, by any number of consoles, and is stored once: after
    a lost answer nobody knows whether it is there, and several consoles see the same deadline pass.
    """

    kind: Kind
    at: datetime
    author: Author
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    starred: bool = False
    internal: bool = False
    id: str = ""


class Event(NamedTuple):
    """One stored entry. `seq` counts from 1 within its incident; `digest` covers it and, through
    `previous` (empty for the first), every entry before it. Both times are in UTC."""

    id: str
    incident: str
    seq: int
    at: datetime
    recorded_at: datetime
    author: Author
    kind: Kind
    text: str
    data: Mapping[str, Any]
    starred: bool
    internal: bool
    previous: str
    digest: str


def seal(
    event_id: str, incident: str, seq: int, recorded_at: datetime, draft: Draft, previous: str
) -> Event:
    """The event that `draft` becomes: its digest computed, its values such as every store gives
    back unchanged (see `plain`), its times in UTC.

    Raises TypeError or ValueError for a time without a zone and for data that JSON cannot hold.
    """
    event = Event(
        id=event_id,
        incident=incident,
        seq=seq,
        at=utc(draft.at),
        recorded_at=utc(recorded_at),
        author=Author(_text(draft.author.login), draft.author.uid, _text(draft.author.origin)),
        kind=draft.kind,
        text=_text(draft.text),
        data=_table(draft.data, DEPTH),
        starred=draft.starred,
        internal=draft.internal,
        previous=previous,
        digest="",
    )
    return event._replace(digest=digest(event))


def digest(event: Event) -> str:
    """SHA-256 (hex) over every field but the digest, the previous digest among them."""
    parts = [
        event.id,
        event.incident,
        event.seq,
        event.at.isoformat(),
        event.recorded_at.isoformat(),
        event.author.login,
        event.author.uid,
        event.author.origin,
        event.kind.value,
        event.text,
        event.data,
        event.starred,
        event.internal,
        event.previous,
    ]
    return hashlib.sha256(packed(parts).encode("utf-8", "surrogatepass")).hexdigest()


def packed(value: object) -> str:
    """The one JSON text of a plain value: keys sorted, no spaces, not escaped beyond need."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def broken(events: Iterable[Event], after: Event | None = None) -> int:
    """The first sequence, counted from 1, at which the chain does not hold; 0 when it holds.

    `events` begin with the first, or with the one that follows `after`. A chain that was cut at
    its end holds: what is not there has nothing to be compared with.
    """
    previous = after.digest if after else ""
    for seq, event in enumerate(events, start=after.seq + 1 if after else 1):
        if event.seq != seq or event.previous != previous or event.digest != digest(event):
            return seq
        previous = event.digest
    return 0


def utc(instant: datetime) -> datetime:
    """`instant` in UTC. Raises ValueError when it does not say its zone, and for the first and
    last years of the calendar: at its ends there is no local time and no deadline."""
    if instant.tzinfo is None:
        raise ValueError(f"the time {instant.isoformat()} does not say its zone")
    if not MINYEAR + 1 < instant.year < MAXYEAR - 1:
        raise ValueError(f"the year {instant.year} is too near the end of the calendar")
    return instant.astimezone(UTC)


def plain(value: object, depth: int = DEPTH) -> Any:
    """`value` as JSON gives it back: tables, lists, texts, numbers, booleans, None.

    Figures that are no numbers become words, because JSON has none for them, and the record of
    what was done must not fail for a figure that went with it. Raises TypeError for anything else.

    >>> plain({"state": Kind.NOTE, 1: (2.5, float("nan"))})
    {'1': [2.5, 'nan'], 'state': 'note'}
    """
    if depth < 0:
        raise ValueError(f"data is nested more than {DEPTH} deep")
    match value:
        case Enum():
            return plain(value.value, depth)
        case str():
            return _text(value)
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return _table(value, depth)
        case list() | tuple():
            return [plain(item, depth - 1) for item in value]
        case set() | frozenset():
            return sorted((plain(item, depth - 1) for item in value), key=packed)
        case _:
            raise TypeError(f"data of type {type(value).__name__} cannot be stored")


def _table(table: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    named = {_text(str(key)): plain(value, depth - 1) for key, value in table.items()}
    return dict(sorted(named.items()))


_UNSTORABLE: Final = {0: "\ufffd"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def _text(text: str) -> str:
    """`text` without NUL and lone surrogates, which no store can hold."""
    text = str(text)
    return text if text.isprintable() else text.translate(_UNSTORABLE)


def event_id(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): sorts by the millisecond it was made in.

    >>> event_id(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))[:15]
    '017f22e2-79b0-7'
    """
    return _uuid7(now, os.urandom(10))


def derived_id(instant: datetime, *parts: str) -> str:
    """The id of what follows from `parts` at `instant`: the same for everybody who works it out.

    >>> begin = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    >>> derived_id(begin, "INC-1", "response") == derived_id(begin, "INC-1", "response")
    True
    """
    return _uuid7(instant, hashlib.sha256(packed(parts).encode()).digest()[:10])


def _uuid7(instant: datetime, rest: bytes) -> str:
    millis = int(instant.timestamp() * 1000)
    bits = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | 0b10 << 62
    bits |= (int.from_bytes(rest[:2], "big") & 0xFFF) << 64
    bits |= int.from_bytes(rest[2:], "big") & (1 << 62) - 1
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
