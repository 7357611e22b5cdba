"""How the command line confirms a card: shown, typed, and waited for."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import click

from warroom.cli.common import fail

if TYPE_CHECKING:
    from warroom.engine.executor import Armed, Outcome
    from warroom.engine.room import Room

EXITS: Final = {"done": 0, "failed": 1, "refused": 1, "UNKNOWN": 3}
_LOOK_S: Final = 0.2


async def through(
    room: Room, armed: Armed, *, dry_run: bool, yes: bool, typed: str
) -> Outcome | None:
    """Show the card, have it confirmed and run it; None after a dry run. Leaves when it is not."""
    try:
        click.echo(card_text(armed), err=not dry_run)  # of a dry run the card is the answer
        if dry_run:
            return None
        confirmed = _confirmed(armed, yes, typed)
        return await _watched(room, armed, confirmed)
    finally:
        await room.executor.disarm(armed)


async def _watched(room: Room, armed: Armed, typed: str) -> Outcome:
    """Run it, saying what it says, and that it waits for another person."""
    doing = asyncio.create_task(room.run(armed, typed))
    told, waiting = 0, False
    try:
        while not doing.done():
            await asyncio.wait({doing}, timeout=_LOOK_S)
            run = room.executor.running.get(armed.action.id)
            if run is not None and run.asked is not None and not waiting:
                waiting = True
                click.echo(
                    f"waiting for another person: `warroom approve {run.asked.seq}` as another "
                    "login, or M in a console; ctrl+c withdraws",
                    err=True,
                )
            told = _say(armed, told)
    except asyncio.CancelledError:
        doing.cancel()
        await asyncio.wait({doing})
        raise
    _say(armed, told)
    return doing.result()


def _say(armed: Armed, told: int) -> int:
    output = armed.output
    fresh = min(output.count - told, len(output.lines))
    for line in list(output.lines)[len(output.lines) - fresh :]:
        click.echo(f"  | {line}", err=True)
    return output.count


def _confirmed(armed: Armed, yes: bool, typed: str) -> str:
    """What was typed for the card's word; empty when it has none. Leaves when it is not run."""
    if armed.word:
        if typed:
            return typed
        if not sys.stdin.isatty():
            what = "destroys" if armed.card.risk.value == "destroy" else "changes production"
            fail(f'this {what}: confirm with --type "{armed.word}"')
        asked = f'type "{armed.word}" to run it'
        return str(click.prompt(asked, default="", show_default=False, err=True))
    if not yes:
        if not sys.stdin.isatty():
            fail("not confirmed: add --yes")
        if not click.confirm("run it?", default=False, err=True):
            fail("not run", 1)
    return ""


def card_text(armed: Armed) -> str:
    """The card in plain lines."""
    card = armed.card
    lines = [
        ("target", f"{card.target.label} ({card.target.id})"),
        ("on", card.host or "this machine"),
        *(("runs", command) for command in card.command),
        *(("hits", f"{what}: {much}") for what, much in card.hits),
        ("undo", card.undo),
        *(("!", note) for note in (*armed.notes, *card.warnings)),
    ]
    if armed.approvals > 1:
        lines.append(("!", f"{armed.approvals - 1} more must confirm it"))
    title = f"{card.title}  [{card.risk.value}]"
    return "\n".join([title, *(f"  {name:<7} {text}" for name, text in lines)])
