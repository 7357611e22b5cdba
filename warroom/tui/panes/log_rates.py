"""How often the saved searches find something, above the logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warroom.tui import format as fmt
from warroom.tui.widgets.lines import Line, Span, shortened, width_of
from warroom.tui.widgets.table import health_style

if TYPE_CHECKING:
    from warroom.domain.sample import Finding
    from warroom.logs.searches import Search


def rates(
    searches: Sequence[Search],
    findings: Sequence[Finding],
    now: float,
    width: int,
    most: int,
    *,
    ascii_only: bool,
) -> list[Line]:
    """`authentication failure 12/min`, as many on a line as fit, at most `most` lines; what is
    beyond its threshold first."""
    found = {finding.check: finding for finding in findings}
    spans: list[list[Span]] = []
    for search in searches:
        finding = found.get(f"search/{search.name}")
        style = health_style(finding.level.health) if finding else ""
        symbols = fmt.SYMBOLS_ASCII if ascii_only else fmt.SYMBOLS
        sign = f"{symbols[finding.level.health]} " if finding else ""
        name = shortened(search.name, max(10, width // 2))
        figure = "stopped" if search.fault else f"{fmt.count(search.rate(now))}/min"
        one: list[Span] = [(f" {sign}{name} ", style), (f"{figure} ", style or "accent")]
        spans.insert(0 if finding else len(spans), one)
    lines: list[list[Span]] = []
    for one in spans:
        if not lines or width_of(lines[-1]) + width_of(one) > width:
            lines.append([])
        lines[-1] += one
    return list(lines[:most])
