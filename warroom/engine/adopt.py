"""What a team's runbooks say about severities and checklists, taken into the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from warroom.config.settings import ContactSettings, Settings
from warroom.config.values import Line
from warroom.domain.severity import Scheme, SeverityLevel
from warroom.engine.contacts import of_runbook
from warroom.engine.shelf import read_shelf

if TYPE_CHECKING:
    from warroom.engine.shelf import Shelf
    from warroom.runbooks.model import Runbook, RunbookScheme


def with_runbooks(settings: Settings, named: Sequence[str] = ()) -> Settings:
    """`settings` with the schemes, checklists and contacts of its runbooks and of those `named`.

    Raises ConfigError for a runbook that cannot be read or that others may write to.
    """
    return adopted(settings, read_shelf(settings, named), named)


def adopted(settings: Settings, shelf: Shelf, named: Sequence[str] = ()) -> Settings:
    """`settings` with the schemes, checklists and contacts of `shelf`.

    A `named` runbook's scheme becomes the incident's. The config's own checklist stays when it has
    one.
    """
    if not shelf.books:
        return settings
    schemes = dict(settings.schemes)
    chosen = settings.incident.scheme
    first = {Path(name).absolute() for name in named}
    for book in shelf.books:
        for scheme in book.runbook.schemes:
            schemes[scheme.name] = _scheme(scheme, schemes.get(scheme.name))
        if book.runbook.schemes and book.path in first:
            chosen = book.runbook.schemes[0].name
    checklist = settings.incident.checklist or tuple(
        Line(item.text)
        for book in shelf.books
        for each in book.runbook.checklists
        for item in each.items
    )
    incident = replace(settings.incident, scheme=chosen, checklist=checklist)
    contacts = (*settings.contacts, *_contacts(book.runbook for book in shelf.books))
    return replace(settings, schemes=schemes, incident=incident, contacts=contacts)


def _contacts(runbooks: Iterable[Runbook]) -> Iterator[ContactSettings]:
    from warroom.runbooks.roster import is_unfilled

    for runbook in runbooks:
        for said in runbook.contacts:
            contact = None if is_unfilled(said) else of_runbook(said)
            if contact is not None:
                yield contact


def _scheme(said: RunbookScheme, known: Scheme | None) -> Scheme:
    """The runbook's levels; what it does not say of a level stays as the scheme had it."""
    before = {level.name: level for level in known.levels} if known else {}
    levels = []
    for level in said.levels:
        old = before.get(level.name) or SeverityLevel(level.name, "", None, None)
        levels.append(
            replace(
                old,
                label=level.label or old.label,
                response_s=level.response_s,
                update_s=old.update_s if level.update_s is None else level.update_s,
                told=level.told or old.told,
            )
        )
    return Scheme(said.name, tuple(levels))
