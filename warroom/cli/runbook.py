"""`warroom runbook`: what a Markdown runbook says, and what is dangerous or broken in it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from warroom.cli.common import chosen, config_option, fail, load, with_session
from warroom.domain.clock import span

if TYPE_CHECKING:
    from warroom.engine.session import Session
    from warroom.runbooks.model import Playbook, Runbook

_COLOURS: Final = {"read": "green", "change": "yellow", "destroy": "red"}


@click.group()
def runbook() -> None:
    """Show and check a team's runbooks."""


@runbook.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def show(file: str, as_json: bool) -> None:
    """What was understood of FILE."""
    from warroom.runbooks.export import to_json

    found = _read(file)
    if as_json:
        click.echo(json.dumps(to_json(found), ensure_ascii=False, indent=2))
    else:
        _print(found)


@runbook.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github"]),
    default="text",
    help="github: annotations that GitHub Actions shows beside the lines.",
)
def lint(files: tuple[str, ...], form: str) -> None:
    """What is dangerous or broken in FILEs, and the better form; exit 1 when anything is. Remarks
    do not count."""
    from warroom.runbooks.lint import annotation

    today = datetime.now(UTC).date()
    found = [(file, finding) for file in files for finding in _read(file, today).lint]
    for file, one in found:
        said = f"{file}:{one.line}: {one.level.value}: {one.rule}: {one.message}"
        click.echo(annotation(file, one) if form == "github" else said)
    bad = sum(one.level.value != "info" for _, one in found)
    parts = [(bad, "finding"), (len(found) - bad, "remark")]
    said = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in parts if count)
    click.echo(said or "nothing found", err=True)
    sys.exit(1 if bad else 0)


@runbook.command()
@click.argument("incident", required=False)
@click.option("-o", "output", metavar="FILE", help="Where to; - is stdout (the default).")
@config_option
def patch(incident: str | None, output: str | None, config: str | None) -> None:
    """What the open incident, or INCIDENT, found out about the runbooks, as a patch to be read and
    taken with `git apply` in the config's folder; exit 1 when it found out nothing."""
    from warroom.cli.incident import resumed
    from warroom.engine.export import ExportError, save
    from warroom.engine.learned import Learned, learned

    loaded = load(chosen(config))

    async def taken(session: Session) -> Learned:
        await resumed(session, incident)
        return learned(session, loaded.shelf)

    found = with_session(loaded, taken)
    for line in found.lines:
        click.echo(line, err=True)
    if not found.patch:
        fail("no edit of a runbook is proposed", 1)
    if output in (None, "-"):
        click.echo(found.patch, nl=False)
        return
    try:
        click.echo(str(save(Path(str(output)), found.patch)), err=True)
    except ExportError as error:
        fail(str(error), 1)


def _read(file: str, today: date | None = None) -> Runbook:
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import read

    try:
        return read(Path(file), today)
    except RunbookError as error:
        return fail(f"{file}: {error}")


def _print(found: Runbook) -> None:
    click.secho(found.title, bold=True)
    for scheme in found.schemes:
        levels = (
            f"{level.name} {span(level.response_s) if level.response_s is not None else 'no time'}"
            for level in scheme.levels
        )
        click.echo(f"\nseverities {scheme.name}: {', '.join(levels)}")
    for playbook in found.playbooks:
        _print_playbook(playbook)
    for checklist in found.checklists:
        done = sum(item.done for item in checklist.items)
        click.echo(f"\nchecklist {checklist.title}: {done}/{len(checklist.items)}")
    for rung in found.ladder:
        after = f" after {span(rung.after_s)}" if rung.after_s is not None else ""
        click.echo(f"escalation {rung.level}: {rung.who}{after}")
    for remedy in found.remedies:
        click.echo(f"{remedy.symptom}: {remedy.action}")
    parts = (
        (len(found.templates), "templates"),
        (len(found.contacts), "contacts"),
        (len(found.links), "links"),
        (len(found.lint), "lint findings"),
    )
    click.echo("\n" + ", ".join(f"{count} {what}" for count, what in parts))


def _print_playbook(playbook: Playbook) -> None:
    click.secho(f"\n{' / '.join((*playbook.path[1:], playbook.title))}", bold=True)
    if playbook.symptoms:
        click.echo(f"         {'symptoms':<8} {'; '.join(playbook.symptoms)}")
    for step in playbook.steps:
        risk = step.assessment.risk.value
        is_judged = step.is_runnable or step.kind.value == "query"
        first, *more = step.command.splitlines() or [""]
        tail = f" … (+{len(more)} lines)" if more else ""
        word = click.style(f"{risk:<8}", fg=_COLOURS.get(risk)) if is_judged else step.kind.value
        click.echo(f"  {step.line:>5}  {word:<8} {first}{tail}")
