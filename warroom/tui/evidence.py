"""What a pane shows, as evidence: the rows or lines chosen, or the whole of it as it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.text import harmless
from warroom.engine.evidence import asked
from warroom.tui.panes.base import Pane, TablePane
from warroom.tui.panes.log_clock import undated
from warroom.tui.panes.logs import LogsPane
from warroom.tui.panes.talkers import TalkersPane
from warroom.tui.screens.sheet import whole
from warroom.tui.widgets.lines import Line, fitted

if TYPE_CHECKING:
    from warroom.logs.decode import Line as LogLine

MATCHING: Final = 1000
"""How many lines are kept of those that a filter lets through, the newest."""

SHEET_WIDTH: Final = 100
SHEET_LINES: Final = 200
"""Columns and lines of the picture of a sheet."""


def of_pane(pane: Pane) -> Evidence:
    """The pane as it looks now, frame and all, without the cursor."""
    width, height = pane.size
    picture = tuple(tuple(_plain(fitted(line, width))) for line in pane.build(width, height))
    text = "\n".join("".join(part for part, _ in line).rstrip() for line in picture)
    begin, end = _looked_at(pane)
    return Evidence(
        EvidenceKind.PANE, pane.heading, text, source=", ".join(pane.sources),
        host=_hosts(pane, pane.sources), query=_query(pane), begin=begin, end=end, picture=picture,
    )  # fmt: skip


def of_selection(pane: Pane) -> Evidence | None:
    """The marked rows, the row or the line under the cursor; None when nothing is selected."""
    if isinstance(pane, LogsPane):
        return of_lines(pane, pane.selected_lines())
    title, text = pane.picked()
    if not text:
        return None
    sources = _sources_of_rows(pane)
    begin, end = _looked_at(pane, sources)
    return Evidence(
        EvidenceKind.ROWS, title, text, source=", ".join(sources), host=_hosts(pane, sources),
        query=_query(pane, sources), begin=begin, end=end,
    )  # fmt: skip


def of_lines(pane: LogsPane, lines: Sequence[LogLine]) -> Evidence | None:
    """Log lines, each with the time of its arrival in UTC, or what it says itself of a line that
    was there before; None when there are none."""
    if not lines or pane.room is None:
        return None
    names = pane.logs.names
    instants = [datetime.fromtimestamp(line.at, UTC) for line in lines]
    used = list(dict.fromkeys(names[line.source] for line in lines))
    texts = (
        ("before " if undated(line, pane.logs) else "")
        + f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        + f"Z {names[line.source]}: {line.text}"
        for at, line in zip(instants, lines, strict=True)
    )
    return Evidence(
        EvidenceKind.LINES, ", ".join(used), "\n".join(texts), source=", ".join(used),
        host=_hosts(pane, used), query=_query(pane), begin=min(instants), end=max(instants),
    )  # fmt: skip


def about_detail(pane: Pane, title: str, source: str, key: str) -> Evidence:
    """What a sheet about a row or a line is from, before it is known what it says."""
    line = of_lines(pane, pane.selected_lines()) if isinstance(pane, LogsPane) else None
    if line is not None:
        return replace(line, kind=EvidenceKind.PANE, title=title)
    assert pane.room is not None
    at, about = pane.room.session.now(), [f"all about {harmless(key)}"] if key else []
    query = ", ".join([*_looks(pane, [source]), *about])
    return Evidence(EvidenceKind.PANE, title, "", source, _hosts(pane, [source]), query, at, at)


def of_answer(title: str, query: str, lines: Sequence[Line]) -> Evidence:
    """A sheet with what somebody else answered just now."""
    at = datetime.now(UTC)
    return of_sheet(Evidence(EvidenceKind.OUTPUT, title, "", query=query, begin=at, end=at), lines)


def of_sheet(about: Evidence, lines: Sequence[Line]) -> Evidence:
    """A sheet, whole; its picture is of its first lines."""
    text = "\n".join("".join(part for part, _ in line).rstrip() for line in lines)
    drawn = [tuple(_plain(line)) for line in whole(lines, SHEET_WIDTH)]
    if len(drawn) > SHEET_LINES:
        left = len(drawn) - SHEET_LINES
        drawn = [*drawn[:SHEET_LINES], ((f"… and {left:,} more lines", "dim"),)]
    return replace(about, text=text, picture=tuple(drawn))


def lines_shown(pane: LogsPane) -> list[LogLine]:
    """What of the logs is on the screen."""
    return pane.lines_shown()


def lines_matching(pane: LogsPane) -> list[LogLine]:
    """What the filter lets through, the newest lines."""
    return pane.view.window(pane.view.bottom, MATCHING) if pane.view else []


def _plain(line: Line) -> Iterable[tuple[str, str]]:
    for text, style in line:
        names = [name for name in style.split() if name not in ("cursor", "focus")]
        yield text, " ".join(names)


def _looked_at(pane: Pane, sources: Sequence[str] = ()) -> tuple[datetime | None, datetime | None]:
    """When the systems were looked at; of logs, from the oldest to the newest line shown; of top
    talkers, the window that is counted."""
    if isinstance(pane, LogsPane):
        at = [datetime.fromtimestamp(line.at, UTC) for line in lines_shown(pane)]
    else:
        at = [s.at for s in pane.samples if not sources or s.source in sources]
        if at and isinstance(pane, TalkersPane) and pane.room is not None:
            at.append(min(at) - timedelta(seconds=pane.room.talkers.window_s))
    return (min(at), max(at)) if at else (None, None)


def _sources_of_rows(pane: Pane) -> list[str]:
    if not isinstance(pane, TablePane):
        return list(pane.sources)
    chosen = {source for source, _ in pane.choice.marks}
    if not chosen and pane.selected:
        chosen = {pane.selected.source}
    return [source for source in pane.sources if source in chosen]


def _hosts(pane: Pane, sources: Iterable[str]) -> str:
    if pane.room is None:
        return ""
    settings = pane.room.settings
    on = {p.name: p.on for p in settings.probes} | {log.name: log.on for log in settings.logs}
    return ", ".join(dict.fromkeys(on[name] for name in sources if on.get(name)))


def _query(pane: Pane, sources: Sequence[str] = ()) -> str:
    """What made it, or its rows of `sources`: the kind of look and what it asks, what is counted,
    the filter, the order."""
    parts = _looks(pane, sources)
    if pane.filter_text:
        parts.append(f"filter {pane.filter_text}")
    if isinstance(pane, TablePane):
        if pane.choice.sort:
            way = "descending" if pane.choice.reverse else "ascending"
            parts.append(f"sorted by {pane.choice.sort}, {way}")
    elif isinstance(pane, LogsPane):
        parts += pane.conditions()
    return ", ".join(parts)


def _looks(pane: Pane, sources: Sequence[str]) -> list[str]:
    """What the looks at `sources` (none: all of the pane) ask, kind by kind; what is counted."""
    if pane.room is None:
        return []
    if isinstance(pane, TalkersPane):
        talkers = pane.room.talkers
        counted = f"requests by {talkers.by} in {talkers.window}"
        return [counted, *([f"only {' '.join(map(str, talkers.chips))}"] if talkers.chips else [])]
    monitor, asks = pane.room.monitor, dict[str, list[str]]()
    for source in [s.source for s in pane.samples if not sources or s.source in sources]:
        asks.setdefault(monitor.kind(source), []).append(monitor.asks(source))
    return [asked(kind, *said) for kind, said in asks.items() if kind]
