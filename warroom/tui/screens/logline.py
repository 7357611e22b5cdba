"""The lines of a sheet about one log line: when, how bad, what it says, its fields, the text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.domain.text import shorten
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.logs._look import Look
    from warroom.logs.decode import Line as LogLine
    from warroom.logs.formats.base import Format

_MOST: Final = 100
"""Fields that are listed."""
_NAME: Final = 32
_VALUE: Final = 1000

BEFORE: Final = "before this console followed its log"

Pairs = list[tuple[str, str]]


def lines_of(
    one: LogLine, data: bytes, look: Look, zone: ZoneInfo, *, there: bool = False
) -> list[Line]:
    """What is known of a line whose bytes are `data`, read as its log was recognised; `there`: it
    was there before its log was followed."""
    from warroom.logs.recognise import recognise

    fmt = look.format or recognise([data]).format
    told, fields = ([], []) if fmt is None else _parts(one, data, fmt, look)
    pairs = [
        ("arrived", BEFORE if there else _both(datetime.fromtimestamp(one.at, UTC), zone)),
        ("level", one.level.word or "none named"),
        ("length", f"{one.length:,} bytes"),
        ("format", _format(fmt, look)),
        *told,
    ]
    lines: list[Line] = _rows(pairs)
    if fields:
        lines += [[], [("Its fields", "title accent")], *_rows(fields)]
    return [*lines, [], [("The line", "title accent")], [("  " + one.text, "")]]


def _rows(pairs: Pairs) -> list[Line]:
    few = [(shorten(name, _NAME), shorten(value, _VALUE)) for name, value in pairs[:_MOST]]
    width = max(9, *(len(name) for name, _ in few))
    rows: list[Line] = [[(f"  {name:<{width}} ", "dim"), (value, "")] for name, value in few]
    if len(pairs) > _MOST:
        rows.append([(f"  and {len(pairs) - _MOST} more", "dim")])
    return rows


def _both(at: datetime, zone: ZoneInfo) -> str:
    there = at.astimezone(zone)
    beside = f"  {at:%H:%M:%S} UTC" if there.utcoffset() else ""
    return f"{there:%Y-%m-%d %H:%M:%S.%f} {zone.key}{beside}"


def _format(fmt: Format | None, look: Look) -> str:
    if fmt is None:
        return "not recognised"
    if look.format is None:
        return f"{fmt.title}: this line alone, its log is not recognised"
    found = look.found
    fits = f", {found.matched} of {found.seen} lines fit" if found is not None else ""
    return f"{fmt.title}{fits}"


def _parts(one: LogLine, data: bytes, fmt: Format, look: Look) -> tuple[Pairs, Pairs]:
    """What the line says, and every field by its writer's name for it."""
    from warroom.logs.cells import moment_of
    from warroom.logs.record import details, read

    found = read(data, fmt, look.trust, near=one.at)
    if found is None:
        return [("", "this line is not of that format")], []
    told = [
        ("at", moment_of(found)),
        ("client", found.client or ("not known" if fmt.asks else "")),
        ("user", found.user),
        ("request", f"{found.method} {found.path}".strip()),
        ("status", str(found.status or "")),
        ("size", f"{found.size} bytes" if found.status else ""),
        ("host", found.host),
        ("agent", found.agent),
    ]
    fields = [(name, text) for name, text in details(data, fmt) if text]
    return [(name, text) for name, text in told if text], fields
