"""`warroom journal`: the record's file (see `journal_file`), and the database that several machines
share, made ready by its owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from warroom.cli import journal_file
from warroom.cli.common import chosen, config_option, fail, load

if TYPE_CHECKING:
    from warroom.config.values import Secret
    from warroom.journal.postgres import PostgresJournal

_dsn = click.option(
    "--dsn", metavar="PLACE", help="env:NAME or file:PATH of its owner's; else [journal] dsn."
)


@click.group()
def journal() -> None:
    """Where the record is and whether it is whole; a shared one made ready by its owner."""


for _command in (journal_file.path, journal_file.status, journal_file.verify, journal_file.salvage):
    journal.add_command(_command)


@journal.command()
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Let it append, too.")
def sql(roles: tuple[str, ...]) -> None:
    """Print the SQL that makes an empty journal: `warroom journal sql --role war | psql DB`."""
    from warroom.journal.postgres import schema_sql

    click.echo(schema_sql(roles))


@journal.command()
@_dsn
@config_option
def migrate(dsn: str | None, config: str | None) -> None:
    """Make the journal, or bring an older one to this version."""
    version = _with(_secret(dsn, config), lambda shared: shared.prepare())
    click.echo(f"the journal is at version {version}")


@journal.command()
@click.argument("role")
@_dsn
@config_option
def grant(role: str, dsn: str | None, config: str | None) -> None:
    """Let a database role read the journal and append to it, and nothing else."""
    _with(_secret(dsn, config), lambda shared: shared.grant(role))
    click.echo(f"{role} may read the journal and append to it")


def _secret(dsn: str | None, config: str | None) -> Secret:
    from warroom.config.values import Secret

    if dsn is not None:
        try:
            return Secret(dsn)
        except ValueError as error:
            fail(f"--dsn: {error}")
    found = load(chosen(config)).settings.journal.dsn
    if found is None:
        fail('the config names no shared journal: write dsn = "env:WARROOM_JOURNAL" in [journal]')
    return found


def _with(dsn: Secret, doing: Callable[[PostgresJournal], Awaitable[object]]) -> object:
    from warroom.journal.base import JournalError
    from warroom.journal.postgres import PostgresJournal

    async def run() -> object:
        shared = PostgresJournal(dsn)
        try:
            return await doing(shared)
        finally:
            await shared.close()

    try:
        return asyncio.run(run())
    except JournalError as error:
        fail(str(error), 1)
