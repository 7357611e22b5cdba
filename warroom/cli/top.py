"""`warroom top`: who asks most, from access logs or stdin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from warroom.cli.bare import AllSaid, fail
from warroom.cli.counting import GROUPINGS, counted, print_report
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.logs.keys import By
    from warroom.logs.places import Places
    from warroom.logs.top import As
    from warroom.logs.within import Within


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
    type=click.Choice(GROUPINGS), metavar="|".join(GROUPINGS), help="What to count.",
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
    report = counted(
        files, trend=trend, by=grouping, last=lines, n=number, full=full, reading=reading
    )
    print_report(report, as_json=as_json)
    raise AllSaid


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
