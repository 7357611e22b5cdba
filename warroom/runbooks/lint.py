"""Asks every family of rules, and sorts what they say by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from warroom.domain.text import harmless
from warroom.runbooks.model import LintFinding, LintLevel, Runbook
from warroom.runbooks.rules import destruction, postgres, secrets, services, structure, tools

_OF_STEPS = (secrets, destruction, services, postgres, tools)
_GITHUB = {LintLevel.ERROR: "error", LintLevel.WARN: "warning", LintLevel.INFO: "notice"}


def lint(runbook: Runbook, today: date | None = None) -> tuple[LintFinding, ...]:
    """Everything dangerous or broken, by line and rule, each once. Without `today`, nothing is
    said of the runbook's age."""
    said = [*_findings(runbook), *(structure.stale(runbook, today) if today else ())]
    found = {(f.line, f.rule, f.message): _harmless(f) for f in said}
    return tuple(found[key] for key in sorted(found))


def annotation(file: str, found: LintFinding) -> str:
    """The finding as a line that GitHub Actions shows beside the code (workflow commands,
    docs.github.com/actions/reference/workflow-commands-for-github-actions)."""
    place = f"file={_property(file)},line={found.line},title={_property(found.rule)}"
    return f"::{_GITHUB[found.level]} {place}::{_data(found.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _findings(runbook: Runbook) -> Iterator[LintFinding]:
    steps = runbook.steps
    for family in _OF_STEPS:
        for step in steps:
            yield from family.of_step(step)
    yield from structure.of_runbook(runbook)


def _harmless(found: LintFinding) -> LintFinding:
    return replace(found, why=harmless(found.why), better=harmless(found.better))
