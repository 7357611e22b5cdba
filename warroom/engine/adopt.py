"""What a team's runbooks say about severities and checklists, taken into the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from warroom.config import trust
from warroom.config.find import Found, How
from warroom.config.problems import ConfigError
from warroom.config.settings import ContactSettings, Settings
from warroom.config.values import Line
from warroom.domain.severity import Scheme, SeverityLevel
from warroom.engine.contacts import of_runbook

if TYPE_CHECKING:
    from warroom.runbooks.model import Runbook, RunbookScheme


def with_runbooks(settings: Settings, named: Sequence[str] = ()) -> Settings:
    """`settings` with the schemes, checklists and contacts of its runbooks and of those `named`.

    A named runbook's scheme becomes the incident's. The config's own checklist stays when it has
    one. Raises ConfigError for a runbook that cannot be read or that others may write to.
    """
    found = [(path, _read(path)) for path in _paths(settings, named)]
    if not found:
        return settings
    schemes = dict(settings.schemes)
    chosen = settings.incident.scheme
    for path, runbook in found:
        for scheme in runbook.schemes:
            schemes[scheme.name] = _scheme(scheme, schemes.get(scheme.name))
        if runbook.schemes and str(path) in named:
            chosen = runbook.schemes[0].name
    checklist = settings.incident.checklist or tuple(
        Line(item.text)
        for _, runbook in found
        for each in runbook.checklists
        for item in each.items
    )
    incident = replace(settings.incident, scheme=chosen, checklist=checklist)
    contacts = (*settings.contacts, *_contacts(runbook for _, runbook in found))
    return replace(settings, schemes=schemes, incident=incident, contacts=contacts)


def _contacts(runbooks: Iterable[Runbook]) -> Iterator[ContactSettings]:
    from warroom.runbooks.roster import is_unfilled

    for runbook in runbooks:
        for said in runbook.contacts:
            contact = None if is_unfilled(said) else of_runbook(said)
            if contact is not None:
                yield contact


def _paths(settings: Settings, named: Iterable[str]) -> list[Path]:
    folder = settings.file.parent if settings.file else Path.cwd()
    paths = [Path(name) for name in named]
    for pattern in settings.incident.runbooks:
        place = Path(pattern).expanduser()
        if place.is_absolute():
            paths += sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
        else:
            paths += sorted(folder.glob(pattern))
    return list(dict.fromkeys(paths))


def _read(path: Path) -> Runbook:
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import decoded, parse

    verdict = trust.check(Found(path, How.OPTION))
    if verdict.refused:
        raise ConfigError(verdict.refused)
    try:
        return parse(decoded(verdict.content))
    except RunbookError as error:
        raise ConfigError(f"{path}: {error}") from error


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
