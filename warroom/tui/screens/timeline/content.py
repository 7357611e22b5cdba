"""What a form holds, how it is kept as a draft, and what an entry turns into while it is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from warroom.domain.corrections import instant_of
from warroom.domain.events import Kind
from warroom.domain.instants import typed
from warroom.domain.timeline import TAGS, Entry
from warroom.engine.editor import Audience, audience_of

AUDIENCES: Final[Mapping[Audience, str]] = {
    "": "inside",
    "internal": "inside only",
    "external": "outside, too",
}
"""Each audience in words, in the order of the key that changes it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is typed and chosen; `when` as typed, empty for now."""

    text: str = ""
    when: str = ""
    tags: tuple[str, ...] = ()
    audience: Audience = ""
    starred: bool = False

    def toggled(self, tag: str) -> Content:
        """With that tag where it was not, without it else."""
        tags = tuple(t for t in self.tags if t != tag) if tag in self.tags else (*self.tags, tag)
        return replace(self, tags=tags)

    def other_audience(self) -> Content:
        """With the next audience."""
        names = list(AUDIENCES)
        return replace(self, audience=names[(names.index(self.audience) + 1) % len(names)])


def content_of(entry: Entry, zone: ZoneInfo) -> Content:
    """An entry as a form shows it."""
    when = typed(entry.at, zone)
    return Content(entry.text, when, entry.tags, audience_of(entry), entry.starred)


def tags_offered(content: Content) -> tuple[str, ...]:
    """The tags that can be chosen, a team's own that are there already among them."""
    return (*TAGS, *(tag for tag in content.tags if tag not in TAGS))


def imagined(content: Content, at: datetime, author: str, subject: Entry | None) -> Entry:
    """The entry that `content` would be."""
    data: dict[str, Any] = dict(subject.data) if subject else {}
    data |= {"tags": list(content.tags), "audience": content.audience}
    entry = subject or Entry(0, at, author, Kind.NOTE, "")
    return entry._replace(
        at=at,
        text=content.text,
        starred=content.starred,
        internal=content.audience == "internal",
        data=data,
        amended=subject is not None,
        rivals=(),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it lies in its file: what was typed, from which content, on which version."""

    content: Content
    before: Content
    base: int
    at: datetime

    def packed(self) -> str:
        """As text."""
        table = {
            "content": asdict(self.content),
            "before": asdict(self.before),
            "base": self.base,
            "at": self.at.isoformat(),
        }
        return json.dumps(table)


def unpacked(text: str) -> Kept | None:
    """A draft that was kept; None where there is none, or none that can be read."""
    try:
        table = json.loads(text) if text else None
    except ValueError:
        return None
    if not isinstance(table, dict):
        return None
    at = instant_of(table.get("at"))
    if at is None or not isinstance(table.get("base"), int):
        return None
    content, before = _content(table.get("content")), _content(table.get("before"))
    return Kept(content, before, table["base"], at) if content and before else None


def _content(table: object) -> Content | None:
    if not isinstance(table, dict):
        return None
    text, when, audience = table.get("text"), table.get("when"), table.get("audience")
    tags = table.get("tags")
    if not isinstance(text, str) or not isinstance(when, str) or not isinstance(tags, list):
        return None
    chosen: Audience = next((name for name in AUDIENCES if name == audience), "")
    named = tuple(tag for tag in tags if isinstance(tag, str))
    return Content(text, when, named, chosen, bool(table.get("starred")))
