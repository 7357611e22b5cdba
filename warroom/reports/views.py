"""What a template sees: texts, times in words and figures, nothing to compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice, repeat
from typing import Any, Final, NamedTuple, overload
from zoneinfo import ZoneInfo

from warroom.domain.events import MACHINE_KINDS, Kind
from warroom.domain.evidence import Exhibit
from warroom.domain.timeline import Entry, MitigationRun, Timeline
from warroom.reports import times
from warroom.reports.doings import Figures, figures
from warroom.reports.markdown import Markup, blocks, cite, inline
from warroom.reports.moved import Course

_SIGNS: Final = frozenset({Kind.HEALTH, Kind.FINDING})


_MADE: Any = tuple.__new__
"""`Line._make` without its call of a function in Python."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long something took, in seconds, and when it was so; None: not known, or not yet."""

    label: str
    seconds: float | None
    at: datetime | None
    open: bool


class Line(NamedTuple):
    """An entry as the timeline shows it; `utc` is empty when `time` is in UTC. `cited` are the
    labels of its evidence; `rivals` counts versions that say something else."""

    time: str
    utc: str
    who: str
    text: str
    starred: bool
    internal: bool
    amended: bool
    tags: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    rivals: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """The lines of one date in the zone."""

    date: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Mitigation:
    """One mitigation from request to effect; empty texts are not known. `figures` are metrics
    before and after."""

    time: str
    text: str
    target: str
    who: str
    outcome: str
    effect: str
    figures: tuple[Figures, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A status update that reached somebody or failed to."""

    at: datetime
    audience: str
    stage: str
    channel: str
    state: str
    who: str


@dataclass(frozen=True, slots=True)
class Move:
    """What moved, and when: a system's health, a check, or a metric that left its usual range."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence as the appendix shows it; `picture` is the path of its picture, if it has one."""

    label: str
    kind: str
    title: str
    text: str
    source: str
    host: str
    query: str
    begin: datetime | None
    end: datetime | None
    who: str
    at: datetime
    picture: str


def measures(timeline: Timeline) -> list[Measure]:
    """Time to detect, acknowledge, mitigate, resolve."""
    incident, took = timeline.incident, timeline.durations
    unresolved = incident.resolved_at is None
    return [
        Measure("detect", took.detect, incident.opened_at if took.detect else None, False),
        Measure("acknowledge", took.acknowledge, incident.acknowledged_at, unresolved),
        Measure("mitigate", took.mitigate, incident.mitigated_at, unresolved),
        Measure("resolve", took.resolve, incident.resolved_at, unresolved),
    ]


class Days(Sequence[Day]):
    """Entries as lines, worked out when a template first looks: most look at one of several.

    `cited` has the labels of evidence by entry.
    """

    def __init__(
        self, entries: Iterable[Entry], zone: ZoneInfo, cited: Mapping[int, Sequence[str]]
    ) -> None:
        self._entries, self._zone, self._cited = entries, zone, cited

    @cached_property
    def _days(self) -> list[Day]:
        return _by_date(self._entries, self._zone, self._cited)

    @overload
    def __getitem__(self, index: int) -> Day: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Day]: ...
    def __getitem__(self, index: int | slice) -> Day | Sequence[Day]:
        return self._days[index]

    def __len__(self) -> int:
        return len(self._days)


def _by_date(
    entries: Iterable[Entry], zone: ZoneInfo, cited: Mapping[int, Sequence[str]]
) -> list[Day]:
    by_date: dict[str, list[Line]] = {}
    told, date = list(entries), ""
    for entry, stamp in zip(told, times.stamps([e.at for e in told], zone), strict=True):
        seq, _, author, kind, text, starred, internal, data, amended, rivals = entry
        day, time, utc = stamp
        if day != date:
            date, lines = day, by_date.setdefault(day, [])
        line = (
            time,
            utc,
            "warroom" if kind in MACHINE_KINDS else author,
            f"opened: {text}" if kind is Kind.OPENED else text,
            starred,
            internal,
            amended,
            entry.tags if "tags" in data else (),
            tuple(cited[seq]) if seq in cited else (),
            len(rivals),
        )
        lines.append(_MADE(Line, line))
    return [Day(date, tuple(lines)) for date, lines in by_date.items()]


def listed(day: Day) -> Markup:
    """The lines of a day as list items, in full. A template could say the same; a hundred
    thousand lines are written in Python in a tenth of the time."""
    names = {who: inline(who) for who in {line.who for line in day.lines}}
    said = _said(day)
    return Markup("\n".join(map(_item, day.lines, said, repeat(names))))


def _item(line: Line, said: str, names: Mapping[str, Markup]) -> str:
    star = "★ " if line.starred else ""
    utc = f"{line.utc} · " if line.utc else ""
    marks = " (internal)" if line.internal else ""
    if line.amended:
        marks += " (edited)"
    if line.rivals:
        marks += f" ({line.rivals + 1} versions)"
    tags = f" ({inline(', '.join(line.tags))})" if line.tags else ""
    return f"- {star}**{line.time}** · {utc}{names[line.who]}{marks}{tags}: {said}".rstrip()


def brief(day: Day) -> Markup:
    """The lines of a day as list items: when and what."""
    told = zip(day.lines, _said(day), strict=True)
    return Markup("\n".join(f"- **{line.time}** · {said}".rstrip() for line, said in told))


def _said(day: Day) -> list[str]:
    """The text of each line, and the evidence that it does not cite itself."""
    texts = blocks([line.text for line in day.lines], 2)
    return [
        text + cite(each for each in line.cited if f"[{each}]" not in line.text)
        if line.cited
        else text
        for line, text in zip(day.lines, texts, strict=True)
    ]


def mitigation(run: MitigationRun, zone: ZoneInfo) -> Mitigation:
    """One mitigation in words."""
    request = run.request
    target, host = request.data.get("target"), str(request.data.get("host", ""))
    label = str(target.get("label", "")) if isinstance(target, Mapping) else ""
    return Mitigation(
        time=times.whole(request.at, zone),
        text=request.text,
        target=f"{label} on {host}" if label and host else label or host,
        who=request.author,
        outcome=_result(run.outcome, "state"),
        effect=_result(run.effect, "verdict"),
        figures=tuple(figures(run)),
    )


def _result(entry: Entry | None, key: str) -> str:
    """The word that the data has for it, with what the text says beyond title and word."""
    if entry is None:
        return ""
    word = str(entry.data.get(key, ""))
    _, found, rest = entry.text.partition(f": {word}: ")
    return f"{word}: {rest}" if word and found else entry.text


def updates(timeline: Timeline) -> list[Update]:
    """Status updates, each with what became of it last, by time."""
    last: dict[int, Entry] = {}
    for entry in timeline.entries:
        if entry.kind is Kind.UPDATE:
            request = entry.data.get("request")
            last[request if isinstance(request, int) else entry.seq] = entry
    return [_update(entry) for entry in last.values()]


def _update(entry: Entry) -> Update:
    def said(name: str) -> str:
        return str(entry.data.get(name, ""))

    stage, channel, state = said("stage"), said("channel"), said("state")
    return Update(entry.at, said("audience"), stage, channel, state, entry.author)


def first_moves(timeline: Timeline, courses: Iterable[Course], most: int = 5) -> list[Move]:
    """What moved first: changes for the worse that systems and checks showed, and metrics that
    left their usual range, the earliest `most` of them up to the resolution."""
    end = timeline.incident.resolved_at
    signs = (
        Move(entry.at, entry.text)
        for entry in timeline.entries
        if entry.kind in _SIGNS and entry.data.get("after") != "ok" and not (end and entry.at > end)
    )
    seen = list(islice(signs, most))
    left = [
        Move(c.at, f"{c.name} {c.value:.4g} (usually {c.low:.4g} to {c.high:.4g})") for c in courses
    ]
    return sorted([*seen, *left], key=lambda move: move.at)[:most]


def proof(exhibit: Exhibit, picture: str) -> Proof:
    """One piece of evidence with all that is known of it."""
    held = exhibit.evidence
    return Proof(
        exhibit.label, held.kind.value, held.title, held.text, held.source, held.host, held.query,
        held.begin, held.end, exhibit.author, exhibit.at, picture,
    )  # fmt: skip
