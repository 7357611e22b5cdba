"""All about one entry: every field, every version, its evidence; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from warroom.domain.clock import span
from warroom.domain.corrections import Version
from warroom.domain.events import Event, Kind
from warroom.domain.evidence import Exhibit
from warroom.domain.text import harmless
from warroom.domain.timeline import Entry
from warroom.reports import times
from warroom.tui.screens.timeline.draw import Look, clipped, day_of, folded, who_of
from warroom.tui.widgets.lines import Line, Span, shortened

LATE_S: Final = 60.0
"""Written down so much later than it happened is said."""
_EVIDENCE_LINES: Final = 8
_VERSION_TEXT: Final = 600
_SHOWN_ABOVE: Final = frozenset({"tags", "audience", "evidence", "merged", "to"})


@dataclass(frozen=True, slots=True)
class Subject:
    """An entry with what is known about it. `event` is how it was written first."""

    entry: Entry
    event: Event
    versions: tuple[Version, ...]
    exhibits: tuple[Exhibit, ...] = ()


def detail_lines(subject: Subject, width: int, look: Look) -> list[Line]:
    """The whole of it; as many lines as it takes."""
    entry = subject.entry
    lines: list[Line] = [
        [(times.clock_time(entry.at, look.zone), "bold"), (f"   {day_of(entry.at, look)}", "dim")]
    ]
    if utc := times.stamp(entry.at, look.zone).utc:
        lines.append([(utc, "dim")])
    lines += [[], *_badges(entry, width, look)]
    lines += folded([(clipped(entry.text), "")], width)
    lines.append([])
    if entry.kind is Kind.OUTCOME and entry.data.get("state") == "UNKNOWN":
        lines += [[("v", "key"), (" looks whether it happened", "")], []]
    if entry.rivals:
        lines += _rivals(entry, width, look)
    lines += _fields(subject, width, look)
    if len(subject.versions) > 1:
        lines += _versions(subject.versions, width, look)
    for exhibit in subject.exhibits:
        lines += _exhibit(exhibit, width, look)
    lines += _data(entry.data, width)
    return lines


def _badges(entry: Entry, width: int, look: Look) -> list[Line]:
    spans: list[Span] = []
    if entry.starred:
        spans.append((look.sign("★ starred", "* starred") + "  ", "mark"))
    spans += [(f"#{harmless(tag)}  ", "info") for tag in entry.tags]
    return [*folded(spans, width), []] if spans else []


def _fields(subject: Subject, width: int, look: Look) -> list[Line]:
    entry, event = subject.entry, subject.event
    author = event.author
    origin = f" from {harmless(author.origin)}" if author.origin else ""
    who = f"{harmless(author.login)} (uid {author.uid}){origin}"
    if entry.by_machine:
        who = f"{who_of(entry)}, on the console of {who}"
    late = (event.recorded_at - entry.at).total_seconds()
    written = times.clock_time(event.recorded_at, look.zone)
    if day_of(event.recorded_at, look) != day_of(entry.at, look):
        written = f"{day_of(event.recorded_at, look)} {written}"
    if late >= LATE_S:
        written += f", {span(late)} later"
    pairs = [
        ("by", who),
        ("written", written),
        ("kind", f"{entry.kind}, entry {entry.seq}"),
        ("for", audience_in_words(entry)),
    ]
    merged = entry.data.get("merged")
    if isinstance(merged, list):
        pairs.append(("merged", ", ".join(f"entry {seq}" for seq in merged)[:200]))
    return [*_pairs(pairs, width), []]


def audience_in_words(entry: Entry) -> str:
    """Who gets to read it."""
    if entry.internal:
        return "inside only (internal)"
    if entry.data.get("audience") == "external":
        return "people outside, too (external)"
    return "inside; outside, too, because it is starred" if entry.starred else "inside"


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> list[Line]:
    lines: list[Line] = []
    for name, value in pairs:
        first, *rest = folded([(value, "")], width - 10)
        lines.append([(f"{name:<10}", "dim"), *first])
        lines += [[(" " * 10, ""), *part] for part in rest]
    return lines


def _rivals(entry: Entry, width: int, look: Look) -> list[Line]:
    """What two people made of it, each without having seen the other's."""
    count = len(entry.rivals) + 1
    word = "two versions" if count == 2 else f"{count} versions"
    said = f"{look.sign('▲', '!')} {word}: neither author had seen the other's"
    lines = [*folded([(said, "degraded bold")], width, "  ")]
    lines.append([("1 ", "key"), ("the one that is shown above", "")])
    for number, rival in enumerate(entry.rivals, 2):
        head = f"{harmless(rival.author)} at {times.clock_time(rival.recorded_at, look.zone)}"
        moved = "" if rival.at == entry.at else f", for {times.clock_time(rival.at, look.zone)}"
        lines.append([(f"{number} ", "key"), (head + moved + ":", "dim")])
        text = clipped(rival.text[:_VERSION_TEXT])
        lines += [[("  ", ""), *part] for part in folded([(text, "degraded")], width - 2)]
    lines.append([("b ", "key"), ("both, one below the other", "")])
    lines.append([])
    return lines


def _versions(versions: Sequence[Version], width: int, look: Look) -> list[Line]:
    lines: list[Line] = [[("every version, the last one first", "title accent")]]
    before: Version | None = None
    for version in reversed(versions):
        index = versions.index(version)
        before = versions[index - 1] if index else None
        when = times.clock_time(version.recorded_at, look.zone)
        lines.append([(f"{when}  ", "dim"), (harmless(version.author), "bold")])
        if before is not None and before.at != version.at:
            was, now = (times.clock_time(v.at, look.zone) for v in (before, version))
            arrow = look.sign("→", "->")
            lines += [
                [("  ", ""), *p] for p in folded([(f"time {was} {arrow} {now}", "")], width - 2)
            ]
        if before is None or before.text != version.text:
            text = clipped(version.text[:_VERSION_TEXT])
            lines += [[("  ", ""), *part] for part in folded([(text, "dim")], width - 2)]
    return [*lines, []]


def _exhibit(exhibit: Exhibit, width: int, look: Look) -> list[Line]:
    one = exhibit.evidence
    title = shortened(harmless(one.title), max(8, width - len(exhibit.label) - 2))
    lines: list[Line] = [[(f"{exhibit.label}  ", "accent bold"), (title, "bold")]]
    pairs = [
        ("kept", f"{times.clock_time(exhibit.at, look.zone)} by {harmless(exhibit.author)}"),
        ("kind", one.kind.value),
    ]
    if one.source or one.host:
        pairs.append(
            ("from", harmless(" on ".join(part for part in (one.source, one.host) if part)))
        )
    if one.query:
        pairs.append(("query", harmless(one.query[:400])))
    if one.begin and one.end:
        pairs.append(("covers", f"{_short(one.begin, look)} to {_short(one.end, look)}"))
    lines += _pairs(pairs, width)
    text = harmless(one.text[:20_000], lines=True).rstrip("\n").split("\n")
    bar = look.sign("│ ", "| ")
    lines += [
        [(bar, "frame"), (shortened(part, width - 2), "dim")] for part in text[:_EVIDENCE_LINES]
    ]
    if len(text) > _EVIDENCE_LINES:
        lines.append([(bar, "frame"), (f"and {len(text) - _EVIDENCE_LINES} lines more", "dim")])
    return [*lines, []]


def _short(instant: datetime, look: Look) -> str:
    return times.clock_time(instant, look.zone)


def _data(data: Mapping[str, Any], width: int) -> list[Line]:
    """What else the event holds, as it is."""
    kept = {name: value for name, value in data.items() if name not in _SHOWN_ABOVE and value != ""}
    if not kept:
        return []
    lines: list[Line] = [[("data", "title accent")]]
    for name, value in kept.items():
        text = value if isinstance(value, str) else repr(value)
        said = harmless(f"{name}: {text[:400]}")
        lines += [[(" ", ""), *part] for part in folded([(said, "dim")], width - 2)]
    return [*lines, []]


def title_of(entry: Entry) -> Line:
    """The frame's title over the detail."""
    named = "opening" if entry.kind is Kind.OPENED else "entry"
    return [(f"{named} {entry.seq}", "title")]
