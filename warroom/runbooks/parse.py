"""The door: Markdown in, a `Runbook` out. Pure, deterministic, bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.links import links
from warroom.runbooks.lint import lint
from warroom.runbooks.model import Discovered, Runbook, RunbookError
from warroom.runbooks.outline import Outline, outline
from warroom.runbooks.playbooks import playbooks
from warroom.runbooks.review import reviewed
from warroom.runbooks.roster import checklists, contacts, ladder, remedies, templates
from warroom.runbooks.severity import schemes
from warroom.runbooks.sightings import discovered

MAX_BYTES: Final = 256 * 1024
MAX_LINES: Final = 10_000
MAX_JOINTS: Final = 50_000
"""Above any of these, a file is refused: it would take more than about a second, and nobody reads
it in an incident. Joints are what may part one command from the next."""


def read(path: Path, today: date | None = None) -> Runbook:
    """The runbook in a file. Raises RunbookError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RunbookError(f"{harmless(str(path))}: {error.strerror or error}") from error
    try:
        return parse(decoded(data), today)
    except RunbookError as error:
        raise RunbookError(f"{harmless(str(path))}: {error}") from error


def decoded(data: bytes) -> str:
    """UTF-8, with or without a byte order mark. Raises RunbookError."""
    if len(data) > MAX_BYTES:
        raise RunbookError(f"larger than {MAX_BYTES // 1024} KiB: not a runbook")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RunbookError(f"not UTF-8 text (byte {error.start})") from error


def parse(text: str, today: date | None = None) -> Runbook:
    """What `text` holds; with `today`, the linter also judges its age. Raises RunbookError when
    it is too large to be a runbook."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_BYTES or text.count("\n") > MAX_LINES:
        raise RunbookError(
            f"more than {MAX_BYTES // 1024} KiB or {MAX_LINES:,} lines: not a runbook"
        )
    if sum(text.count(joint) for joint in (";", "|", "&", "$(")) > MAX_JOINTS:
        raise RunbookError(f"more than {MAX_JOINTS:,} signs that join commands: not a runbook")
    found = outline(text)
    sections = found.sections
    books = playbooks(sections)
    runbook = Runbook(
        title=_title(found),
        schemes=schemes(sections),
        playbooks=books,
        checklists=checklists(sections),
        templates=templates(books),
        contacts=contacts(sections),
        discovered=Discovered(),
        lint=(),
        remedies=remedies(sections),
        ladder=ladder(sections),
        links=links(found),
        reviewed=reviewed(found),
        meta=tuple((key, value) for _, key, value in found.meta),
    )
    seen = discovered(runbook.steps, sections)
    return replace(runbook, discovered=seen, lint=lint(runbook, today))


def _title(found: Outline) -> str:
    """The first heading, or what the front matter calls it."""
    headed = next((harmless(section.title) for section in found.sections if section.title), "")
    return headed or next((value for _, key, value in found.meta if key == "title"), "")
