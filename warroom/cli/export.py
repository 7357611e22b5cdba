"""`warroom export`: the post-mortem and the data, taken home."""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warroom.cli.bare import AllSaid
from warroom.cli.common import Loaded, chosen, config_option, escaped, fail, load, with_session
from warroom.cli.incident import resumed

if TYPE_CHECKING:
    from warroom.engine.export import Choice, Material
    from warroom.engine.session import Session
    from warroom.engine.shelf import Book


@click.command()
@click.argument("id", required=False)
@click.option(
    "--format",
    "form",
    default="md",
    show_default=True,
    help="md, html, json, csv or bundle; several with commas.",
)
@click.option(
    "--template",
    metavar="NAME|FILE",
    default="",
    help="For md, html and bundle; a team's own file, or its runbook's structure: runbook.",
)
@click.option(
    "--runbook", "runbooks", multiple=True, metavar="FILE", help="Beside those of the config."
)
@click.option(
    "--audience",
    type=click.Choice(["internal", "external"]),
    default="internal",
    show_default=True,
    help="external: only what was chosen for outside, without names and addresses.",
)
@click.option("-o", "output", metavar="FILE", help="Where to; - is stdout (the default).")
@click.option("--strict", is_flag=True, help="Exit 1 when something is still missing.")
@click.option(
    "--list-templates", is_flag=True, help="Print the templates that there are and leave."
)
@config_option
def export(
    id: str | None,
    form: str,
    template: str,
    audience: str,
    output: str | None,
    strict: bool,
    list_templates: bool,
    runbooks: tuple[str, ...],
    config: str | None,
) -> None:
    """Write the post-mortem or the data of the open incident, or of ID."""
    if list_templates:
        _list_templates(_loaded(config, runbooks).books)
        return
    gc.disable()  # next to nothing becomes garbage before the end, and to look for it takes a tenth
    from warroom.engine.export import FORMATS, Choice, ExportError, material, missing, prepare
    from warroom.engine.learned import learned

    forms = tuple(part.strip() for part in form.split(","))
    for one in forms:
        if one not in FORMATS:
            fail(f'"{one}" is not a format; there are: {", ".join(FORMATS)}')
    loaded = _loaded(config, runbooks)
    choice = Choice(forms, template, external=audience == "external")

    async def taken(session: Session) -> Material:
        loading = asyncio.create_task(asyncio.to_thread(prepare))
        await resumed(session, id)
        await loading
        made = await material(
            session, loaded.settings, choice, learned(session, loaded.shelf), loaded.books
        )
        if output in (None, "-"):
            _print(made, forms)
        else:
            await _write(session, made, choice, Path(str(output)))
        return made

    try:
        made = with_session(loaded, taken)
    except ExportError as error:
        fail(str(error), 1)
    _say_missing(missing(made, forms), strict)
    raise AllSaid


def _loaded(config: str | None, runbooks: tuple[str, ...]) -> Loaded:
    """The config with its runbooks and those named; only these where there is no config."""
    from warroom.config.problems import ConfigError
    from warroom.engine.shelf import read_shelf

    loaded = load(chosen(config), needed=False)
    if not runbooks:
        return loaded
    try:
        return replace(loaded, shelf=read_shelf(loaded.settings, runbooks))
    except ConfigError as error:
        fail(str(error))


def _list_templates(books: tuple[Book, ...]) -> None:
    from warroom.engine.templates import listed

    for name, about in listed(books):
        click.echo(f"{name:<10} {about}")


def _print(made: Material, forms: tuple[str, ...]) -> None:
    """To stdout, one format after the other; what lies beside a report needs a file."""
    from warroom.engine.export import drawn, rendered

    for form in forms:
        if form == "bundle" and sys.stdout.isatty():
            fail("a bundle is no text: name a file with -o")
        content = rendered(made, form, figures=drawn(made) if form in ("html", "bundle") else ())
        for piece in content:
            if form == "json" and sys.stdout.isatty():
                click.echo(escaped(piece.decode()), nl=False)
            else:
                click.echo(piece, nl=False)
        if form != "bundle" and not piece.endswith(b"\n"):
            click.echo()


async def _write(session: Session, made: Material, choice: Choice, path: Path) -> None:
    """Into files. That a post-mortem was written belongs to the incident, but it is there
    without that, too."""
    from warroom.engine.export import POSTMORTEMS, record_export, write
    from warroom.journal.base import JournalError

    written = write(made, choice.forms, path)
    click.echo("\n".join(map(str, written)), err=True)
    if POSTMORTEMS & set(choice.forms):
        try:
            await record_export(session, choice, written)
        except JournalError as error:
            click.echo(f"NOT SAVED that it was written: {error}", err=True)


def _say_missing(lines: list[str], strict: bool) -> None:
    """What is still to be written, on stderr; with `strict` exit 1 says so, too."""
    for line in lines:
        click.echo(f"still missing: {line}", err=True)
    if lines and strict:
        raise SystemExit(1)
