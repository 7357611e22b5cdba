"""Counting files for whoever asked on the command line, and printing what was found.

Without click: importing that takes as long as counting 50,000 lines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from warroom.cli.bare import fail
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.logs.report import Report
    from warroom.logs.top import Progress

GROUPINGS: Final = (
    "ip", "range", "wide", "narrow", "path", "url", "status", "method", "agent", "host",
    "country", "asn",
)  # fmt: skip
"""As in `logs.keys`, which is imported when something is counted."""
_PATIENCE_S: Final = 1.0
_REPAINT_S: Final = 0.2
_BAR: Final = 30


def counted(files: tuple[str, ...], *, trend: bool = False, **how: Any) -> Report:
    """What `logs.top.count` finds; ends the command where it cannot."""
    from warroom.logs.top import count

    progress = ProgressBar() if sys.stderr.isatty() else None
    try:
        with _held(files if trend else ()) as held:
            names = [held.get(file, file) for file in files]
            report = count(names, progress=progress, trends=trend, **how)
            given = {name: file for file, name in held.items()}
            looks = tuple((given.get(name, name), look) for name, look in report.files)
            return replace(report, files=looks)
    except ValueError as error:
        fail(f"--by {how['by']}: {error}")
    except OSError as error:
        place = f"{harmless(str(error.filename))}: " if error.filename else ""
        fail(f"{place}{error.strerror or error}", 1)
    finally:
        if progress is not None:
            progress.done()


@contextmanager
def _held(files: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Standard input, if it is among `files`, in a file of this user's alone, which can be read
    twice: its name by the one that was given."""
    if "-" not in files:
        yield {}
        return
    import shutil
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile(prefix="warroom-top-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield {"-": file.name}


def print_report(report: Report, *, as_json: bool = False) -> None:
    """The rows on stdout, and on stderr what is to be known of them; or one JSON document."""
    if as_json:
        from warroom.cli.documents import print_json
        from warroom.logs.report import to_json

        print_json(to_json(report))
        return
    for file, look in report.files:
        _say(f"{harmless(file)}: {look}")
    told = _courses(report)
    for row, course in zip(report.top, told, strict=True):
        classes = "  ".join(f"{name} {n:,}" for name, n in (row.status or {}).items() if n)
        figures = f"{row.count:>10} {100 * row.share:5.1f}%"
        print(f"{figures}  {course}{harmless(row.key)}  {classes}".rstrip())
    if report.explained is not None:
        one = report.explained
        _say(f"{100 * one.share:.1f}% come from {harmless(one.key)}")
    if report.span is not None:
        _print_span(report, report.span)
    if report.parsed < report.lines:
        unknown = report.lines - report.parsed
        _say(f"{unknown:,} of {report.lines:,} lines name no {report.by}")


def _say(text: str, end: str = "\n") -> None:
    print(text, file=sys.stderr, end=end, flush=True)


def _courses(report: Report) -> list[str]:
    """Rate, trend, first seen, share of 5xx and bytes of each row, where they were asked for; what
    is what, is said on stderr."""
    if report.covers is None:
        return ["" for _ in report.top]
    from datetime import UTC, datetime

    from warroom.tui.format import size, sparkline

    begin, end = (datetime.fromtimestamp(at, UTC) for at in report.covers)
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    told = f"trend and rate from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"
    _say(f"{told}; columns: count, share, rate, trend, first seen, 5xx, bytes")
    rows = []
    for row in report.top:
        rate, drawn, first = "-", "", "-"
        if row.course is not None:
            rate, trend = f"{row.course.rate:,.2f}/s", row.course.trend
            drawn = sparkline(trend, len(trend), ascii_only=plain)
            first = f"{datetime.fromtimestamp(row.course.first_seen, UTC):%Y-%m-%d %H:%M:%S}"
        width = max((len(one.course.trend) for one in report.top if one.course), default=0)
        rows.append(
            f"{rate:>11}  {drawn:<{width}}  {first:<19} {100 * row.errors:5.1f}% "
            f"{size(row.bytes):>5}  "
        )
    return rows


def _print_span(report: Report, span: tuple[float, float]) -> None:
    from datetime import UTC, datetime

    begin, end = (datetime.fromtimestamp(at, UTC) for at in span)
    told = f"{report.lines:,} lines from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"
    if not report.lines and report.newest:
        newest = datetime.fromtimestamp(report.newest, UTC)
        told += f"; the newest seen is of {newest:%Y-%m-%d %H:%M:%S} UTC: see --until"
    elif not report.lines:
        told += "; no line says a time that can be read"
    _say(told)


class ProgressBar:
    """A bar on stderr for whatever takes over a second."""

    def __init__(self) -> None:
        self._started = self._painted = time.monotonic()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._started < _PATIENCE_S or now - self._painted < _REPAINT_S:
            return
        self._painted, self._shown = now, True
        rate = done / (now - self._started) / 2**20
        bar = ""
        if total:
            filled = min(_BAR, _BAR * done // total)
            bar = f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * done // total:3d}%  "
        _say(f"\r{bar}{done / 2**20:,.0f} MiB, {rate:,.0f} MiB/s ", end="")

    def done(self) -> None:
        """Take the bar away."""
        if self._shown:
            _say("\r\x1b[K", end="")


if TYPE_CHECKING:
    _: Progress = ProgressBar()
