"""The door: Markdown in, a `Runbook` out. Pure, deterministic, bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.lint import lint
from warroom.runbooks.model import Discovered, Playbook, Runbook, RunbookError, Step
from warroom.runbooks.outline import Fence, ListItem, Section, Table, code_spans, plain, sections
from warroom.runbooks.roster import checklists, contacts, templates
from warroom.runbooks.severity import schemes
from warroom.runbooks.sightings import discovered
from warroom.runbooks.steps import fence_step, inline_step

MAX_BYTES: Final = 256 * 1024
MAX_LINES: Final = 10_000
"""Above either, a file is refused: it would take more than about a second, and nobody reads it in
an incident."""


def read(path: Path) -> Runbook:
    """The runbook in a file. Raises RunbookError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RunbookError(f"{harmless(str(path))}: {error.strerror or error}") from error
    try:
        return parse(decoded(data))
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


def parse(text: str) -> Runbook:
    """What `text` holds. Raises RunbookError when it is too large to be a runbook."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_BYTES or text.count("\n") > MAX_LINES:
        raise RunbookError(
            f"more than {MAX_BYTES // 1024} KiB or {MAX_LINES:,} lines: not a runbook"
        )
    outline = sections(text)
    playbooks = tuple(_playbooks(outline))
    runbook = Runbook(
        title=_title(outline),
        schemes=schemes(outline),
        playbooks=playbooks,
        checklists=checklists(outline),
        templates=templates(playbooks),
        contacts=contacts(outline),
        discovered=Discovered(),
        lint=(),
    )
    found = discovered(runbook.steps, outline)
    return replace(runbook, discovered=found, lint=lint(runbook))


def _title(outline: Sequence[Section]) -> str:
    return next((harmless(section.title) for section in outline if section.title), "")


def _playbooks(outline: Sequence[Section]) -> Iterator[Playbook]:
    """One for each section that holds steps."""
    for section in outline:
        steps = tuple(_steps(section))
        if steps:
            path = tuple(harmless(title) for title in section.path)
            yield Playbook(harmless(section.title), section.line, path, steps)


def _steps(section: Section) -> Iterator[Step]:
    for block in section.blocks:
        if isinstance(block, Fence):
            yield fence_step(block, " ".join((*section.path[-1:], section.title)))
        elif isinstance(block, ListItem):
            yield from _inline(block.text, block.line)
        elif isinstance(block, Table):
            for line, cells in block.rows:
                for cell in cells:
                    yield from _inline(cell, line)


def _inline(text: str, line: int) -> Iterator[Step]:
    label = " ".join(plain(text).split())
    for span in code_spans(text):
        step = inline_step(span, line, label)
        if step:
            yield step
