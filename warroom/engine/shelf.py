"""The team's runbooks as they were when the console opened them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from warroom.config import trust
from warroom.config.find import Found, How
from warroom.config.problems import ConfigError
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.runbooks.model import Runbook


@dataclass(frozen=True, slots=True)
class Book:
    """One file: `name` is what people call it (harmless), `digest` that of its bytes (as
    `config.load.digest` makes it), `text` what stands in it."""

    path: Path
    name: str
    runbook: Runbook
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every runbook of a room, in the order of the config; those named on the command line
    first."""

    books: tuple[Book, ...] = ()


def read_shelf(settings: Settings, named: Iterable[str] = ()) -> Shelf:
    """The runbooks that the config's patterns find, and those `named`. Raises ConfigError for one
    that cannot be read or that others may write to."""
    return Shelf(tuple(read_book(path, _folder(settings)) for path in _paths(settings, named)))


def read_book(path: Path, folder: Path) -> Book:
    """The file at `path`, called by where it lies under `folder`. Raises ConfigError."""
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import decoded, parse

    verdict = trust.check(Found(path, How.OPTION))
    if verdict.refused:
        raise ConfigError(verdict.refused)
    try:
        text = decoded(verdict.content)
        runbook = parse(text)
    except RunbookError as error:
        raise ConfigError(f"{harmless(str(path))}: {error}") from error
    whole = path.absolute()
    called = whole.relative_to(folder) if whole.is_relative_to(folder) else path.name
    return Book(whole, harmless(str(called)), runbook, verdict.digest, text)


def _folder(settings: Settings) -> Path:
    return settings.file.parent.absolute() if settings.file else Path.cwd()


def _paths(settings: Settings, named: Iterable[str]) -> list[Path]:
    folder = _folder(settings)
    paths = [Path(name) for name in named]
    for pattern in settings.incident.runbooks:
        place = Path(pattern).expanduser()
        if place.is_absolute():
            paths += sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
        else:
            paths += sorted(folder.glob(pattern))
    return list({path.absolute(): path for path in paths}.values())
