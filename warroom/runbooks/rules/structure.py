"""The file itself: promises that are missing, contacts that nobody filled in."""

from __future__ import annotations

from collections.abc import Iterator

from warroom.runbooks.model import LintFinding, LintLevel, Runbook
from warroom.runbooks.roster import is_unfilled
from warroom.runbooks.steps import HIDDEN


def of_runbook(runbook: Runbook) -> Iterator[LintFinding]:
    for scheme in runbook.schemes:
        for level in scheme.levels:
            if level.response_s is None:
                message = f"{level.name} promises no response time; say how soon somebody answers"
                yield LintFinding(level.line, "severity-without-response", LintLevel.WARN, message)
    if not runbook.schemes:
        message = "defines no severities; a table of levels with response times drives the clocks"
        yield LintFinding(1, "no-severities", LintLevel.INFO, message)
    for contact in runbook.contacts:
        if is_unfilled(contact):
            message = f"{contact.role}: nobody can be reached at {contact.reach or 'nothing'}"
            yield LintFinding(contact.line, "contact-not-filled-in", LintLevel.WARN, message)
    for step in runbook.steps:
        for part in step.parts:
            if part.assessment.why == HIDDEN:
                message = "holds invisible control characters; type the command anew"
                yield LintFinding(part.line, "control-characters", LintLevel.ERROR, message)
