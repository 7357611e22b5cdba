"""Checklists, templates and contacts: what is not for running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.model import Checklist, Contact, Item, Playbook, StepKind, Template
from warroom.runbooks.outline import ListItem, Paragraph, Section, Table, plain
from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.steps import shown

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
