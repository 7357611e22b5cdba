"""Which template a post-mortem is made with: one that comes with warroom, the structure that a
runbook has for it, or a team's own file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config.problems import Problem, nearest
from warroom.config.settings import Settings
from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Template as Structure

LIMIT: Final = 256 * 1024
"""Bytes of a template at the most."""
RUNBOOK: Final = "runbook"
"""The structure of the first runbook that has one; the others' are "runbook 2" and so on."""


class TemplateError(Exception):
    """There is no such template, or it cannot be read; one plain line."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template's text, and the name or file that it has."""

    name: str
    text: str


def read(template: str, folder: Path | None = None, books: Iterable[Book] = ()) -> Template:
    """The built-in template of that name, a structure of `books` by its name or title, or a file,
    seen from `folder`.

    Raises TemplateError.
    """
    from warroom.reports import stock

    if template in stock.names():
        return Template(template, stock.text_of(template))
    own = structures(books)
    found = own.get(template) or _titled(template, own)
    if found is not None:
        from warroom.reports.structure import template_of

        book, structure = found
        return Template(f"{book.name}:{structure.line}", template_of(structure.text))
    if _is_of_runbook(template):
        there = ", ".join(own) or "none: name one with --runbook, or as runbooks in [incident]"
        raise TemplateError(f'no runbook has a post-mortem "{template}"; there is {there}')
    path = (folder or Path()) / template
    try:
        if "/" not in template and "." not in template and not path.exists():
            hint = nearest(template, stock.names())
            raise TemplateError(f'no template is called "{template}"; {hint}')
        return Template(str(path), _content(path))
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the name
        raise TemplateError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def structures(books: Iterable[Book]) -> Mapping[str, tuple[Book, Structure]]:
    """What the runbooks have post-mortems written after, by what it is called."""
    found: dict[str, tuple[Book, Structure]] = {}
    for book, structure in _structures(books):
        found[f"{RUNBOOK} {len(found) + 1}" if found else RUNBOOK] = book, structure
    return found


def _structures(books: Iterable[Book]) -> Iterator[tuple[Book, Structure]]:
    from warroom.reports.structure import is_structure

    for book in books:
        yield from ((book, one) for one in book.runbook.templates if is_structure(one.text))


def _titled(title: str, own: Mapping[str, tuple[Book, Structure]]) -> tuple[Book, Structure] | None:
    words = title.casefold()
    return next((found for found in own.values() if found[1].title.casefold() == words), None)


def _is_of_runbook(name: str) -> bool:
    first, _, number = name.partition(" ")
    return first == RUNBOOK and (not number or number.isdecimal())


def _content(path: Path) -> str:
    """Never blocks, as a pipe would, and never reads without end, as of a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise TemplateError(f"{path}: not a regular file")
        content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise TemplateError(f"{path}: larger than 256 KiB: not a template")
    return content.decode("utf-8")


def usual(settings: Settings, external: bool = False, books: Iterable[Book] = ()) -> Template:
    """The template that the config names, or the one for readers outside.

    Raises TemplateError.
    """
    if external:
        from warroom.reports import stock

        return read(stock.EXTERNAL)
    return read(
        settings.incident.postmortem, settings.file.parent if settings.file else None, books
    )


def template_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the config's template."""
    name = settings.incident.postmortem
    if name == "full" or _is_of_runbook(name):
        return []  # so that the console's start does not look for it, nor into the runbooks
    try:
        usual(settings)
    except TemplateError as error:
        return [Problem(("incident", "postmortem"), str(error))]
    return []


def listed(books: Iterable[Book] = ()) -> list[tuple[str, str]]:
    """Every built-in template and every structure of the runbooks, with what it is for."""
    from warroom.reports import stock

    stocked = [(name, stock.about(name)) for name in stock.names()]
    return stocked + [
        (name, f"{harmless(one.title)}, as {book.name}:{one.line} has it")
        for name, (book, one) in structures(books).items()
    ]
