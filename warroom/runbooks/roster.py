"""Checklists, templates and contacts: what is not for running."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.durations import seconds_in
from warroom.runbooks.model import (
    Checklist,
    Contact,
    Item,
    Playbook,
    Remedy,
    Rung,
    StepKind,
    Template,
)  # fmt: skip
from warroom.runbooks.outline import ListItem, Paragraph, Section, Table, code_spans, plain
from warroom.runbooks.parts import shown
from warroom.runbooks.placeholders import placeholders

_PEOPLE: Final = (
    "contact", "escalation path", "on-call rota", "who to call", "kontakt", "ansprechpartner",
    "contacto", "contatti",
)  # fmt: skip
_ROLE: Final = ("role", "who", "name", "team", "rolle", "rôle", "rol", "service")
_REACH: Final = ("contact", "phone", "email", "e-mail", "reach", "telefon", "slack", "how")
_WHEN: Final = ("when", "severity", "wann", "quand", "cuándo")


def checklists(sections: Sequence[Section]) -> tuple[Checklist, ...]:
    """One for each section with tasks."""
    found = []
    for section in sections:
        items = tuple(
            Item(block.line, shown(plain_task(block.text)), block.done)
            for block in section.blocks
            if isinstance(block, ListItem) and block.done is not None
        )
        if items:
            found.append(Checklist(harmless(section.title), section.line, items))
    return tuple(found)


def plain_task(text: str) -> str:
    """A task in one line, without emphasis marks."""
    return " ".join(plain(text).split())


def templates(playbooks: Sequence[Playbook]) -> tuple[Template, ...]:
    """Texts to fill in, titled by their section."""
    return tuple(
        Template(playbook.title or step.label, step.line, step.command, step.placeholders)
        for playbook in playbooks
        for step in playbook.steps
        if step.kind is StepKind.TEMPLATE
    )


def contacts(sections: Sequence[Section]) -> tuple[Contact, ...]:
    """`**Role**: reach` items and Role/Contact/When tables of sections about people."""
    found: list[Contact] = []
    for section in sections:
        if any(word in section.title.casefold() for word in _PEOPLE):
            for block in section.blocks:
                if isinstance(block, Table):
                    found.extend(_of_table(block))
                elif isinstance(block, (ListItem, Paragraph)):
                    found.extend(_of_text(block))
    return tuple(found)


def is_unfilled(contact: Contact) -> bool:
    """Whether the way to reach somebody is still a placeholder."""
    return not contact.reach or contact.reach in placeholders(contact.reach, prose=True)


def _of_table(table: Table) -> Iterator[Contact]:
    titles = [plain(cell).casefold() for cell in table.header]
    for line, cells in table.rows:
        row = dict(zip(titles, (harmless(plain(cell)) for cell in cells), strict=False))
        role = _cell(row, _ROLE) or next(iter(row.values()), "")
        yield Contact(line, role, _cell(row, _REACH), _cell(row, _WHEN))


def _cell(row: dict[str, str], words: Sequence[str]) -> str:
    return next((row[title] for title in row if title.startswith(tuple(words))), "")


def _of_text(block: ListItem | Paragraph) -> Iterator[Contact]:
    for offset, line in enumerate(block.text.split("\n")):
        role, colon, reach = plain(line).partition(":")
        if colon and 0 < len(role) <= 60 and reach.strip():
            yield Contact(block.line + offset, harmless(role.strip()), harmless(reach.strip()))


_SYMPTOM: Final = ("symptom", "issue", "problem", "error", "alert", "fehler", "störung", "síntoma")
_CHECK: Final = ("check", "where", "look", "cause", "prüfen", "ursache", "cause", "comprobar")
_ACTION: Final = (
    "command", "quick fix", "fix", "action", "solution", "befehl", "maßnahme", "commande",
    "solución", "runbook", "remedy",
)  # fmt: skip


def remedies(sections: Sequence[Section]) -> tuple[Remedy, ...]:
    """Rows of symptom → check → command and issue → quick fix tables."""
    found: list[Remedy] = []
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Table):
                found.extend(_remedies_of(block))
    return tuple(found)


def _remedies_of(table: Table) -> Iterator[Remedy]:
    titles = [plain(cell).casefold() for cell in table.header]
    acts = next((i for i, t in enumerate(titles) if t.startswith(_ACTION)), -1)
    if acts < 1 or not titles[0].startswith(_SYMPTOM):
        return
    where = next((i for i, t in enumerate(titles) if 0 < i != acts and t.startswith(_CHECK)), -1)
    for line, cells in table.rows:
        if len(cells) > acts and plain(cells[0]):
            command = next(iter(code_spans(cells[acts])), "")
            check = _one_line(cells[where]) if 0 < where < len(cells) else ""
            action = shown(command) or _one_line(cells[acts])
            yield Remedy(line, _one_line(cells[0]), check, action, shown(command))


def _one_line(text: str) -> str:
    return shown(" ".join(plain(text).split()))


_RUNG: Final = re.compile(
    r"(?:level|tier|stufe|niveau|nivel|l)\s?([1-9])\b[\s:–—-]*", re.IGNORECASE
)
_AFTER: Final = ("escalation time", "escalate after", "after", "wait", "nach")


def ladder(sections: Sequence[Section]) -> tuple[Rung, ...]:
    """Levels of escalation: headings, or items of a section that is about escalation."""
    found: dict[int, Rung] = {}
    for section in sections:
        if not any("scalat" in title or "eskal" in title for title in _titles(section)):
            continue
        match = _RUNG.match(section.title)
        if match:
            rung = Rung(section.line, int(match[1]), harmless(section.title[match.end() :]),
                        _waits(section))  # fmt: skip
            found.setdefault(rung.level, rung)
        for block in section.blocks:
            if isinstance(block, ListItem) and (match := _RUNG.match(plain(block.text))):
                who = _one_line(plain(block.text)[match.end() :])
                rung = Rung(block.line, int(match[1]), who, seconds_in(who))
                found.setdefault(rung.level, rung)
    return tuple(found[level] for level in sorted(found))


def _titles(section: Section) -> list[str]:
    return [title.casefold() for title in (*section.path, section.title)]


def _waits(section: Section) -> float | None:
    for block in section.blocks:
        if isinstance(block, (ListItem, Paragraph)):
            for row in block.text.split("\n"):
                key, colon, value = plain(row).partition(":")
                if colon and key.casefold().strip(" -").startswith(_AFTER):
                    return seconds_in(value)
    return None
