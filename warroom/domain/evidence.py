"""Evidence: what was on the screen, in a log or in a metric's course, kept with an event.

An event carries it in `data["evidence"]`, a list of tables as `Evidence.as_data` gives them. An
event of kind EVIDENCE with `data["to"]` is no entry of its own: what it carries belongs to the
entry of that sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from warroom.domain.corrections import instant_of

Span = tuple[str, str]
"""A text and the names of its styles, separated by spaces; empty is plain."""

TEXT_LIMIT: Final = 1024 * 1024
"""Characters of one piece of evidence; what is cut says so."""


class EvidenceKind(StrEnum):
    """What was kept."""

    PANE = "pane"
    ROWS = "rows"
    LINES = "lines"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece. `query` is what made it: a filter, an SQL text, a command. `begin` and `end` are
    the time it covers. `picture` is the text as it looked, line by line; empty: as plain text."""

    kind: EvidenceKind
    title: str
    text: str
    source: str = ""
    host: str = ""
    query: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    picture: tuple[tuple[Span, ...], ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As an event holds it."""
        text = self.text
        if len(text) > TEXT_LIMIT:
            text = f"{text[:TEXT_LIMIT]}\n… cut: it had {len(self.text):,} characters"
        table = {
            "kind": self.kind.value, "title": self.title, "text": text, "source": self.source,
            "host": self.host, "query": self.query,
            "begin": self.begin.isoformat() if self.begin else "",
            "end": self.end.isoformat() if self.end else "",
        }  # fmt: skip
        kept: dict[str, Any] = {name: value for name, value in table.items() if value}
        if self.picture:
            kept["picture"] = [[list(span) for span in line] for line in self.picture]
        return kept


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Evidence as a report cites it. `label` ("E7") counts over all that was ever kept in the
    incident, so that it stays the same; `entry` is the sequence of the entry it belongs to."""

    label: str
    entry: int
    author: str
    at: datetime
    evidence: Evidence


def evidence_of(data: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """What an event's data carries; what is no evidence is passed over.

    >>> evidence_of({"evidence": [{"kind": "rows", "title": "redis", "text": "used 1.4 MiB"}, 7]})
    (Evidence(kind=<EvidenceKind.ROWS: 'rows'>, title='redis', text='used 1.4 MiB', source='', \
host='', query='', begin=None, end=None, picture=()),)
    """
    found = data.get("evidence")
    tables = found if isinstance(found, list) else []
    return tuple(_evidence(table) for table in tables if isinstance(table, Mapping))


def _evidence(table: Mapping[str, Any]) -> Evidence:
    def said(name: str) -> str:
        value = table.get(name, "")
        return value if isinstance(value, str) else ""

    kinds = {kind.value: kind for kind in EvidenceKind}
    return Evidence(
        kind=kinds.get(said("kind"), EvidenceKind.OUTPUT),
        title=said("title"),
        text=said("text"),
        source=said("source"),
        host=said("host"),
        query=said("query"),
        begin=instant_of(said("begin")),
        end=instant_of(said("end")),
        picture=tuple(_spans(line) for line in _list(table.get("picture"))),
    )


def _spans(line: object) -> tuple[Span, ...]:
    pairs: Iterable[Any] = (pair for pair in _list(line) if len(_list(pair)) == 2)
    return tuple((str(text), str(style)) for text, style in pairs)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
