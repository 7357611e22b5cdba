"""The lines of a sheet about one log line: when, how bad, its fields, the whole text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.logs.decode import Line as LogLine

_WIDTH: Final = 110


def lines_of(one: LogLine, zone: ZoneInfo) -> list[Line]:
    """What is known of a line; access-log fields where it is one."""
    at = datetime.fromtimestamp(one.at, UTC)
    pairs = [
        ("arrived", f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S.%f} {zone.key}  {at:%H:%M:%S} UTC"),
        ("level", one.level.word or "none named"),
        ("length", f"{one.length:,} bytes"),
        *_fields(one),
    ]
    lines: list[Line] = [[(f"  {name:<9}", "dim"), (value, "")] for name, value in pairs]
    lines += [[], [("The line", "title accent")]]
    text = one.text
    lines += [[("  " + text[i : i + _WIDTH], "")] for i in range(0, max(1, len(text)), _WIDTH)]
    return lines


def _fields(one: LogLine) -> list[tuple[str, str]]:
    from warroom.logs.recognise import recognise
    from warroom.logs.record import read

    line = one.text.encode()
    fmt = recognise([line]).format
    found = read(line, fmt) if fmt is not None else None
    if found is None or not found.status:
        return []
    return [
        ("client", found.client),
        ("request", f"{found.method} {found.path}"),
        ("status", str(found.status)),
        ("size", f"{found.size} bytes"),
        ("agent", found.agent),
    ]
