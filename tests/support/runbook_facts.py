"""A runbook as lines that people can review: what was understood, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from warroom.runbooks.asked import asked
from warroom.runbooks.model import Playbook, Runbook, Step

_KINDS = ("http", "logs", "containers", "hosts", "dns", "tls", "promql")


def facts(runbook: Runbook, *, words: bool = True) -> str:
    """One fact a line, in a fixed order. Without `words` nothing of the file's own text stands in
    it: kinds, lines and numbers alone."""
    return "\n".join(_clean(line) for line in _lines(runbook, words)) + "\n"


def _clean(line: str) -> str:
    return line.encode("ascii", "backslashreplace").decode().rstrip()


def _lines(runbook: Runbook, words: bool) -> Iterator[str]:
    def said(text: str) -> str:
        return f" {text}" if words and text else ""

    yield f"title{said(runbook.title)}" if words else f"title of {len(runbook.title)} characters"
    for scheme in runbook.schemes:
        yield f"scheme {scheme.name}"
        for level in scheme.levels:
            times = f"{level.name} response {level.response_s} update {level.update_s}"
            yield f"  {level.line} {times}{said(level.label)}{said(level.told)}"
    for playbook in runbook.playbooks:
        yield from _playbook(playbook, words)
    for checklist in runbook.checklists:
        yield f"checklist {checklist.line}{said(checklist.title)}"
        for item in checklist.items:
            yield f"  {item.line} {'done' if item.done else 'open'}{said(item.text)}"
    for template in runbook.templates:
        yield f"template {template.line} wants {len(template.placeholders)}"
    for contact in runbook.contacts:
        yield f"contact {contact.line}{said(contact.role)}{said(contact.reach)}{said(contact.when)}"
    for remedy in runbook.remedies:
        command = "runs" if remedy.command else "says"
        yield f"remedy {remedy.line} {command}{said(remedy.symptom)}{said(remedy.action)}"
    for rung in runbook.ladder:
        yield f"rung {rung.line} level {rung.level} after {rung.after_s}{said(rung.who)}"
    for link in runbook.links:
        yield f"link {link.line}{' broken' if link.is_broken else ''}{said(link.target)}"
    if runbook.reviewed:
        seen = runbook.reviewed
        yield f"reviewed {seen.line} {seen.on} every {seen.every_days} days"
    for wanted in asked(runbook):
        yield f"asked at {list(wanted.lines)}{said(wanted.name)}{said(' '.join(wanted.offers))}"
    for kind in _KINDS:
        for sighting in getattr(runbook.discovered, kind):
            yield f"names {kind} {sighting.line}{said(sighting.text)}"
    for found in runbook.lint:
        yield f"lint {found.line} {found.level.value} {found.rule}"


def _playbook(playbook: Playbook, words: bool) -> Iterator[str]:
    title = f" {playbook.title}" if words else ""
    marks = [
        mark
        for mark, is_so in (
            ("incident", playbook.is_incident),
            ("acts", playbook.acts),
            ("verifies", playbook.verifies),
        )
        if is_so
    ]
    if playbook.box:
        marks.append(f"{playbook.box.starts_s:.0f}-{playbook.box.ends_s:.0f} s")
    yield f"playbook {playbook.line}{title} {' '.join(marks)}"
    for phase in playbook.phases:
        box = f" {phase.box.starts_s:.0f}-{phase.box.ends_s:.0f} s" if phase.box else ""
        count = f" {len(phase.instructions)} lines" if phase.instructions else ""
        yield f"  {phase.line}-{phase.until - 1} {phase.kind.value}{box}{count}"
    for question in playbook.questions:
        yield f"  {question.line} asks{' ' + question.text if words else ''}"
    for step in playbook.steps:
        yield from _step(step, words)


def _step(step: Step, words: bool) -> Iterator[str]:
    closed = "" if step.is_closed else " unclosed"
    language = step.language or "unmarked"
    risk = step.assessment.risk.value if step.is_runnable or step.kind.value == "query" else "-"
    yield f"  step {step.line} {language} {step.kind.value} {risk}{closed}"
    for part in step.runnable:
        where = f" within {part.within[0]}" if part.within else ""
        risk = part.assessment.risk.value
        yield f"    run {part.line} {risk}{where}{' ' + repr(part.text) if words else ''}"
