"""A runbook as the JSON of `warroom runbook show --json`, version 1."""

from __future__ import annotations

from typing import Any

from warroom.runbooks.model import Runbook, RunbookScheme, Step


def to_json(runbook: Runbook) -> dict[str, Any]:
    """Plain lists, dicts, texts and numbers; times in seconds."""
    found = runbook.discovered
    kinds = ("http", "logs", "containers", "hosts", "dns", "tls", "promql")
    return {
        "version": 1,
        "title": runbook.title,
        "schemes": [_scheme(scheme) for scheme in runbook.schemes],
        "playbooks": [
            {"title": playbook.title, "steps": [_step(step) for step in playbook.steps]}
            for playbook in runbook.playbooks
        ],
        "checklists": [
            {
                "title": checklist.title,
                "items": [
                    {"line": i.line, "text": i.text, "done": i.done} for i in checklist.items
                ],
            }
            for checklist in runbook.checklists
        ],
        "templates": [
            {"title": t.title, "line": t.line, "text": t.text, "placeholders": [*t.placeholders]}
            for t in runbook.templates
        ],
        "contacts": [
            {"line": c.line, "role": c.role, "reach": c.reach, "when": c.when}
            for c in runbook.contacts
        ],
        "discovered": {kind: [s.text for s in getattr(found, kind)] for kind in kinds},
        "lint": [
            {"line": f.line, "rule": f.rule, "level": f.level.value, "message": f.message}
            for f in runbook.lint
        ],
    }


def _scheme(scheme: RunbookScheme) -> dict[str, Any]:
    levels = [
        {"name": level.name, "label": level.label, "response_s": level.response_s}
        for level in scheme.levels
    ]
    return {"name": scheme.name, "levels": levels}


def _step(step: Step) -> dict[str, Any]:
    return {
        "line": step.line,
        "language": step.language,
        "command": step.command,
        "kind": step.kind.value,
        "risk": step.assessment.risk.value,
        "placeholders": [*step.placeholders],
    }
