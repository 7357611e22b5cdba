"""`warroom top`: who asks most, from access logs or stdin."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, cast

import click

from warroom.cli.bare import fail
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.logs.keys import By
    from warroom.logs.top import As, Progress, Report

_GROUPINGS: Final = (
    "ip", "range", "wide", "narrow", "path", "url", "status", "method", "agent", "host",
    "country", "asn",
)  # fmt: skip
"""As in `logs.keys`, which is imported when something is counted."""
_PATIENCE_S: Final = 1.0
_REPAINT_S: Final = 0.2


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--by", default="ip", show_default=True,
    type=click.Choice(_GROUPINGS), metavar="|".join(_GROUPINGS), help="What to count.",
)  # fmt: skip
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1))
@click.option(
    "--last", type=click.IntRange(1), metavar="LINES", help="Only the last lines of each."
)
@click.option(
    "--format", "written", metavar="FORMAT",
    help="A format's name, nginx's log_format, a #Fields line or a pattern with (?P<client>…), "
    "for what is not recognised; `list` lists the names.",
)  # fmt: skip
@click.option(
    "--trust", multiple=True, metavar="NETWORK",
    help="A proxy's address or network: its X-Forwarded-For is believed.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With bytes and status classes.")
def top(
    files: tuple[str, ...],
    by: str,
    number: int,
    last: int | None,
    written: str | None,
    trust: tuple[str, ...],
    as_json: bool,
) -> None:
    """Count requests in FILEs (.gz, .bz2 and .xz too; - is stdin), most first."""
    from warroom.logs.top import count, to_json

    if written == "list":
        _list_formats()
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    reading = _reading(written, trust)
    progress = _Progress() if sys.stderr.isatty() else None
    full = as_json or by != "ip"
    try:
        grouping = cast("By", by)  # click lets only its words pass
        report = count(files, grouping, last, progress, n=number, full=full, reading=reading)
    except (OSError, EOFError) as error:
        file = getattr(error, "filename", None)
        place = f"{harmless(str(file))}: " if file else ""
        fail(f"{place}{getattr(error, 'strerror', None) or error}", 1)
    finally:
        if progress is not None:
            progress.done()
    if as_json:
        import json

        click.echo(json.dumps(to_json(report), ensure_ascii=False, indent=2))
    else:
        _print(report)


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


def _list_formats() -> None:
    from warroom.logs.recognise import every_format

    for fmt in every_format():
        click.echo(f"{fmt.name:<16}  {fmt.title}")


def _print(report: Report) -> None:
    for file, look in report.files:
        click.echo(f"{harmless(file)}: {look}", err=True)
    for row in report.top:
        classes = "  ".join(f"{name} {n:,}" for name, n in (row.status or {}).items() if n)
        click.echo(
            f"{row.count:>10} {100 * row.share:5.1f}%  {harmless(row.key)}  {classes}".rstrip()
        )
    if report.parsed < report.lines:
        unknown = report.lines - report.parsed
        click.echo(f"{unknown:,} of {report.lines:,} lines name no {report.by}", err=True)


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
        share = f"{100 * done // total:3d}%" if total else "    "
        rate = done / (now - self._started) / 2**20
        click.echo(f"\r{share}  {done / 2**20:,.0f} MiB, {rate:,.0f} MiB/s ", nl=False, err=True)

    def done(self) -> None:
        """Take the bar away."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


if TYPE_CHECKING:
    _: Progress = _Progress()
