"""The file itself: promises that are missing, links that lead nowhere, dates long past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from warroom.runbooks.model import HIDDEN, LintFinding, Runbook
from warroom.runbooks.roster import is_unfilled
from warroom.runbooks.rules import catalogue as rule


def of_runbook(runbook: Runbook) -> Iterator[LintFinding]:
    for scheme in runbook.schemes:
        for level in scheme.levels:
            if level.response_s is None:
                why = f"{level.name} promises no response time"
                yield rule.SEVERITY_WITHOUT_RESPONSE.at(level.line, why)
    if not runbook.schemes:
        yield rule.NO_SEVERITIES.at(1, "defines no severities")
    for contact in runbook.contacts:
        if is_unfilled(contact):
            why = f"{contact.role}: nobody can be reached at {contact.reach or 'nothing'}"
            yield rule.CONTACT_NOT_FILLED_IN.at(contact.line, why)
    for step in runbook.steps:
        for part in step.parts:
            if part.assessment.why == HIDDEN:
                why = "holds invisible control characters"
                yield rule.CONTROL_CHARACTERS.at(part.line, why)
    yield from _links(runbook)
    yield from _playbooks(runbook)
    yield from (
        rule.FENCE_NOT_CLOSED.at(step.line, "opens a fence that nothing closes: all below is code")
        for step in runbook.steps
        if not step.is_closed
    )


def _links(runbook: Runbook) -> Iterator[LintFinding]:
    for link in runbook.links:
        if link.is_broken:
            why = f"{link.target} is nowhere in this file"
            better = f"#{link.nearest}" if link.nearest else ""
            yield rule.BROKEN_LINK.at(link.line, why, better)
        elif link.is_unfilled:
            yield rule.ADDRESS_NOT_FILLED_IN.at(link.line, f"{link.target} cannot be opened")


def _playbooks(runbook: Runbook) -> Iterator[LintFinding]:
    for playbook in runbook.playbooks:
        if playbook.is_incident and playbook.acts and not playbook.verifies:
            why = f"{playbook.title}: changes something and never looks whether it helped"
            yield rule.NO_VERIFICATION.at(playbook.line, why)


def stale(runbook: Runbook, today: date) -> Iterator[LintFinding]:
    """Whether the date that the runbook gives lies further back than it promises."""
    reviewed = runbook.reviewed
    if reviewed is None:
        return
    age = (today - reviewed.on).days
    if age > reviewed.every_days:
        why = f"last updated {age} days ago, to be reviewed every {reviewed.every_days}"
        yield rule.STALE.at(reviewed.line, why)
