"""`warroom` alone: opens the console."""

from __future__ import annotations

import asyncio
import os

import click

from warroom.cli.common import Loaded, build_room, fail, load, refuse_without_terminal
from warroom.config.find import find


def open_console(
    config: str | None,
    *,
    observe: bool = False,
    share: bool = False,
    theme: str = "",
    ascii_only: bool = False,
) -> int:
    """Open the console and stay until it is left; its exit status."""
    refuse_without_terminal()
    if find(config, os.environ).path is None:
        return _propose()
    return show(load(config), observe=observe, share=share, theme=theme, ascii_only=ascii_only)


def show(
    loaded: Loaded,
    *,
    observe: bool = False,
    share: bool = False,
    theme: str = "",
    ascii_only: bool = False,
) -> int:
    """The console on a config that is loaded already."""
    from warroom.tui.run import run

    async def opener() -> object:
        return await asyncio.to_thread(build_room, loaded, observe=observe)

    from warroom.tui.themes import ThemeError

    try:
        return run(loaded.settings, opener, theme=theme, sharing=share, ascii_only=ascii_only)  # type: ignore[arg-type]
    except ThemeError as error:
        fail(str(error))


def _propose() -> int:
    """Without a config: what there is on this machine, and how to go on."""
    from warroom.engine.discover import discover, report
    from warroom.hosts.local import LocalHost

    click.echo("no config found. On this machine there is:\n", err=True)
    click.echo(report(asyncio.run(discover(LocalHost(), os.environ))), err=True)
    click.echo(
        "\n`warroom init -o warroom.toml` writes that down; `warroom drill` shows how it looks.",
        err=True,
    )
    return 2
