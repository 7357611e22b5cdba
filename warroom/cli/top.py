"""`warroom top`: who asks most, from access logs or stdin."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import click

from warroom.cli.bare import AllSaid, fail
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.logs.keys import By
    from warroom.logs.places import Places
    from warroom.logs.report import Report
    from warroom.logs.top import As, Progress
    from warroom.logs.within import Within

_GROUPINGS: Final = (
    "ip", "range", "wide", "narrow", "path", "url", "status", "method", "agent", "host",
    "country", "asn",
)  # fmt: skip
"""As in `logs.keys`, which is imported when something is counted."""
_PATIENCE_S: Final = 1.0
_REPAINT_S: Final = 0.2
_BAR: Final = 30


def _last(_: click.Context, __: click.Parameter, value: str | None) -> int | float | None:
    """How many lines (int), or how much time (float, seconds)."""
    if value is None:
        return None
    if value.isdigit() and int(value) > 0:
        return int(value)
    from warroom.config.scalars import Wrong, duration  # it brings all time zones with it

    try:
        seconds = duration(value)
    except Wrong:
        seconds = 0.0
    if seconds <= 0:
        raise click.BadParameter(f'"{value}" is neither a number of lines nor a time such as 15m')
    return seconds


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--by", default="ip", show_default=True,
    type=click.Choice(_GROUPINGS), metavar="|".join(_GROUPINGS), help="What to count.",
)  # fmt: skip
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1))
@click.option(
    "--last", callback=_last, metavar="LINES|TIME",
    help="Only the last lines of each (1000), or what is of the last 15m, 2h.",
)  # fmt: skip
@click.option(
    "--until", metavar="TIME",
    help='Where --last 15m ends, instead of now: "14:35", "yesterday 23:10" (UTC unless said).',
)  # fmt: skip
@click.option(
    "--format", "written", metavar="FORMAT",
    help="A format's name, nginx's log_format, a #Fields line or a pattern with (?P<client>…), "
    "for what is not recognised; `list` lists the names.",
)  # fmt: skip
@click.option(
    "--trust", multiple=True, metavar="NETWORK",
    help="A proxy's address or network: its X-Forwarded-For is believed.",
)  # fmt: skip
@click.option(
    "--mmdb", multiple=True, type=click.Path(), metavar="FILE",
    help="A database of countries or networks, for --by country and asn.",
)  # fmt: skip
@click.option(
    "--trend", is_flag=True,
    help="With rate, trend, first seen, errors and bytes of each: FILEs are read twice.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With bytes and status classes.")
def top(
    files: tuple[str, ...],
    by: str,
    number: int,
    last: int | float | None,
    until: str | None,
    written: str | None,
    trust: tuple[str, ...],
    mmdb: tuple[str, ...],
    trend: bool,
    as_json: bool,
) -> None:
    """Count requests in FILEs (.gz, .bz2, .xz and .zst too; - is stdin), most first."""
    from warroom.logs.top import to_json

    if written == "list":
        _list_formats()
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    reading = _reading(written, trust)
    if isinstance(last, float):
        reading = replace(reading, within=_within(last, until))
    elif until is not None:
        raise click.UsageError("--until goes with --last TIME, such as --last 15m")
    if mmdb:
        reading = replace(reading, places=_places(mmdb))
    lines = last if isinstance(last, int) else None
    full = as_json or trend or by != "ip"
    grouping = cast("By", by)  # click lets only its words pass
    report = _counted(files, trend, by=grouping, last=lines, n=number, full=full, reading=reading)
    if as_json:
        import json

        click.echo(json.dumps(to_json(report), ensure_ascii=False, indent=2))
    else:
        _print(report)
    raise AllSaid


def _counted(files: tuple[str, ...], trend: bool, **how: Any) -> Report:
    """What `logs.top.count` finds; ends the command where it cannot."""
    from warroom.logs.top import count

    progress = _Progress() if sys.stderr.isatty() else None
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


def _reading(written: str | None, trust: tuple[str, ...]) -> As:
    """How the files are to be read; ends the command where that is no format or no network."""
    from warroom.logs.top import AS_THEY_LOOK, As

    if written is None and not trust:
        return AS_THEY_LOOK
    from warroom.logs.formats.own import BadFormat, chosen
    from warroom.logs.trust import Trust

    try:
        return As(None if written is None else chosen(written), Trust(trust))
    except BadFormat as error:
        fail(f"--format: {harmless(str(error))}")
    except ValueError as error:
        fail(f"--trust: {harmless(str(error))}")


def _within(seconds: float, until: str | None) -> Within:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from warroom.domain.instants import NotUnderstood, understand
    from warroom.logs.within import Within

    end = datetime.now(UTC)
    if until is not None:
        try:
            end = understand(until, end, ZoneInfo("UTC")).at
        except NotUnderstood as error:
            fail(f"--until: {harmless(str(error))}")
    return Within(end.timestamp() - seconds, end.timestamp())


def _places(files: tuple[str, ...]) -> Places:
    from warroom.logs.places import NoPlaces, Places

    try:
        return Places(files)
    except NoPlaces as error:
        fail(f"--mmdb: {harmless(str(error))}")


def _list_formats() -> None:
    from warroom.logs.recognise import every_format

    for fmt in every_format():
        click.echo(f"{fmt.name:<16}  {fmt.title}")


def _print(report: Report) -> None:
    for file, look in report.files:
        click.echo(f"{harmless(file)}: {look}", err=True)
    told = _courses(report)
    for row, course in zip(report.top, told, strict=True):
        classes = "  ".join(f"{name} {n:,}" for name, n in (row.status or {}).items() if n)
        figures = f"{row.count:>10} {100 * row.share:5.1f}%"
        click.echo(f"{figures}  {course}{harmless(row.key)}  {classes}".rstrip())
    if report.explained is not None:
        one = report.explained
        click.echo(f"{100 * one.share:.1f}% come from {harmless(one.key)}", err=True)
    if report.span is not None:
        _print_span(report, report.span)
    if report.parsed < report.lines:
        unknown = report.lines - report.parsed
        click.echo(f"{unknown:,} of {report.lines:,} lines name no {report.by}", err=True)


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
    click.echo(f"{told}; columns: count, share, rate, trend, first seen, 5xx, bytes", err=True)
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
    click.echo(told, err=True)


class _Progress:
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
        click.echo(f"\r{bar}{done / 2**20:,.0f} MiB, {rate:,.0f} MiB/s ", nl=False, err=True)

    def done(self) -> None:
        """Take the bar away."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


if TYPE_CHECKING:
    _: Progress = _Progress()
