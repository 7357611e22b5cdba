"""The clock beside lines that were there before their log was followed: their own, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.tui import format as fmt

if TYPE_CHECKING:
    from warroom.logs.decode import Line as LogLine
    from warroom.logs.engine import LogEngine
    from warroom.logs.fold import Entry

BEFORE: Final = "before  "
"""Of a line that does not say when, or not in which zone: its arrival is nothing that happened."""
FOLLOWED: Final = "followed from here on"


def clocks(
    rows: Sequence[Entry], logs: LogEngine, zone: ZoneInfo, now: datetime
) -> Mapping[int, str]:
    """What stands in the place of the arrival of such lines, by their number, eight cells wide: a
    time of today, or a day."""
    from warroom.logs.fold import zoned_time

    found: dict[int, str] = {}
    today = now.astimezone(zone).date()
    for row in rows:
        if row.partial or not logs.was_there(row.newest):
            continue
        if zoned_time(row.newest) is None:
            found[row.last] = BEFORE
            continue
        at = datetime.fromtimestamp(row.newest.at, UTC)
        there = at.astimezone(zone)
        day = f"{there:%d %b}  " if there.year == today.year else f"{there:%b %Y}"
        found[row.last] = fmt.clock_time(at, zone) if there.date() == today else day
    return found


def undated(line: LogLine, logs: LogEngine) -> bool:
    """Whether nobody knows when a line was written, but that it was before its log was read."""
    from warroom.logs.fold import zoned_time

    raw = logs.ring.get(line.number)
    return raw is not None and logs.was_there(raw) and zoned_time(raw) is None


def is_clock(shown: str) -> bool:
    """Whether that is a time of today, so that the line need not say it again."""
    return ":" in shown


def silence(before: Entry, row: Entry, logs: LogEngine) -> float | None:
    """Seconds between two rows that are drawn one below the other as they came; None where
    following began between them, 0 where nobody knows."""
    if row.partial or not logs.was_there(before.newest):
        return row.heads[0].at - before.until
    if not logs.was_there(row.newest):
        return None
    same = row.newest.source == before.newest.source
    if not same and None in (_zoned(before), _zoned(row)):
        return 0.0
    return row.heads[0].at - before.until


def _zoned(row: Entry) -> float | None:
    from warroom.logs.fold import zoned_time

    return zoned_time(row.newest)
