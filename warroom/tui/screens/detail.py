"""The lines of a detail sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from warroom.domain.sample import Detail
from warroom.probes.base import ProbeFault
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.engine.room import Room


NOT_YET: Final = "it has not answered yet"


def waiting() -> list[Line]:
    """While the system is asked."""
    return [[("asking…", "dim")]]


def still_waits(lines: Sequence[Line]) -> bool:
    """Whether something is still being asked."""
    return bool(lines) and lines[-1] == waiting()[0]


async def detail_lines(room: Room, source: str, key: str) -> list[Line]:
    """All about a row, or why that could not be had."""
    try:
        detail = await room.monitor.detail(source, key)
    except ProbeFault as fault:
        return [[("could not be fetched: ", "degraded"), (str(fault), "")]]
    return lines_of(detail)


def lines_of(detail: Detail) -> list[Line]:
    """Sections with aligned pairs, then their lines."""
    lines: list[Line] = []
    for section in detail.sections:
        lines.append([(section.title, "title accent")])
        width = min(28, max((len(name) for name, _ in section.pairs), default=0))
        for name, value in section.pairs:
            first, *rest = value.split("\n") or [""]
            lines.append([(f"  {name:<{width}}  ", "dim"), (first, "")])
            lines += [[(" " * (width + 4), ""), (part, "")] for part in rest]
        lines += [[("  " + part, "")] for text in section.lines for part in text.split("\n")]
        lines.append([])
    return lines
