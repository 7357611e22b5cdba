"""`warroom undo`, `warroom verify`, `warroom approve`: what was changed, without the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warroom.cli.common import LOOK, Look, build_room, chosen, config_option, fail, load
from warroom.cli.gate import EXITS, through
from warroom.domain.approvals import State
from warroom.domain.clock import span
from warroom.journal.base import JournalError
from warroom.mitigations.base import MitigationRefused

if TYPE_CHECKING:
    from warroom.domain.ledger import Change
    from warroom.engine.executor import Outcome
    from warroom.engine.room import Room

T = TypeVar("T")


@click.command()
@click.argument("request", type=int, default=0)
@click.option("--dry-run", is_flag=True, help="Show the card and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; what destroys still wants --type.")
@click.option("--type", "typed", default="", metavar="WORD", help="What the card wants typed.")
@config_option
def undo(request: int, dry_run: bool, yes: bool, typed: str, config: str | None) -> None:
    """Take back what REQUEST (its number in the timeline) has changed; without it, what can be.

    Exit status 0 done, 1 failed or refused, 2 not confirmed, 3 unknown whether it happened.
    """

    async def back(room: Room) -> Outcome | None:
        changes = room.ledger.changes()
        if not request:
            click.echo("\n".join(_listed(room, change) for change in changes))
            if not changes:
                click.echo("nothing stands that can be taken back", err=True)
            return None
        incident = room.session.events[0].incident if room.session.events else ""
        found = [c for c in changes if c.request.seq == request]
        found.sort(key=lambda c: c.request.event.incident != incident)
        if not found:
            fail(f"{request} has changed nothing that stands: `warroom undo` lists what does", 1)
        armed = await room.ledger.arm(found[0])
        return await through(room, armed, dry_run=dry_run, yes=yes, typed=typed)

    outcome = _in_room(config, back)
    if outcome is not None:
        click.echo(f"{outcome.state.value}: {outcome.text}", err=True)
        raise SystemExit(EXITS[outcome.state.value])


def _listed(room: Room, change: Change) -> str:
    left = change.left(room.clock.now())
    end = ""
    if change.temporary:
        end = f", {span(left)} left" if left > 0 else f", EXPIRED {span(-left)} ago"
    who, way = change.request.event.author.login, change.undo.get("title", "nothing takes it back")
    return f"{change.request.seq:>5}  {change.label} ({who}, {change.since:%H:%M} UTC{end}): {way}"


@click.command()
@click.argument("request", type=int)
@config_option
def verify(request: int, config: str | None) -> None:
    """Look whether REQUEST, whose outcome is UNKNOWN, has happened; written into the timeline."""

    async def look(room: Room) -> str:
        found = room.executor.book.requests.get(request)
        if found is None:
            fail(f"{request} is no request of the open incident", 1)
        return await room.ledger.verify(found)

    click.echo(_in_room(config, look))


@click.command()
@click.argument("asked", type=int, default=0)
@click.option("--no", "refuse", is_flag=True, help="Refuse it.")
@click.option("--type", "typed", default="", metavar="WORD", help="What the card wants typed.")
@config_option
def approve(asked: int, refuse: bool, typed: str, config: str | None) -> None:
    """Confirm for another person what ASKED (its number in the timeline) shows."""
    from warroom.engine.approvals import NotApproved

    async def answer(room: Room) -> None:
        if room.executor.observe:
            fail(f"refused: {room.executor.observe}", 1)
        waiting = room.executor.approvals.waiting()
        if not asked:
            for open_ in waiting:
                who = open_.asked.author.login
                click.echo(f"{open_.seq:>5}  {open_.asked.text} (asked by {who})")
            return
        one = room.executor.approvals.find(asked)
        if one is None:
            fail(f"{asked} asks for nothing", 1)
        word = str(one.asked.data.get("word", "")) or "confirm"
        if not refuse:
            _show(one.asked.data)
            given = typed or click.prompt(f'type "{word}" to confirm', default="", err=True)
            if given != word:
                fail(f'not confirmed: type "{word}"')
        try:
            await room.executor.approvals.answer(asked, State.REFUSED if refuse else State.GIVEN)
        except NotApproved as error:
            fail(f"refused: {error}", 1)
        click.echo("refused" if refuse else "confirmed", err=True)

    _in_room(config, answer)


def _show(data: Any) -> None:
    for name in ("title", "host", "target", "command", "hits", "undo", "risk"):
        value = data.get(name)
        if name == "target" and isinstance(value, dict):
            value = f"{value.get('label')} ({value.get('id')})"
        for one in value if isinstance(value, list) else [value]:
            text = ": ".join(map(str, one)) if isinstance(one, list) else str(one)
            click.echo(f"  {name:<8} {text}", err=True)


def _in_room(config: str | None, doing: Callable[[Room], Coroutine[Any, Any, T]]) -> T:
    """`doing` in a room that watches nothing; what goes wrong is one plain line."""
    look: Look = click.get_current_context().find_root().meta[LOOK]
    room = build_room(load(chosen(config)), observe=look.observe, dry_run=look.dry_run)

    async def run() -> T:
        try:
            await room.open(watch=False)
            await room.ledger.carry()
            return await doing(room)
        except MitigationRefused as error:
            fail(f"refused: {error}", 1)
        except JournalError as error:
            fail(str(error), 1)
        finally:
            await room.close()

    return asyncio.run(run())
