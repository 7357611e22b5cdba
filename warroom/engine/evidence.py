"""What is kept of a system before something in it is destroyed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Column, Row, Sample
from warroom.logs.engine import LogEngine
from warroom.logs.view import LogView

ROWS: Final = 200
LINES: Final = 200
"""Newest log lines of a source that are kept."""

ASKS: Final = 20
"""What so many probes ask is said of a pane that shows many."""


def asked(kind: str, *asks: str) -> str:
    """What makes the samples of a kind, such as `redis probe: INFO, SLOWLOG GET`. `asks` is what
    each probe says of itself; the kind speaks for those that say nothing."""
    from warroom.config.registry import UnknownMember
    from warroom.probes.base import spec

    try:
        usual = spec(kind).asks
    except UnknownMember:  # not of a system: warroom's own counting
        usual = ""
    said = [ask for ask in dict.fromkeys(asks) if ask] or [usual]
    more = [f"and {len(said) - ASKS} more"] if len(said) > ASKS else []
    words = "; ".join([*said[:ASKS], *more])
    return f"{kind} probe: {words}" if words else f"{kind} probe"


def of_sample(sample: Sample, *, kind: str = "", asks: str = "", host: str = "") -> Evidence:
    """Everything that the last look at a source saw: figures, then rows."""
    figures = [f"{name} {value:g}" for name, value in sorted(sample.metrics.items())]
    facts = [f"{name}: {value}" for name, value in sample.facts.items()]
    rows = [_row(row, sample.columns) for row in sample.rows[:ROWS]]
    left = len(sample.rows) - len(rows)
    more = [f"… and {left} more rows"] if left > 0 else []
    text = "\n".join([sample.summary, ", ".join(figures), *facts, *rows, *more])
    return Evidence(
        EvidenceKind.ROWS, sample.source, text, source=sample.source, host=host,
        query=asked(kind, asks) if kind else "", begin=sample.at, end=sample.at,
    )  # fmt: skip


def of_log(logs: LogEngine, name: str) -> Evidence | None:
    """The newest lines of one log; None when there is no such log, or nothing in it."""
    if name not in logs.names:
        return None
    source = logs.names.index(name)
    lines = [line for line in LogView(logs.ring).lines(LINES * 10) if line.source == source]
    lines = lines[-LINES:]
    if not lines:
        return None
    instants = [datetime.fromtimestamp(line.at, UTC) for line in lines]
    text = "\n".join(
        f"{at:%H:%M:%S}Z {line.text}" for at, line in zip(instants, lines, strict=True)
    )
    return Evidence(
        EvidenceKind.LINES, name, text, source=name, query=f"the newest {len(lines)} lines",
        begin=instants[0], end=instants[-1],
    )  # fmt: skip


def _row(row: Row, columns: tuple[Column, ...]) -> str:
    cells = (
        f"{column.title} {value}"
        for column, value in zip(columns, row.cells, strict=False)
        if value not in (None, "") and column.kind != "spark"
    )
    return f"{row.name}: {', '.join(cells)}"
