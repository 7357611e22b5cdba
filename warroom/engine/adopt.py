"""What a team's runbooks say about severities and checklists, taken into the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config.checklist import ItemSettings
from warroom.config.settings import ContactSettings, Settings
from warroom.config.values import NAME_WIDTH, Line, Name
from warroom.domain.checklist import Phase
from warroom.domain.severity import Rung, Scheme, SeverityLevel
from warroom.domain.text import harmless, shorten
from warroom.engine.contacts import of_runbook
from warroom.engine.shelf import read_shelf

if TYPE_CHECKING:
    from warroom.engine.shelf import Shelf
    from warroom.runbooks.model import Runbook, RunbookScheme
    from warroom.runbooks.model import Rung as RunbookRung


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
            known = schemes.get(scheme.name)
            schemes[scheme.name] = _scheme(scheme, known, book.runbook.ladder)
        if book.runbook.schemes and book.path in first:
            chosen = book.runbook.schemes[0].name
    checklist = settings.incident.checklist or tuple(
        ItemSettings(Line(item.text), phase_of(each.title))
        for book in shelf.books
        for each in book.runbook.checklists
        for item in each.items
        if item.text.strip()
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


def phase_of(title: str) -> Phase:
    """When a checklist of that title is due; at first, where it says nothing of it.

    >>> phase_of("7. Post-Incident"), phase_of("Validation Checklist"), phase_of("First minutes")
    (<Phase.AFTER: 'after'>, <Phase.VERIFY: 'verify'>, <Phase.ASSESS: 'assess'>)
    """
    words = title.casefold()
    return next((phase for phase, stems in _PHASES if any(s in words for s in stems)), Phase.ASSESS)


_PHASES: Final = (
    (Phase.AFTER, ("post-", "post ", "after", "follow-up", "review", "closing", "nach")),
    (Phase.COMMUNICATE, ("communicat", "notif", "kommunikat", "stakeholder")),
    (Phase.VERIFY, ("verif", "validat", "monitor", "confirm", "überprüf", "recovery check")),
    (Phase.ASSESS, ("assess", "triage", "detect", "first", "initial", "before")),
    (Phase.MITIGATE, ("mitigat", "resol", "fix", "contain", "recover", "immediate", "action")),
)


def _ladder(said: Sequence[RunbookRung], before: Sequence[Rung], *, worst: bool) -> list[Rung]:
    """Whom the runbook calls, level by level. It says of each how long they have before the next
    is called, and that of the worst severity; else the times stay as they were."""
    rungs: list[Rung] = []
    waited = 0.0
    timed = worst and all(rung.after_s is not None for rung in said[:-1])
    for index, rung in enumerate(said):
        if timed:
            after = waited
            waited += rung.after_s or 0.0
        elif index < len(before):
            after = before[index].after_s
        else:
            break
        rungs.append(Rung(Name(shorten(harmless(rung.who), NAME_WIDTH)), after_s=after))
    rises = all(b.after_s > a.after_s for a, b in pairwise(rungs))
    return rungs if rises else list(before)


def _scheme(
    said: RunbookScheme, known: Scheme | None, ladder: Sequence[RunbookRung] = ()
) -> Scheme:
    """The runbook's levels; what it does not say of a level stays as the scheme had it."""
    before = {level.name: level for level in known.levels} if known else {}
    levels = []
    for index, level in enumerate(said.levels):
        old = before.get(level.name) or SeverityLevel(level.name, "", None, None)
        levels.append(
            replace(
                old,
                label=level.label or old.label,
                response_s=level.response_s,
                update_s=old.update_s if level.update_s is None else level.update_s,
                told=level.told or old.told,
                ladder=tuple(_ladder(ladder, old.ladder, worst=index == 0))
                if ladder and (old.ladder or index == 0)
                else old.ladder,
            )
        )
    return Scheme(said.name, tuple(levels))
