"""Which template a post-mortem is made with: one that comes with warroom, or a team's own file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warroom.config.problems import Problem, nearest
from warroom.config.settings import Settings

LIMIT: Final = 256 * 1024
"""Bytes of a template at the most."""


class TemplateError(Exception):
    """There is no such template, or it cannot be read; one plain line."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template's text, and the name or file that it has."""

    name: str
    text: str


def read(template: str, folder: Path | None = None) -> Template:
    """The built-in template of that name, or a file, seen from `folder`.

    Raises TemplateError.
    """
    from warroom.reports import stock

    if template in stock.names():
        return Template(template, stock.text_of(template))
    path = (folder or Path()) / template
    try:
        if "/" not in template and "." not in template and not path.exists():
            hint = nearest(template, stock.names())
            raise TemplateError(f'no template is called "{template}"; {hint}')
        return Template(str(path), _content(path))
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the name
        raise TemplateError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


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


def usual(settings: Settings, external: bool = False) -> Template:
    """The template that the config names, or the one for readers outside.

    Raises TemplateError.
    """
    if external:
        from warroom.reports import stock

        return read(stock.EXTERNAL)
    return read(settings.incident.postmortem, settings.file.parent if settings.file else None)


def template_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the config's template."""
    if settings.incident.postmortem == "full":
        return []  # so that the console's start does not look for it
    try:
        usual(settings)
    except TemplateError as error:
        return [Problem(("incident", "postmortem"), str(error))]
    return []


def listed() -> list[tuple[str, str]]:
    """Every built-in template, with what it is for."""
    from warroom.reports import stock

    return [(name, stock.about(name)) for name in stock.names()]
