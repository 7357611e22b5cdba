"""An incident as files: rendered by `reports`, each written whole or not at all.

What is exported is gathered in the event loop (`material`) and rendered and written elsewhere
(`rendered`, `write`): a hundred thousand entries take a second, in which the console goes on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from warroom.config.checklist import items
from warroom.config.settings import Settings
from warroom.domain.checklist import DEFAULT as DEFAULT_CHECKLIST
from warroom.domain.events import Event, Kind
from warroom.domain.readings import Reading
from warroom.engine.learned import NOTHING, Learned
from warroom.engine.session import Session
from warroom.engine.templates import Template, TemplateError, read, usual
from warroom.journal.base import JournalError
from warroom.reports import FORMATS, OUTSIDE, POSTMORTEMS, SUFFIXES
from warroom.reports.errors import ReportError
from warroom.reports.report import PATCH
from warroom.reports.write import write_atomically, write_folder

if TYPE_CHECKING:
    from warroom.engine.shelf import Book
    from warroom.reports.data import Origin
    from warroom.reports.report import Figure, Report

__all__ = [
    "FORMATS",
    "POSTMORTEMS",
    "USUAL",
    "Choice",
    "ExportError",
    "Material",
    "drawn",
    "export_path",
    "material",
    "prepare",
    "record_export",
    "rendered",
    "save",
    "write",
    "write_postmortem",
]  # fmt: skip


class ExportError(Exception):
    """The export could not be made or written; one plain line."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to export: formats of FORMATS, a template's name or file (empty: the config's), and
    whether it is for readers outside."""

    forms: tuple[str, ...] = ("md",)
    template: str = ""
    external: bool = False


USUAL: Final = Choice()


@dataclass(frozen=True, slots=True)
class Material:
    """All that an export is made from, as of one moment."""

    report: Report
    events: tuple[Event, ...]
    template: Template
    origin: Origin


def prepare() -> None:
    """Load what renders: while an incident is read there is time for it."""
    for module in ("jinja2.sandbox", "warroom.reports.bundle", "warroom.reports.lint"):
        import_module(module)


async def material(
    session: Session,
    settings: Settings,
    choice: Choice,
    learned: Learned = NOTHING,
    books: Sequence[Book] = (),
) -> Material:
    """Gather what `choice` needs; `learned` is what the incident found out about the runbooks,
    and a template may be one of `books`. Raises ExportError, JournalError."""
    from warroom.reports.data import Origin
    from warroom.reports.outside import outside
    from warroom.reports.report import Report

    for form in choice.forms:
        if form not in FORMATS:
            raise ExportError(f'"{form}" is not a format; there are: {", ".join(FORMATS)}')
        if choice.external and form not in OUTSIDE:
            raise ExportError(f"{form} holds the whole record: it is not for readers outside")
    timeline = session.timeline()
    report = Report(
        timeline=timeline,
        zone=ZoneInfo(settings.incident.timezone),
        scheme=settings.schemes.get(timeline.incident.scheme, settings.scheme),
        checklist=items(settings.incident.checklist) or DEFAULT_CHECKLIST,
        readings=await _readings(session),
        gaps=learned.lines,
        patch=learned.patch,
    )
    if choice.external:
        report = outside(report, settings.hosts)
    at = session.now().isoformat(timespec="seconds")
    try:
        template = (
            read(choice.template, books=books)
            if choice.template
            else usual(settings, choice.external, books)
        )
    except TemplateError as error:
        raise ExportError(str(error)) from error
    origin = Origin(session.author.login, socket.gethostname(), at)
    return Material(report, tuple(session.events), template, origin)


async def _readings(session: Session) -> tuple[Reading, ...]:
    """The figures around the incident; none while the journal is away: the record, which the
    session holds, is taken home all the same."""
    try:
        return tuple(await session.readings())
    except JournalError:
        return ()


def rendered(
    made: Material,
    form: str,
    *,
    figures: Sequence[Figure] = (),
    folder: str = "",
    known: Mapping[str, Any] | None = None,
    ready: Mapping[str, Sequence[bytes]] = MappingProxyType({}),
) -> Iterator[bytes]:
    """The content of the file of that format, texts as UTF-8, piece by piece. `figures` lie in
    `folder` beside it. `known` is what `postmortem.facts` gives; `ready` are files of a bundle
    that were rendered already.

    Raises ExportError.
    """
    from warroom.reports import bundle, data, page, postmortem
    from warroom.reports.write import encoded

    report, template = made.report, made.template.text
    try:
        match form:
            case "json":
                yield from data.json_pieces(
                    made.events, report.timeline, report.readings, made.origin
                )
            case "csv":
                yield from data.csv_pieces(report.timeline)
            case "html":
                yield encoded(page.page(report, template, figures, known))
            case "bundle":
                yield from bundle.packed(
                    report, template, figures, made.events, made.origin, known, ready
                )
            case _:
                text = postmortem.render(
                    report, template, figures=figures, folder=folder, known=known
                )
                yield encoded(text)
    except ReportError as error:
        raise ExportError(f"{made.template.name}: {error}") from error


def drawn(made: Material) -> tuple[Figure, ...]:
    """The charts of what moved, and the pictures of the evidence."""
    from warroom.reports.figures import drawn

    return drawn(made.report)


def save(path: Path, content: str | Iterable[bytes]) -> Path:
    """Write `content`, a text or pieces, to `path`, for its owner alone. Raises ExportError."""
    try:
        write_atomically(path, content)
    except ReportError as error:
        raise ExportError(str(error)) from error
    return path


def export_path(session: Session) -> Path:
    """Where the console puts a post-mortem when nobody says: the current folder, by its id."""
    name = session.incident.id if session.incident else "incident"
    return Path.cwd() / f"{name}-post-mortem.md"


def write(made: Material, forms: Sequence[str], path: Path) -> list[Path]:
    """Write every format to `path`, several with a suffix each; charts and pictures go beside the
    Markdown, and into everything else. Says what was written, the reports first. A bundle takes
    what is written beside it as it is. Raises ExportError."""
    from warroom.reports.bundle import WITHIN
    from warroom.reports.postmortem import facts

    stem = path.parent / _bare(path.name)
    figures = drawn(made) if POSTMORTEMS & set(forms) else ()
    known = facts(made.report) if len(POSTMORTEMS & set(forms)) > 1 else None
    ready: dict[str, Sequence[bytes]] = {}
    written, folders = {}, []
    for form in sorted(forms, key="bundle".__eq__):
        file = path if len(forms) == 1 else stem.with_name(f"{stem.name}.{SUFFIXES[form]}")
        folder = f"{_bare(file.name)}-charts" if form == "md" and figures else ""
        if folder:
            folders.append(_beside(file.with_name(folder), figures))
        pieces: Iterable[bytes] = rendered(
            made, form, figures=figures, folder=folder, known=known, ready=ready
        )
        if "bundle" in forms and form in WITHIN:
            pieces = ready[WITHIN[form]] = tuple(pieces)
        written[form] = save(file, pieces)
    if made.report.patch and "md" in forms:
        folders.append(save(stem.with_name(f"{stem.name}-{PATCH}"), made.report.patch))
    return [*(written[form] for form in forms), *folders]


def _bare(name: str) -> str:
    """A file's name without the suffix of a format."""
    for suffix in SUFFIXES.values():
        if name.endswith(f".{suffix}") and len(name) > len(suffix) + 1:
            return name.removesuffix(f".{suffix}")
    return name


def _beside(folder: Path, figures: Sequence[Figure]) -> Path:
    try:
        write_folder(folder, {figure.name: figure.svg for figure in figures})
    except ReportError as error:
        raise ExportError(str(error)) from error
    return folder


@dataclass(frozen=True, slots=True)
class Done:
    """What was written, the reports first, and what is still missing in the post-mortem."""

    written: tuple[Path, ...]
    missing: tuple[str, ...]


async def write_postmortem(
    session: Session,
    path: Path,
    settings: Settings,
    choice: Choice = USUAL,
    learned: Learned = NOTHING,
    books: Sequence[Book] = (),
) -> Done:
    """Write what `choice` says, the post-mortem as the config has it when nobody says, and record
    that it was. The event loop goes on meanwhile. Raises ExportError, JournalError."""
    made = await material(session, settings, choice, learned, books)
    written = await asyncio.to_thread(write, made, choice.forms, path)
    lacks = await asyncio.to_thread(missing, made, choice.forms)
    await record_export(session, choice, written)
    return Done(tuple(written), tuple(lacks))


def missing(made: Material, forms: Sequence[str]) -> list[str]:
    """What is still to be said, decided or filled in, a plain line each."""
    from warroom.reports import lint

    return lint.missing(made.report) if POSTMORTEMS & set(forms) else []


async def record_export(session: Session, choice: Choice, written: Sequence[Path]) -> None:
    """Say in the record what was written where. Raises JournalError."""
    what = "post-mortem" if set(choice.forms) & POSTMORTEMS else "data"
    audience = "external" if choice.external else "internal"
    data = {"format": ",".join(choice.forms), "audience": audience}
    await session.record(Kind.EXPORTED, f"{what} written to {', '.join(map(str, written))}", data)
