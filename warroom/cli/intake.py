"""`warroom incident import` and `verify-bundle`: what was taken home elsewhere comes here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from warroom.cli.common import chosen, config_option, fail, load, with_session

if TYPE_CHECKING:
    from warroom.engine.session import Session


@click.command(name="import")
@click.argument("file")
@config_option
def take_in(file: str, config: str | None) -> None:
    """Take in an incident from FILE, its exported JSON or bundle; prints its id here.

    Its chain is checked, and where it comes from is kept with it. Nothing in it is run.
    """
    from warroom.engine.intake import IntakeError
    from warroom.engine.intake import take_in as taken

    async def store(session: Session) -> str:
        return await taken(session.journal, Path(file))

    try:
        click.echo(with_session(load(chosen(config), needed=False), store))
    except IntakeError as error:
        fail(str(error), 1)


@click.command(name="verify-bundle")
@click.argument("file")
@click.option("--config", hidden=True, expose_value=False)  # taken everywhere; not needed here
def verify_bundle(file: str) -> None:
    """Whether FILE, a bundle or exported JSON, is as it was exported; changes nothing."""
    from warroom.engine.intake import IntakeError, read

    try:
        found = read(Path(file))
    except IntakeError as error:
        fail(str(error), 1)
    events = found.exported.events
    whole = f"{found.files} files as the manifest has them, " if found.files else ""
    click.echo(f"{events[0].incident}: {whole}{len(events)} entries, the chain holds")
    click.echo(found.origin, err=True)
