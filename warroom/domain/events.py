"""The journal's entries: immutable, ordered, and chained so that a later change is found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


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
    FIELD = "field"
    ACTION_ITEM = "action item"
    AMENDED = "amended"
    RETRACTED = "retracted"
    EXPORTED = "exported"


MACHINE_KINDS: Final = frozenset({Kind.HEALTH, Kind.FINDING, Kind.RECOVERED})
"""What warroom writes by itself; people may hide it."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who: the login name, its uid, and where the SSH session came from, if it is one."""

    login: str
    uid: int
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is about to be appended; the journal gives it an id, a sequence and a time of record.

    `at` is when it happened, which may be earlier than when it was written down.
    """

    kind: Kind
    at: datetime
    author: Author
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    starred: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One stored entry. `seq` counts from 1 within its incident; `digest` covers it and, through
    `previous`, every entry before it."""

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
    """The event that `draft` becomes, its digest computed."""
    event = Event(
        id=event_id,
        incident=incident,
        seq=seq,
        at=draft.at,
        recorded_at=recorded_at,
        author=draft.author,
        kind=draft.kind,
        text=draft.text,
        data=draft.data,
        starred=draft.starred,
        internal=draft.internal,
        previous=previous,
        digest="",
    )
    return replace(event, digest=digest(event))


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
    packed = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()


def event_id(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): sorts by the millisecond it was made in."""
    millis = int(now.timestamp() * 1000)
    bits = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | 0b10 << 62
    bits |= (int.from_bytes(os.urandom(2), "big") & 0xFFF) << 64
    bits |= int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
