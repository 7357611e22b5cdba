"""`warroom` alone: opens the console."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING, Final

import click

from warroom.cli.common import (
    Look,
    build_room,
    complete,
    fail,
    open_journal,
    refuse_without_terminal,
    trusted,
)
from warroom.cli.piped import followed, taken_over
from warroom.config.problems import ConfigError

if TYPE_CHECKING:
    from warroom.config.load import Document
    from warroom.engine.room import Room
    from warroom.engine.takeup import TakenUp
    from warroom.journal.base import Journal


STARTED_S: Final = 3.0
"""Seconds after the first paint in which no garbage is collected."""


def open_console(config: str | None, look: Look) -> int:
    """Open the console and stay until it is left; its exit status."""
    fd = taken_over()
    refuse_without_terminal()
    document = trusted(config)
    if document is not None and fd is not None:
        document.settings = followed(document.settings, fd)
    return _propose() if document is None else show(document, look)


def show(document: Document, look: Look) -> int:
    """The console on a config. The probes' own options are looked at after the first paint.

    Garbage is not looked for until the panes have data: while modules are loaded there is next to
    none, and walking all that they bring again and again took a seventh of the start.
    """
    gc.disable()
    from warroom.tui.run import run
    from warroom.tui.themes import ThemeError

    def build(journal: Journal, ahead: asyncio.Task[TakenUp | None]) -> Room:
        loaded = complete(document, look.runbooks)
        return build_room(
            loaded, observe=look.observe, dry_run=look.dry_run, journal=journal, ahead=ahead
        )

    async def opener() -> Room:
        """What the journal knows is read while the room is built."""
        from warroom.engine.takeup import take_up
        from warroom.hosts import tasks

        asyncio.get_running_loop().call_later(STARTED_S, _collect_from_now)
        journal = open_journal(document.settings)
        ahead = asyncio.create_task(take_up(journal))
        try:
            return await asyncio.to_thread(build, journal, ahead)
        except BaseException:
            await tasks.end([ahead])
            await journal.close()
            raise

    try:
        return run(
            document.settings,
            opener,
            theme=look.theme,
            sharing=look.share,
            ascii_only=look.ascii_only,
            missing=look.missing,
        )
    except (ConfigError, ThemeError) as error:
        fail(str(error))


def _collect_from_now() -> None:
    """What is there by now stays until the end: collections need not walk it."""
    gc.freeze()
    gc.enable()


def _propose() -> int:
    """Without a config: what there is on this machine, and how to go on."""
    from warroom.engine.discover import discover, report
    from warroom.hosts.local import LocalHost

    click.echo("no config found. On this machine there is:\n", err=True)
    click.echo(report(asyncio.run(discover(LocalHost(), os.environ))), err=True)
    click.echo("\n`warroom init -o warroom.toml` writes that down.", err=True)
    click.echo("`warroom drill` shows how it looks on a stack of its own.", err=True)
    return 2
