"""The root command: its options, its members, and how a wrong word is answered.

Each sub-command's module is imported when it is called.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from warroom import __version__
from warroom.cli.bare import unread
from warroom.cli.look import LOOK, Look

_COMMANDS: Final = {
    "init": "setup:init",
    "check": "check:check",
    "incident": "incident:incident",
    "note": "incident:note",
    "journal": "journal:journal",
    "run": "act:run",
    "undo": "back:undo",
    "verify": "back:verify",
    "approve": "back:approve",
    "update": "update:update",
    "contacts": "update:contacts",
    "export": "export:export",
    "top": "top:top",
    "runbook": "runbook:runbook",
    "drill": "drill:drill",
    "doctor": "setup:doctor",
    "config": "setup:config",
    "completion": "setup:completion",
}


class Commands(click.Group):
    """A group whose members are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"warroom.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            from warroom.config.problems import nearest

            raise click.UsageError(
                f'no command is called "{args[0]}"; {nearest(args[0], _COMMANDS)}'
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """A reader that went away (`| head`) is no error. Click's own end would be 1, which says
        "warning" to whoever runs `warroom check`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            unread()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command the console opens, and follows what is piped in (COMMAND | warroom). "
    "? in it lists every key.",
)
@click.version_option(__version__, prog_name="warroom")
@click.option("--config", metavar="FILE", help="The config; found by itself when not said.")
@click.option("--observe", is_flag=True, help="Look, but change nothing.")
@click.option("--dry-run", is_flag=True, help="Show every card, and run nothing.")
@click.option("--share", is_flag=True, help="Mask addresses and secrets on the screen.")
@click.option(
    "--theme", metavar="NAME", help="dark, light, high-contrast, colour-blind, ansi, mono."
)
@click.option(
    "--runbook", "runbooks", multiple=True, metavar="FILE", help="Its severities and checklist."
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.pass_context
def warroom(
    ctx: click.Context,
    config: str | None,
    observe: bool,
    dry_run: bool,
    share: bool,
    theme: str | None,
    runbooks: tuple[str, ...],
    ascii_only: bool,
) -> None:
    """The incident war room in one terminal."""
    ctx.obj = config
    ctx.meta[LOOK] = look = Look(theme or "", share, ascii_only, observe, runbooks, dry_run=dry_run)
    if ctx.invoked_subcommand is None:
        from warroom.cli.console import open_console

        sys.exit(open_console(config, look))
