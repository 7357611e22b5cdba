"""`warroom top`: who asks most, from access logs or stdin."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from warroom.cli.common import fail
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.logs.top import Progress, Report

_PATIENCE_S: Final = 1.0
_REPAINT_S: Final = 0.2


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--by", default="ip", show_default=True,
    type=click.Choice(["ip", "range", "path", "status", "agent"]), help="What to count.",
)  # fmt: skip
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1))
@click.option(
    "--last", type=click.IntRange(1), metavar="LINES", help="Only the last lines of each."
)
@click.option("--json", "as_json", is_flag=True, help="With bytes and status classes.")
def top(files: tuple[str, ...], by: str, number: int, last: int | None, as_json: bool) -> None:
    """Count requests in FILEs (.gz, .bz2 and .xz too; - is stdin), most first."""
    from warroom.logs.top import count, to_json

    progress = _Progress() if sys.stderr.isatty() else None
    full = as_json or by != "ip"
    try:
        report = count(files, by, last, progress, n=number, full=full)  # type: ignore[arg-type]
    except (OSError, EOFError) as error:
        file = getattr(error, "filename", None)
        place = f"{harmless(str(file))}: " if file else ""
        fail(f"{place}{getattr(error, 'strerror', None) or error}", 1)
    finally:
        if progress is not None:
            progress.done()
    if as_json:
        click.echo(json.dumps(to_json(report), ensure_ascii=False, indent=2))
    else:
        _print(report)


def _print(report: Report) -> None:
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
