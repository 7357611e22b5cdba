"""`warroom update` and `warroom contacts`: telling people, and whom to call, without the screen."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import click

from warroom.cli.common import LOOK, Look, build_room, chosen, config_option, fail, load
from warroom.config.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.channels.base import Progress, Stage
    from warroom.engine.room import Room
    from warroom.engine.telling import Outcome, Target

_EXITS: Final = {"sent": 0, "failed": 1, "refused": 1, "UNKNOWN": 3}
LOOK_S: Final = 8.0
"""Seconds that the systems have to say how they are, for the draft."""


@click.command()
@click.option("--audience", metavar="A", help="chat, status page, stakeholders, or one of yours.")
@click.option("--stage", type=click.Choice(["initial", "update", "resolved"]), help="Which text.")
@click.option("--channel", metavar="C", help="By which of several channels.")
@click.option("--send", is_flag=True, help="Send it; without, the draft is printed.")
@click.option("--text", metavar="TEXT", help="What to say, in place of the draft; - is stdin.")
@click.option("--dry-run", is_flag=True, help="Say where it would go, and send nothing.")
@config_option
def update(
    audience: str | None,
    stage: str | None,
    channel: str | None,
    send: bool,
    text: str | None,
    dry_run: bool,
    config: str | None,
) -> None:
    """Draft a status update of the open incident, or send it.

    Exit status 0 drafted or sent, 1 failed or refused, 2 wrong call, 3 unknown whether it arrived.
    """
    look: Look = click.get_current_context().find_root().meta[LOOK]
    room = build_room(load(chosen(config), needed=False), observe=look.observe)
    said = sys.stdin.read() if text == "-" else text
    asked = _Asked(audience, stage, channel, said, send=send, dry_run=dry_run)
    outcome = asyncio.run(asked.answered(room))
    if outcome is None:
        return
    click.echo(f"{outcome.state.value}: {outcome.text}", err=True)
    if not outcome.saved:
        click.echo("NOT SAVED that it was so: write it down elsewhere", err=True)
    raise SystemExit(_EXITS[outcome.state.value])


class _Asked:
    """What was asked for on the command line."""

    def __init__(
        self,
        audience: str | None,
        stage: str | None,
        channel: str | None,
        text: str | None,
        *,
        send: bool,
        dry_run: bool,
    ) -> None:
        self.audience, self.stage, self.channel, self.text = audience, stage, channel, text
        self.send, self.dry_run = send, dry_run

    async def answered(self, room: Room) -> Outcome | None:
        """What came of it; None when nothing was to be sent."""
        from warroom.journal.base import JournalError

        try:
            await room.open(watch=False)
            if room.session.incident is None:
                fail("no incident is open: `warroom incident new TITLE --severity P1` opens one", 1)
            return await self._told(room)
        except JournalError as error:
            fail(str(error), 1)
        finally:
            await room.close()

    async def _told(self, room: Room) -> Outcome | None:
        from warroom.channels.base import ChannelFault, Stage

        target = self._target(room)
        stage = Stage(self.stage) if self.stage else room.teller.stage(target.audience)
        text = (
            self.text
            if self.text is not None
            else await _drafted(room, target, stage, send=self.send)
        )
        if not (self.send or self.dry_run):
            click.echo(text, nl=not text.endswith("\n"))
        for hint in room.teller.hints(target, text):
            click.echo(f"not for the public? {hint.what}: {text[hint.start : hint.end]}", err=True)
        if not (self.send or self.dry_run):
            return None
        if not target.channel:
            fail(f"no channel tells {target.audience}: add [[channel]] to the config")
        try:
            where = await room.teller.where(target)
        except ChannelFault as fault:
            fail(f"{target.channel}: {fault}", 1)
        click.echo(f"{target.audience} ({stage.value}) by {target.channel}: {where}", err=True)
        if self.dry_run:
            for name, value in room.teller.preview(target, stage, text):
                click.echo(f"{name}: {value}", err=True)
            click.echo(text, nl=not text.endswith("\n"))
            return None
        return await _sent(room, target, stage, text)

    def _target(self, room: Room) -> Target:
        """Whom it is for. Leaves when that is not clear."""
        targets = room.teller.targets()
        if self.channel is not None:
            named = [t for t in targets if t.channel == self.channel]
            names = [t.channel for t in targets if t.channel]
            if not named:
                fail(f'no channel is called "{self.channel}"; {nearest(self.channel, names)}')
            return named[0]
        if self.audience is None:
            with_channel = [t for t in targets if t.channel]
            return (with_channel or list(targets))[0]
        wanted = self.audience.casefold()
        named = [t for t in targets if t.audience.casefold() == wanted]
        if not named:
            fail(f'no audience is called "{self.audience}"; {_nearest(self.audience, targets)}')
        if len(named) > 1 and self.send:
            names = [t.channel for t in named]
            fail(f"{self.audience} is told by several channels: --channel {' or '.join(names)}")
        return named[0]


def _nearest(word: str, targets: Sequence[Target]) -> str:
    return nearest(word, {target.audience for target in targets})


async def _drafted(room: Room, target: Target, stage: Stage, *, send: bool) -> str:
    """The draft, after one look at every system: what cannot answer in time is left out."""
    try:
        async with asyncio.timeout(LOOK_S):
            await room.monitor.step()
    except TimeoutError:
        click.echo(f"not every system answered within {LOOK_S:g} s", err=True)
    made = room.teller.draft(target.audience, stage)
    if made.problem:
        click.echo(f"{made.problem}; the built-in template is used", err=True)
    elif made.said:
        click.echo(made.said, err=True)
    if made.gaps and send:
        fail("nothing was sent: the draft has places that are not filled in; say it with --text", 1)
    return made.text


async def _sent(room: Room, target: Target, stage: Stage, text: str) -> Outcome:
    from warroom.domain.events import event_id

    waiting = False

    def watch(progress: Progress) -> None:
        nonlocal waiting
        if progress.leaving or not waiting:  # a wait is said once, not counted down
            click.echo(progress.text, err=True)
        waiting = not progress.leaving

    press = event_id(room.clock.now())
    return await room.teller.send(target, stage, text, press, watch)


@click.command()
@config_option
def contacts(config: str | None) -> None:
    """Whom to call, in the order of the escalation ladder. Needs no network."""
    from warroom.engine.contacts import in_order, reaches

    found = in_order(load(chosen(config), needed=False).settings.contacts)
    if not found:
        fail("no contacts: add [[contact]] to the config, or name a runbook that has some", 1)
    for contact in found:
        level = str(contact.level) if contact.level else "-"
        who = f"{contact.name} ({contact.role})" if contact.role else contact.name
        ways = "  ".join(f"{name} {value}" for name, value in reaches(contact))
        when = f"  [{contact.when}]" if contact.when else ""
        click.echo(f"{level}  {who:<32}  {ways}{when}")
