"""What several commands need: the config, the journal, a room."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warroom.cli.bare import fail as fail
from warroom.cli.documents import escaped as escaped
from warroom.cli.documents import print_json as print_json
from warroom.cli.look import LOOK as LOOK
from warroom.cli.look import Look as Look
from warroom.config.find import find
from warroom.config.problems import ConfigError
from warroom.config.settings import Settings

if TYPE_CHECKING:
    from warroom.config.load import Document
    from warroom.engine.members import MitigationMember, ProbeMember
    from warroom.engine.room import Room
    from warroom.engine.session import Session
    from warroom.engine.shelf import Book, Shelf
    from warroom.engine.takeup import TakenUp
    from warroom.journal.base import Journal

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that may be used, with its members."""

    settings: Settings
    probes: tuple[ProbeMember, ...] = ()
    mitigations: tuple[MitigationMember, ...] = ()
    shelf: Shelf | None = None

    @property
    def books(self) -> tuple[Book, ...]:
        """The runbooks on the shelf."""
        return self.shelf.books if self.shelf else ()


def config_option(command: F) -> F:
    """`--config` is accepted after every command, too."""
    return click.option(
        "--config", metavar="FILE", help="The config; found by itself when not said."
    )(command)


def chosen(config: str | None) -> str | None:
    """`--config` after the command, else the one before it."""
    context = click.get_current_context()
    return config or context.find_root().obj


def load(config: str | None, *, needed: bool = True) -> Loaded:
    """The config, trusted and whole. Leaves with exit 2 and the reasons when it is not.

    Without any config: the built-in settings when none is `needed`, else what to do.
    """
    document = trusted(config)
    if document is None:
        if needed:
            fail("no config found: `warroom init -o warroom.toml` writes one for this machine")
        return Loaded(Settings())
    try:
        return complete(document)
    except ConfigError as error:
        fail(str(error))


def complete(document: Document, runbooks: Sequence[str] = ()) -> Loaded:
    """A config with its members, and what its runbooks and those named say.

    Raises ConfigError with everything that is wrong.
    """
    from warroom.engine.adopt import adopted
    from warroom.engine.members import settled
    from warroom.engine.shelf import read_shelf

    settings, probes, mitigations = settled(document)
    shelf = read_shelf(settings, runbooks)
    return Loaded(adopted(settings, shelf, runbooks), probes, mitigations, shelf)


def trusted(config: str | None) -> Document | None:
    """The config, trusted but without its members; None when there is none.

    Leaves with exit 2 and every reason when it may not be used or is wrong already.
    """
    from warroom.config import trust
    from warroom.config.load import decode

    found = find(config, os.environ)
    if found.path is None:
        return None
    verdict = trust.check(found)
    if verdict.refused:
        fail(verdict.refused)
    if verdict.needs_trust:
        _ask_trust(found.path, verdict.digest)
    try:
        document = decode(verdict.content, found.path)
        if document.problems:
            complete(document)
    except ConfigError as error:
        fail(str(error))
    return document


def _ask_trust(path: Path, digest: str) -> None:
    from warroom.config import trust

    said = f"{path} lies in the current folder and may run commands; it has not been trusted yet."
    if not sys.stdin.isatty():
        fail(f"{said}\nname it to trust it: --config {path}")
    click.echo(said, err=True)
    if not click.confirm("Trust exactly this content from now on?", default=False, err=True):
        fail("not trusted: nothing was done")
    try:
        trust.remember(path, digest)
    except OSError as error:
        click.echo(f"the trust could not be remembered: {error.strerror}", err=True)


def open_journal(settings: Settings) -> Journal:
    """The journal that the config names, or the user's."""
    from warroom.journal import open_journal as opened

    return opened(settings)


def build_room(
    loaded: Loaded,
    *,
    observe: bool = False,
    dry_run: bool = False,
    journal: Journal | None = None,
    ahead: Awaitable[TakenUp | None] | None = None,
) -> Room:
    """A room for a config; nothing is contacted yet. `journal` is the config's, where it is open
    already, and `ahead` what is being read from it."""
    from warroom.engine.author import author_of
    from warroom.engine.checks import load_checks
    from warroom.engine.room import Room

    settings = loaded.settings
    checks, problems = load_checks(settings.checks)
    if problems:
        fail("\n".join(f"{p.key}: {p.message}" for p in problems))
    observe = observe or settings.console.observe
    return Room(
        settings,
        loaded.probes,
        loaded.mitigations,
        checks,
        journal or open_journal(settings),
        author_of(os.environ),
        observe=observe,
        dry_run=dry_run,
        ahead=ahead,
        shelf=loaded.shelf,
    )


def with_session(loaded: Loaded, doing: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
    """Run `doing` with a session on the journal; journal errors leave with one plain line."""
    from warroom.domain.clock import SystemClock
    from warroom.engine.author import author_of
    from warroom.engine.session import Session
    from warroom.journal.base import JournalError

    found: list[T] = []

    async def run() -> None:
        journal = open_journal(loaded.settings)
        try:
            author = author_of(os.environ)
            session = Session(journal, SystemClock(), author, loaded.settings.scheme)
            found.append(await doing(session))
        finally:
            await journal.close()

    try:
        asyncio.run(run())  # a result of its own it would write out in full, twice, as it ends
    except JournalError as error:
        fail(str(error), 1)
    return found[0]


def refuse_without_terminal() -> None:
    """The console needs a terminal that can draw; scripts have `warroom check`."""
    instead = "for scripts there is `warroom check`"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        fail(f"the console needs a terminal; {instead}")
    if os.environ.get("TERM", "") in ("", "dumb"):
        fail(f"the console needs a terminal that can draw, and TERM says it cannot; {instead}")
    if not sys.stderr.isatty():
        fail("the console draws through stderr: leave it on the terminal")
