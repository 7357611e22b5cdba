"""What is left of a line beside a clock that shows its time already.

A stamp takes up to 29 characters in the middle of an access line, and what it pushes out of a
narrow pane is the request and its status.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from warroom.logs.decode import without_colours
from warroom.logs.formats.times import instant

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warroom.logs.formats.base import Format

CLOSE_S: Final = 5.0
"""Servers write in batches: a stamp that is no further from the clock says nothing new."""
_CLOCK: Final = re.compile(r"(?<!\d)\d\d:\d\d:\d\d")


def unstamped(
    text: str, line: bytes, fmt: Format, at: float, zone: ZoneInfo, keep: str = ""
) -> str:
    """`text`, as which `line` is shown, without its time where the clock beside it shows the same:
    `at`, seconds since the epoch, in `zone`. Of another time of that day its clock is left, so
    long as that is written in `zone`, too; whatever else stays as it stands. So does a stamp that
    holds `keep`, which somebody looks for."""
    roles = fmt.roles(without_colours(line))
    written = (roles or {}).get("time", b"").strip().decode("utf-8", "replace")
    start = text.find(written) if written else -1
    if start < 0 or (keep and keep.lower() in written.lower()):
        return text
    end = start + len(written)
    if text[start - 1 : start] == "[" and text[end : end + 1] == "]":
        start, end = start - 1, end + 1
    before, behind = text[:start], text[end:].lstrip(" ")
    if (before and not before.endswith(" ")) or text[end : end + 1] != " " or not behind:
        return text  # a part of something: a field of JSON, of logfmt
    clock = _clock_of(written, at, zone)
    return text if clock is None else f"{before}{clock}{behind}"


def _clock_of(written: str, at: float, zone: ZoneInfo) -> str | None:
    """What to show of a stamp; None: all of it."""
    said = instant(written, near=at)
    local = instant(written, near=at, zone=zone)  # servers write their own time without its zone
    if said is None or local is None:
        return None
    if min(abs(at - said), abs(at - local)) <= CLOSE_S:
        return ""
    own, shown = (datetime.fromtimestamp(one, UTC).astimezone(zone) for one in (said, at))
    clock = _CLOCK.search(written)
    if clock is None or own.date() != shown.date() or clock[0] != f"{own:%H:%M:%S}":
        return None
    return f"{clock[0]} "
