"""What an incident found out about a runbook goes home with the post-mortem."""

from __future__ import annotations

import asyncio
import tarfile
from pathlib import Path

import pytest

from tests.support.cli import Shell, written
from tests.support.events import ALICE
from warroom.config.settings import Settings
from warroom.domain.clock import SystemClock
from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Column, Health, Row, Sample
from warroom.domain.severity import SCHEMES
from warroom.engine.export import Choice, write_postmortem
from warroom.engine.learned import NOTHING, learned
from warroom.engine.playbook import What, entries
from warroom.engine.session import Session
from warroom.engine.shelf import Book, Shelf, read_book
from warroom.journal.base import Journal
from warroom.journal.memory import MemoryJournal
from warroom.journal.sqlite import SqliteJournal
from warroom.mitigations._step import KIND

TEXT = """# Burning

## Playbook: the web is down

```bash
docker logs old-web

df -h
```
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    file = tmp_path / "incident.md"
    file.write_text(TEXT)
    file.chmod(0o600)
    return read_book(file, tmp_path)


async def incident(journal: Journal, book: Book) -> Session:
    """One in which the log's container was not there, and which ended."""
    session = Session(journal, SystemClock(), ALICE, SCHEMES["P0-P3"])
    await session.begin("it burns", "P1")
    (playbook,) = book.runbook.playbooks
    task = next(e for e in entries(book, playbook) if e.what is What.TASK)
    asked = {"kind": KIND, "title": "log", "context": {"step": {"key": task.key}},
             "target": {"id": "a", "label": "a"}}  # fmt: skip
    request = await session.record(Kind.REQUESTED, "log: it", asked)
    said = "exit 1 after 0.1s: Error: No such container: old-web"
    told = {"request": request.seq, "state": "failed", "evidence": {"exit": 1}}
    await session.record(Kind.OUTCOME, f"log: failed: {said}", told)
    output = Evidence(EvidenceKind.OUTPUT, "its output", said)
    kept = {"to": request.seq, "evidence": [output.as_data()]}
    await session.record(Kind.EVIDENCE, "its output", kept)
    return session


def containers(*names: str) -> Sample:
    columns = (Column("name", "name"), Column("restarts", "restarts", "count"))
    rows = tuple(Row(name, name, (name, 0)) for name in names)
    return Sample("docker", SystemClock().now(), Health.OK, "up", columns=columns, rows=rows)


async def test_the_post_mortem_says_what_to_change_and_a_patch_lies_beside_it(
    tmp_path: Path, book: Book
) -> None:
    session = await incident(MemoryJournal(SystemClock()), book)
    found = learned(session, Shelf((book,), tmp_path), [containers("shop-web")])
    assert found.lines == (
        "incident.md:6, Playbook: the web is down: failed [E1]: "
        "exit 1 after 0.1s: Error: No such container: old-web",
    )
    target = tmp_path / "night.md"
    both = Choice(("md", "bundle"))
    done = await write_postmortem(session, target, Settings(), both, found)
    patch = tmp_path / "night-runbooks.patch"
    assert patch in done.written
    assert patch.stat().st_mode & 0o777 == 0o600
    assert "-docker logs old-web\n+docker logs shop-web\n" in patch.read_text()
    text = target.read_text()
    assert "### Update the runbooks" in text
    assert "\\[E1\\]" in text.partition("### Update the runbooks")[2].partition("##")[0]
    with tarfile.open(tmp_path / "night.tar.gz") as opened:
        names = [name.partition("/")[2] for name in opened.getnames()]
    assert "runbooks.patch" in names


@pytest.mark.parametrize("template", ["full", "classic", "factors", "compact"])
async def test_every_long_template_says_it(tmp_path: Path, book: Book, template: str) -> None:
    session = await incident(MemoryJournal(SystemClock()), book)
    found = learned(session, Shelf((book,), tmp_path))
    target = tmp_path / "night.md"
    await write_postmortem(session, target, Settings(), Choice(template=template), found)
    after = target.read_text().partition("# Update the runbooks\n\n")[2]
    assert after.startswith("Edits are proposed in runbooks.patch")
    assert "- [ ] incident.md:6, Playbook: the web is down: failed" in after
    await write_postmortem(session, target, Settings(), Choice(template=template))
    assert "Update the runbooks" not in target.read_text()


async def test_readers_outside_are_told_nothing_of_it(tmp_path: Path, book: Book) -> None:
    session = await incident(MemoryJournal(SystemClock()), book)
    found = learned(session, Shelf((book,), tmp_path))
    choice = Choice(("md",), external=True)
    done = await write_postmortem(session, tmp_path / "out.md", Settings(), choice, found)
    assert [path.name for path in done.written] == ["out.md"]
    assert "old-web" not in (tmp_path / "out.md").read_text()


async def test_without_steps_or_books_nothing_is_found_out(tmp_path: Path, book: Book) -> None:
    session = await incident(MemoryJournal(SystemClock()), book)
    assert learned(session, None) == NOTHING
    assert learned(session, Shelf()) == NOTHING
    quiet = Session(MemoryJournal(SystemClock()), SystemClock(), ALICE, SCHEMES["P0-P3"])
    await quiet.begin("nothing", "P3")
    assert learned(quiet, Shelf((book,), tmp_path)) == NOTHING


def test_the_command_line_prints_the_patch_and_says_when_there_is_none(
    tmp_path: Path, book: Book
) -> None:
    shell = Shell(tmp_path, written(tmp_path, '[incident]\nrunbooks = ["incident.md"]\n'))

    async def happened() -> None:
        journal = SqliteJournal(tmp_path / "journal.db", SystemClock())
        await incident(journal, book)
        await journal.close()

    assert "there is no incident" in shell("runbook", "patch", status=1).err
    asyncio.run(happened())
    told = shell("runbook", "patch")
    assert told.status == 0, told.err
    assert "incident.md:6" in told.err
    assert "--- a/incident.md\n+++ b/incident.md\n" in told.out
    assert "+# INC-" in told.out
    shell("runbook", "patch", "-o", "fix.patch")
    assert (tmp_path / "fix.patch").read_text() == told.out
    assert "fix-runbooks.patch" in shell("export", "-o", "fix.md").err
