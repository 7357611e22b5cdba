"""`warroom run`: a configured mitigation through the same executor and gate as the console's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from warroom.cli.common import LOOK, Loaded, Look, build_room, chosen, config_option, fail, load
from warroom.cli.gate import EXITS, through
from warroom.cli.inputs import inputs_for, listed
from warroom.config.packaged import definitions
from warroom.config.problems import nearest
from warroom.journal.base import JournalError
from warroom.mitigations.base import MitigationRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warroom.engine.executor import Action, Outcome
    from warroom.engine.room import Room


@click.command()
@click.argument("mitigation", default="")
@click.option("--list", "listing", is_flag=True, help="What can be run, and what it needs.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for an input; the others are asked for on a terminal.",
)
@click.option("--dry-run", is_flag=True, help="Show the card and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; what destroys still wants --type.")
@click.option(
    "--type",
    "typed",
    default="",
    metavar="WORD",
    help="The target's name, to confirm what destroys.",
)
@config_option
def run(
    mitigation: str,
    listing: bool,
    given: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    typed: str,
    config: str | None,
) -> None:
    """Run MITIGATION, named by its key, title or packaged name, on the open incident.

    Exit status 0 done, 1 failed or refused, 2 not confirmed, 3 unknown whether it happened.
    """
    look: Look = click.get_current_context().find_root().meta[LOOK]
    if listing:
        click.echo("\n".join(listed(load(chosen(config), needed=False))))
        return
    if not mitigation:
        fail("which one? `warroom run --list` names them")
    loaded = load(chosen(config))
    room = build_room(loaded, observe=look.observe, dry_run=look.dry_run)
    action = _action(room, loaded, mitigation)
    inputs = inputs_for(action, given)
    outcome = asyncio.run(_run(room, action, inputs, dry_run=dry_run, yes=yes, typed=typed))
    if outcome is None:
        return
    click.echo(f"{outcome.state.value}: {outcome.text}", err=True)
    raise SystemExit(EXITS[outcome.state.value])


def _action(room: Room, loaded: Loaded, name: str) -> Action:
    offered = [a for a in room.actions if a.id.startswith("config:")]
    used = {f"config:{m.entry.place[1]}": m.entry.use for m in loaded.mitigations}
    for action in offered:
        if name in (action.key, action.title, used[action.id]):
            return action
        if action.title.casefold() == name.casefold():
            return action
    if name in definitions():
        fail(f'{name} is not in the config: add [[mitigation]] with use = "{name}"')
    names = [a.title for a in offered]
    return fail(
        f'no mitigation is called "{name}"; {nearest(name, names) or "the config has none"}'
    )


async def _run(
    room: Room,
    action: Action,
    inputs: Mapping[str, str],
    *,
    dry_run: bool,
    yes: bool,
    typed: str,
) -> Outcome | None:
    try:
        await room.open(watch=False)
        refusal = "" if dry_run else room.executor.refusal(action)
        if refusal:
            raise MitigationRefused(refusal)
        armed = await room.executor.arm(action, inputs=inputs)
        return await through(room, armed, dry_run=dry_run, yes=yes, typed=typed)
    except MitigationRefused as error:
        fail(f"refused: {error}", 1)
    except JournalError as error:
        fail(str(error), 1)
    finally:
        await room.close()
