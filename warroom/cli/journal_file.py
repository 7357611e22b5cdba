"""`warroom journal path`, `status`, `verify`, `salvage`: where the record is, and whether it is
whole; what is left of a damaged one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from warroom.cli.common import chosen, config_option, fail, load, print_json, with_session

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.engine.session import Session
    from warroom.journal.salvage import Salvage


@click.command()
@config_option
def path(config: str | None) -> None:
    """Print where the journal is: its file, or the database that several machines share."""
    settings = load(chosen(config), needed=False).settings
    click.echo(_name(settings) if settings.journal.dsn else _file(settings))


@click.command()
@click.option("--json", "as_json", is_flag=True)
@config_option
def status(as_json: bool, config: str | None) -> None:
    """How large the journal is, what is in it, and how much room there is."""
    loaded = load(chosen(config), needed=False)

    async def look(session: Session) -> dict[str, Any]:
        from warroom.journal.sqlite import SqliteJournal

        headings = await session.journal.headings()
        counts = {"incidents": len(headings), "events": sum(h.events for h in headings)}
        if isinstance(session.journal, SqliteJournal):
            return {**counts, **await session.journal.figures()}
        return counts

    found = {"journal": _name(loaded.settings), **with_session(loaded, look)}
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        shown = f"{value / 2**20:,.1f} MiB" if name.endswith("_bytes") else value
        click.echo(f"{name.removesuffix('_bytes').replace('_', ' '):<16} {shown}")


@click.command()
@config_option
def verify(config: str | None) -> None:
    """Whether every entry of every incident is as it was written. Exit status 1: one is not."""

    from warroom.journal.salvage import chain_in_words

    async def walk(session: Session) -> list[tuple[str, int, int]]:
        journal = session.journal
        return [(h.id, h.events, await journal.verify(h.id)) for h in await journal.headings()]

    found = with_session(load(chosen(config), needed=False), walk)
    for name, count, fault in found:
        click.echo(f"{name}: {count} entries, {chain_in_words(fault)}")
    if not found:
        click.echo("there is no incident", err=True)
    if any(fault for _, _, fault in found):
        raise SystemExit(1)


@click.command()
@click.argument("damaged", metavar="[PATH]", required=False)
@click.option("-o", "--output", metavar="NEW", help="The new journal; beside the damaged one.")
@config_option
def salvage(damaged: str | None, output: str | None, config: str | None) -> None:
    """Read what is left of a damaged journal (the config's, or PATH) into a new one.

    The damaged file is copied aside and stays as it is. Leave every console first. Exit status 1:
    something is missing, and what.
    """
    from warroom.journal.base import JournalError
    from warroom.journal.salvage import beside, lost, told
    from warroom.journal.salvage import salvage as salvaged

    place = Path(damaged) if damaged else _file(load(chosen(config), needed=False).settings)
    new = Path(output) if output else beside(place)
    try:
        found = salvaged(place, new)
    except JournalError as error:
        fail(str(error), 1)
    for line in told(found):
        click.echo(line)
    for line in lost(found, place):
        click.echo(line, err=True)
    _say(found, place)
    if not found.whole or found.unreadable or any(one.fault for one in found.incidents):
        raise SystemExit(1)


def _say(found: Salvage, place: Path) -> None:
    click.echo(f"the damaged files as they are: {found.aside}", err=True)
    click.echo(
        f"written: {found.new}\nto go on with it: move {place} and its -wal and -shm away, then "
        f"{found.new} to {place}",
        err=True,
    )


def _file(settings: Settings) -> Path:
    from warroom.journal import path_for

    if settings.journal.dsn is not None:
        fail("the journal is a database, not a file: its server repairs it, or its backup")
    return path_for(settings)


def _name(settings: Settings) -> str:
    from warroom.journal import name_of
    from warroom.journal.base import JournalError

    try:
        return asyncio.run(name_of(settings))
    except JournalError as error:
        fail(str(error), 1)
