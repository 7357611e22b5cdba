"""`warroom incident`, `note`: the record, without the screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from warroom.cli import intake
from warroom.cli.common import chosen, config_option, escaped, fail, load, print_json, with_session
from warroom.domain.clock import span
from warroom.domain.events import Kind
from warroom.domain.incident import FIELDS, Incident, Status
from warroom.domain.ledger import doubts, standing
from warroom.domain.requests import Requests
from warroom.domain.text import harmless
from warroom.domain.watch import watched_until
from warroom.engine import people
from warroom.engine.own import WARROOM
from warroom.engine.security import lock, unlock

if TYPE_CHECKING:
    from datetime import datetime

    from warroom.config.settings import Settings
    from warroom.domain.events import Event
    from warroom.domain.timeline import Timeline
    from warroom.engine.session import Session
    from warroom.journal.base import Heading


@click.group()
def incident() -> None:
    """Open, list, show and close incidents."""


incident.add_command(intake.take_in)
incident.add_command(intake.verify_bundle)


@incident.command()
@click.argument("title")
@click.option("--severity", required=True, help="A level of the scheme, such as P1.")
@click.option("--also", is_flag=True, help="Although another incident is open.")
@click.option("--security", is_flag=True, help="Lock what destroys, until it is unlocked.")
@config_option
def new(title: str, severity: str, also: bool, security: bool, config: str | None) -> None:
    """Open an incident and print its id."""
    loaded = load(chosen(config), needed=False)

    async def begin(session: Session) -> Incident:
        already = await session.journal.current()
        if already and not also:
            fail(f"{already} is open: note there, close it, or open another with --also", 1)
        begun = await session.begin(title, severity)
        if security:
            await lock(session)
        return begun

    try:
        click.echo(with_session(loaded, begin).id)
    except KeyError as error:
        fail(str(error.args[0]))


@incident.command(name="list")
@click.option("--json", "as_json", is_flag=True)
@config_option
def list_(as_json: bool, config: str | None) -> None:
    """Every incident, newest first."""

    async def headings(session: Session) -> list[Heading]:
        return list(await session.journal.headings())

    found = with_session(load(chosen(config), needed=False), headings)
    if as_json:
        print_json({"incidents": [_heading(h) for h in found]})
        return
    for h in found:
        from_ = f"  (imported: {h.origin.partition(', sha256')[0]})" if h.origin else ""
        click.echo(
            harmless(
                f"{h.id}  {h.severity:<5} {h.status.value:<13} {h.opened_at:%Y-%m-%d %H:%M}Z  "
                f"{h.title}{from_}"
            )
        )
    if not found:
        click.echo("no incidents yet: `warroom incident new TITLE --severity P1`", err=True)


def _heading(h: Heading) -> dict[str, Any]:
    return {
        "id": h.id,
        "title": h.title,
        "scheme": h.scheme,
        "severity": h.severity,
        "status": h.status.value,
        "opened_at": h.opened_at.isoformat(),
        "events": h.events,
        "origin": h.origin,
    }


@incident.command()
@click.argument("id", required=False)
@click.option("--json", "as_json", is_flag=True)
@config_option
def show(id: str | None, as_json: bool, config: str | None) -> None:
    """The incident and its timeline; the open one when no ID is given."""
    loaded = load(chosen(config), needed=False)

    async def read(session: Session) -> tuple[list[Event], Timeline]:
        await resumed(session, id)
        return session.events, session.timeline()

    events, timeline = with_session(loaded, read)
    if as_json:
        from warroom.reports.data import to_json

        click.echo(escaped(to_json(events, timeline)))
        return
    zone = ZoneInfo(loaded.settings.incident.timezone)
    now = timeline.incident
    head = f"{now.id}  {now.severity} ({now.scheme})  {now.status.value}  {now.title}"
    click.echo(harmless(head))
    for entry in timeline.entries:
        who = WARROOM if entry.by_machine else entry.author
        field = FIELDS.get(str(entry.data.get("field"))) if entry.kind is Kind.FIELD else None
        text = f"{field}: {entry.text}" if field else entry.text
        text = harmless(text, lines=True).replace("\n", "\n" + " " * 33)
        at = f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        click.echo(f"{at}  {harmless(who):<12} {text}")


@incident.command()
@click.argument("id", required=False)
@click.option("--yes", is_flag=True, help="Without a question.")
@config_option
def close(id: str | None, yes: bool, config: str | None) -> None:
    """Close the open incident, or the one of that ID.

    What speaks against it (somebody else should, the watch still runs) is asked about on a
    terminal, and stands in the timeline.
    """
    loaded = load(chosen(config), needed=False)

    async def shut(session: Session) -> str:
        found = await resumed(session, id) if id else await _open(session)
        if not found.is_open:
            fail(f"{found.id} is closed already")
        against = _doubts(session, found, loaded.settings)
        if against and not yes and sys.stdin.isatty():
            _confirm(against)
        await people.conclude(session, Status.CLOSED, against)
        return f"{found.id} closed" + (f" although {against}" if against else "")

    click.echo(with_session(loaded, shut), err=True)


def _doubts(session: Session, found: Incident, settings: Settings) -> str:
    """What speaks against closing it now, in one line."""
    scheme = settings.schemes.get(found.scheme, settings.scheme)
    until = watched_until(found, settings.incident.watch)
    left = (until - session.now()).total_seconds() if until else 0.0
    watch = f"the watch still runs for {span(left)}" if left > 0 else ""
    refusal = people.may_close(found, scheme, session.author.login)
    live = doubts(standing(Requests(session.events).all))
    return "; ".join(doubt for doubt in (live, refusal, watch) if doubt)


def _confirm(against: str) -> None:
    """Asks the person who is there; leaves when it is not wanted."""
    if not click.confirm(f"{against}. Close it all the same?", default=False, err=True):
        fail("not closed", 1)


@incident.command()
@click.argument("id", required=False)
@config_option
def verify(id: str | None, config: str | None) -> None:
    """Whether every entry is as it was written (the chain of digests holds)."""

    async def walk(session: Session) -> tuple[str, int, int]:
        found = await resumed(session, id)
        return found.id, len(session.events), await session.journal.verify(found.id)

    name, count, broken = with_session(load(chosen(config), needed=False), walk)
    if broken:
        fail(f"{name}: entry {broken} is not as it was written", 1)
    click.echo(f"{name}: {count} entries, the chain holds")


@incident.command(name="unlock")
@click.argument("reason")
@config_option
def unlock_(reason: str, config: str | None) -> None:
    """Let what destroys run again in a security incident; REASON stands in the timeline."""

    async def write(session: Session) -> str:
        if not (await _open(session)).locked:
            fail("nothing is locked", 1)
        return (await unlock(session, reason)).text

    try:
        click.echo(with_session(load(chosen(config), needed=False), write), err=True)
    except ValueError as error:
        fail(str(error))


@click.command()
@click.argument("text")
@click.option("--at", "when", metavar="WHEN", help='When it was: "14:35", "5m ago", "23:10Z".')
@config_option
def note(text: str, when: str | None, config: str | None) -> None:
    """Write TEXT (- for stdin) into the open incident; prints the entry's id once it is durable."""
    text = sys.stdin.read() if text == "-" else text
    if not text.strip():
        fail("an empty note says nothing")
    loaded = load(chosen(config), needed=False)

    async def write(session: Session) -> str:
        await _open(session)
        at = _instant(when, session, loaded.settings) if when else None
        return (await session.note(text, at=at)).id

    click.echo(with_session(loaded, write))


def _instant(when: str, session: Session, settings: Settings) -> datetime:
    """What `when` means on the clocks that are shown; what was decided there is said. Leaves when
    it is no time in the past."""
    from warroom.domain.instants import NotUnderstood, understand

    try:
        found = understand(when, session.now(), ZoneInfo(settings.incident.timezone))
    except NotUnderstood as error:
        fail(str(error))
    if found.note:
        click.echo(found.note, err=True)
    return found.at


async def _open(session: Session) -> Incident:
    """The incident that is open. Leaves when there is none."""
    found = await session.resume()
    if found is None:
        fail("no incident is open: `warroom incident new TITLE --severity P1` opens one", 1)
    return found


async def resumed(session: Session, id: str | None) -> Incident:
    """The incident asked for, the open one, or the newest. Leaves when there is none."""
    if id is None and await session.journal.current() is None:
        newest = next(iter(await session.journal.headings()), None)
        id = newest.id if newest else None
    found = await session.resume(id)
    if found is None:
        fail("there is no incident: `warroom incident new TITLE --severity P1` opens one", 1)
    return found
