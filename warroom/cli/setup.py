"""`warroom init`, `doctor`, `config`, `completion`: getting to a console that works."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from warroom import __version__
from warroom.cli.common import chosen, config_option, fail
from warroom.config.find import find, places


@click.command()
@click.option(
    "--from-runbook", "runbooks", multiple=True, metavar="FILE", help="Take what a runbook names."
)
@click.option("-o", "output", metavar="FILE", help="Write the config there; stdout when not said.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(runbooks: tuple[str, ...], output: str | None, force: bool) -> None:
    """Discover what is on this machine and write a commented config."""
    from warroom.engine.discover import discover, report, to_toml
    from warroom.hosts.local import LocalHost

    if runbooks:
        fail("--from-runbook is not built yet; `warroom runbook show FILE` says what was found")
    if output and output != "-" and Path(output).exists() and not force:
        fail(f"{output} is there already; --force writes over it")
    found = asyncio.run(discover(LocalHost(), os.environ))
    click.echo(report(found), err=True)
    text = to_toml(found)
    if output in (None, "-"):
        click.echo(text, nl=False)
        return
    from warroom.engine.export import ExportError, save

    try:
        save(Path(str(output)), text)
    except ExportError as error:
        fail(str(error), 1)
    click.echo(f"\nwritten: {output}   next: warroom --config {output}", err=True)


@click.group()
def config() -> None:
    """Where the config is."""


@config.command()
@config_option
def path(config: str | None) -> None:
    """Print the config that is used, or where one is looked for."""
    found = find(chosen(config), os.environ)
    if found.path is not None:
        click.echo(found.path)
        click.echo(f"found by {found.how}", err=True)
        return
    for place, how in places(os.environ):
        click.echo(f"not there: {place} ({how})", err=True)
    raise SystemExit(1)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL: eval "$(warroom completion bash)"."""
    from click.shell_completion import get_completion_class

    from warroom.cli import warroom

    kind = get_completion_class(shell)
    if kind is None:
        fail(f"no completion for {shell}")
    click.echo(kind(warroom, {}, "warroom", "_WARROOM_COMPLETE").source())


@click.command()
@config_option
def doctor(config: str | None) -> None:
    """What works here, what does not, and why."""
    bad = 0
    for ok, what, why in _findings(chosen(config)):
        mark = click.style("ok   ", fg="green") if ok else click.style("wrong", fg="red")
        click.echo(f"{mark}  {what:<12} {why}")
        bad += not ok
    raise SystemExit(1 if bad else 0)


def _findings(config: str | None) -> Iterator[tuple[bool, str, str]]:
    yield True, "warroom", f"{__version__} on Python {platform.python_version()}"
    term = os.environ.get("TERM", "")
    yield (
        bool(term) and term != "dumb",
        "terminal",
        f"TERM={term or 'not set'}"
        + ("" if term and term != "dumb" else ": the console needs a terminal that can draw"),
    )
    size = shutil.get_terminal_size()
    fits = size.columns >= 60 and size.lines >= 16
    yield (
        fits,
        "size",
        f"{size.columns}x{size.lines}" + ("" if fits else ", the console needs 60x16"),
    )
    encoding = sys.stdout.encoding or ""
    utf = "utf" in encoding.lower()
    yield True, "encoding", encoding + ("" if utf else ": use --ascii")
    if os.environ.get("TMUX"):
        yield True, "tmux", "copying needs `set -g set-clipboard on`"
    yield _journal()
    yield from _config(config)


def _journal() -> tuple[bool, str, str]:
    from warroom.journal import default_path

    path = default_path()
    folder = next(p for p in (path.parent, *path.parents) if p.exists())
    if os.access(folder, os.W_OK):
        return True, "journal", str(path)
    return (
        False,
        "journal",
        f"{folder} may not be written to: name another file under [journal] path",
    )


def _config(config: str | None) -> Iterator[tuple[bool, str, str]]:
    from warroom.config import trust
    from warroom.config.problems import ConfigError
    from warroom.engine.members import load_settings

    found = find(config, os.environ)
    if found.path is None:
        yield False, "config", "none: `warroom init -o warroom.toml` writes one"
        return
    verdict = trust.check(found)
    if verdict.refused:
        yield False, "config", verdict.refused
        return
    try:
        settings, probes, mitigations = load_settings(found.path, verdict.content)
    except ConfigError as error:
        yield False, "config", str(error)
        return
    counted = f"{len(probes)} probes, {len(settings.logs)} logs, {len(mitigations)} mitigations"
    trusted = " (not trusted yet)" if verdict.needs_trust else ""
    yield True, "config", f"{found.path}: {counted}{trusted}"
