"""An incident as a file: rendered by `reports`, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from warroom.config.settings import Settings
from warroom.domain.events import Kind
from warroom.engine.session import Session
from warroom.reports import FORMATS
from warroom.reports.errors import ReportError
from warroom.reports.write import write_atomically

__all__ = ["FORMATS", "ExportError", "export_path", "rendered", "save", "write_postmortem"]

TEMPLATE_LIMIT: Final = 256 * 1024


class ExportError(Exception):
    """The export could not be made or written; one plain line."""


def rendered(
    session: Session, form: str, settings: Settings, *, template: str | None = None
) -> str:
    """The session's incident in one of FORMATS; `template` is the path of a team's own for md.

    Raises ExportError.
    """
    from warroom.reports import data, postmortem

    timeline = session.timeline()
    if form == "json":
        return data.to_json(session.events, timeline)
    if form == "csv":
        return data.to_csv(timeline)
    zone = ZoneInfo(settings.incident.timezone)
    scheme = settings.schemes.get(timeline.incident.scheme, settings.scheme)
    text = None if template is None else _template(Path(template))
    try:
        return postmortem.render(timeline, zone=zone, scheme=scheme, template=text)
    except ReportError as error:
        raise ExportError(f"{template}: {error}" if template else str(error)) from error


def _template(path: Path) -> str:
    try:
        if path.stat().st_size > TEMPLATE_LIMIT:
            raise ExportError(f"{path}: larger than 256 KiB: not a template")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def save(path: Path, text: str) -> Path:
    """Write `text` to `path`, readable by its owner alone. Raises ExportError."""
    try:
        write_atomically(path, text)
    except ReportError as error:
        raise ExportError(str(error)) from error
    return path


def export_path(session: Session) -> Path:
    """Where the console puts a post-mortem when nobody says: the current folder, by its id."""
    name = session.incident.id if session.incident else "incident"
    return Path.cwd() / f"{name}-post-mortem.md"


async def write_postmortem(session: Session, path: Path, settings: Settings) -> Path:
    """Write the post-mortem and record that it was. Raises ExportError, JournalError."""
    written = save(path, rendered(session, "md", settings))
    await session.record(Kind.EXPORTED, f"post-mortem written to {written}", {"format": "md"})
    return written
