"""Asks every family of rules, and sorts what they say by line."""

from __future__ import annotations

from collections.abc import Iterator

from warroom.domain.text import harmless
from warroom.runbooks.model import LintFinding, Runbook
from warroom.runbooks.rules import destruction, postgres, secrets, services, structure, tools

_OF_STEPS = (secrets, destruction, services, postgres, tools)


def lint(runbook: Runbook) -> tuple[LintFinding, ...]:
    """Everything dangerous or broken, by line and rule, each once."""
    found = {(f.line, f.rule, f.message): f for f in _findings(runbook)}
    return tuple(found[key] for key in sorted(found))


def _findings(runbook: Runbook) -> Iterator[LintFinding]:
    for family in _OF_STEPS:
        for step in runbook.steps:
            for finding in family.of_step(step):
                yield LintFinding(
                    finding.line, finding.rule, finding.level, harmless(finding.message)
                )
    yield from structure.of_runbook(runbook)
