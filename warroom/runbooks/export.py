"""A runbook as the JSON of `warroom runbook show --json`, version 1."""

from __future__ import annotations

from typing import Any

from warroom.runbooks.asked import asked
from warroom.runbooks.model import Phase, Playbook, Runbook, RunbookScheme, Step


def to_json(runbook: Runbook) -> dict[str, Any]:
    """Plain lists, dicts, texts and numbers; times in seconds."""
    found = runbook.discovered
    kinds = ("http", "logs", "containers", "hosts", "dns", "tls", "promql")
    return {
        "version": 1,
        "title": runbook.title,
        "schemes": [_scheme(scheme) for scheme in runbook.schemes],
        "playbooks": [_playbook(playbook) for playbook in runbook.playbooks],
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
        **_around(runbook),
        "lint": [
            {"line": f.line, "rule": f.rule, "level": f.level.value, "message": f.message}
            for f in runbook.lint
        ],
    }


def _around(runbook: Runbook) -> dict[str, Any]:
    """What stands around the steps."""
    return {
        "remedies": [
            {
                "line": r.line,
                "symptom": r.symptom,
                "check": r.check,
                "action": r.action,
                "command": r.command,
            }
            for r in runbook.remedies
        ],
        "escalation": [
            {"line": r.line, "level": r.level, "who": r.who, "after_s": r.after_s}
            for r in runbook.ladder
        ],
        "links": [
            {"line": link.line, "target": link.target, "broken": link.is_broken}
            for link in runbook.links
        ],
        "placeholders": [
            {"name": p.name, "lines": [*p.lines], "offers": [*p.offers]} for p in asked(runbook)
        ],
    }


def _scheme(scheme: RunbookScheme) -> dict[str, Any]:
    levels = [
        {"name": level.name, "label": level.label, "response_s": level.response_s}
        for level in scheme.levels
    ]
    return {"name": scheme.name, "levels": levels}


def _playbook(playbook: Playbook) -> dict[str, Any]:
    return {
        "title": playbook.title,
        "steps": [_step(step) for step in playbook.steps],
        "phases": [_phase(phase) for phase in playbook.phases],
    }


def _phase(phase: Phase) -> dict[str, Any]:
    box = phase.box
    return {
        "kind": phase.kind.value,
        "line": phase.line,
        "starts_s": box.starts_s if box else None,
        "ends_s": box.ends_s if box else None,
        "instructions": [{"line": i.line, "text": i.text} for i in phase.instructions],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "line": step.line,
        "language": step.language,
        "command": step.command,
        "kind": step.kind.value,
        "risk": step.assessment.risk.value,
        "placeholders": [*step.placeholders],
    }
