"""`warroom init`, `doctor`, `config`, `completion`: getting to a console that works."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from warroom import __version__
from warroom.cli.common import chosen, config_option, fail
from warroom.config.find import find, places
from warroom.config.settings import Settings
from warroom.journal import path_for

if TYPE_CHECKING:
    from warroom.engine.discover import Discovery

MIN_WIDTH: Final = 60
MIN_HEIGHT: Final = 16
"""What the console needs; `tui.geometry` says the same, and would load Textual to say it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at."""

    ok: bool
    what: str
    why: str


@click.command()
@click.option(
    "--from-runbook",
    "first",
    metavar="FILE...",
    help="Take what runbooks name instead; no system is asked.",
)
@click.argument("more", nargs=-1, metavar="")
@click.option("-o", "output", metavar="FILE", help="Write the config there; stdout when not said.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(first: str | None, more: tuple[str, ...], output: str | None, force: bool) -> None:
    """Discover what is on this machine and write a commented config."""
    from warroom.engine.discover import report, to_toml

    if more and not first:
        fail(f"{more[0]}: what of it? --from-runbook takes what a runbook names")
    if output and output != "-" and Path(output).exists() and not force:
        fail(f"{output} is there already; --force writes over it")
    found = _named((first, *more), output) if first else _discovered()
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


def _discovered() -> Discovery:
    from warroom.engine.discover import discover
    from warroom.hosts.local import LocalHost

    return asyncio.run(discover(LocalHost(), os.environ))


def _named(files: tuple[str, ...], output: str | None) -> Discovery:
    """What runbooks name; the config names them as they are seen from its folder."""
    from warroom.engine.discover import from_runbooks
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import read

    files = tuple(dict.fromkeys(files))
    try:
        runbooks = {file: read(Path(file)) for file in files}
    except RunbookError as error:
        fail(str(error))
    names = [Path(file).name for file in files]
    said = names if len(set(names)) == len(names) else list(files)
    paths = [str(Path(file).absolute()) for file in files]
    if output not in (None, "-"):
        folder = Path(str(output)).absolute().parent
        paths = [os.path.relpath(path, folder) for path in paths]
    return from_runbooks(dict(zip(said, runbooks.values(), strict=True)), tuple(paths))


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

    from warroom.cli.root import warroom

    kind = get_completion_class(shell)
    if kind is None:
        fail(f"no completion for {shell}")
    click.echo(kind(warroom, {}, "warroom", "_WARROOM_COMPLETE").source())


@click.command()
@config_option
def doctor(config: str | None) -> None:
    """What works here, what does not, and why."""
    found = list(_findings(chosen(config)))
    for finding in found:
        mark = click.style("ok   ", fg="green") if finding.ok else click.style("wrong", fg="red")
        click.echo(f"{mark}  {finding.what:<12} {finding.why}")
    raise SystemExit(0 if all(finding.ok for finding in found) else 1)


def _findings(config: str | None) -> Iterator[Finding]:
    yield Finding(True, "warroom", f"{__version__} on Python {platform.python_version()}")
    yield _terminal()
    yield _size()
    encoding = sys.stdout.encoding or ""
    yield Finding(
        True, "encoding", encoding + ("" if "utf" in encoding.lower() else ": use --ascii")
    )
    if os.environ.get("TMUX"):
        yield Finding(True, "tmux", "copying needs `set -g set-clipboard on`")
    verdict, settings = _config(config)
    yield _journal(settings)
    yield verdict


def _terminal() -> Finding:
    term = os.environ.get("TERM", "")
    if term in ("", "dumb"):
        return Finding(False, "terminal", f"TERM={term}: the console needs one that can draw")
    return Finding(True, "terminal", f"TERM={term}")


def _size() -> Finding:
    size = shutil.get_terminal_size()
    said = f"{size.columns}x{size.lines}"
    if size.columns < MIN_WIDTH or size.lines < MIN_HEIGHT:
        return Finding(False, "size", f"{said}, the console needs {MIN_WIDTH}x{MIN_HEIGHT}")
    return Finding(True, "size", said)


def _journal(settings: Settings) -> Finding:
    if settings.journal.dsn is not None:
        return Finding(True, "journal", f"{settings.journal.dsn!r}, shared with other machines")
    path = path_for(settings)
    folder = next(p for p in (path.parent, *path.absolute().parents) if p.exists())
    if os.access(folder, os.W_OK):
        return Finding(True, "journal", str(path))
    said = f"{folder} may not be written to: name another file under [journal] path"
    return Finding(False, "journal", said)


def _config(config: str | None) -> tuple[Finding, Settings]:
    """What there is to say of the config, and its settings: the built-in ones of a wrong one."""
    from warroom.config import trust
    from warroom.config.problems import ConfigError
    from warroom.engine.members import load_settings

    found = find(config, os.environ)
    if found.path is None:
        said = "none: `warroom init -o warroom.toml` writes one"
        return Finding(False, "config", said), Settings()
    verdict = trust.check(found)
    if verdict.refused:
        return Finding(False, "config", verdict.refused), Settings()
    try:
        settings, probes, mitigations = load_settings(found.path, verdict.content)
    except ConfigError as error:
        return Finding(False, "config", str(error)), Settings()
    counted = f"{len(probes)} probes, {len(settings.logs)} logs, {len(mitigations)} mitigations"
    trusted = " (not trusted yet)" if verdict.needs_trust else ""
    return Finding(True, "config", f"{found.path}: {counted}{trusted}"), settings
