"""Taking an incident home from the command line, and bringing it in elsewhere."""

from __future__ import annotations

import asyncio
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.cli import WARROOM, Shell, written
from tests.support.terminal import Terminal
from warroom.domain.events import Author, Draft, Kind
from warroom.journal.sqlite import SqliteJournal

CONFIG = '[incident]\ntimezone = "Europe/Berlin"\n'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with an incident that is over."""
    here = tmp_path / "here"
    here.mkdir()
    shell = Shell(here, written(here, CONFIG))
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    shell("note", "the pool is full; <b>[x](http://evil)</b> at 10.0.0.7")
    shell("incident", "close")
    return shell


@pytest.fixture
def elsewhere(tmp_path: Path) -> Shell:
    """A shell with a journal of its own."""
    there = tmp_path / "there"
    there.mkdir()
    return Shell(there, written(there, CONFIG))


def test_all_formats_at_once_and_what_is_missing(shell: Shell) -> None:
    told = shell("export", "--format", "md,html,json,csv,bundle", "-o", "all.md")
    lines = told.err.splitlines()
    assert lines[:5] == ["all.md", "all.html", "all.json", "all.csv", "all.tar.gz"]
    assert "still missing: nothing is said yet about: root cause" in lines
    for name in lines[:5]:
        assert (shell.folder / name).stat().st_mode & 0o777 == 0o600
    page = (shell.folder / "all.html").read_text()
    assert "&lt;b&gt;[x](http://evil)&lt;/b&gt;" in page and "<script" not in page
    assert "post-mortem written to all.md" in shell("incident", "show").out


def test_strict_fails_for_what_is_missing_but_writes_all_the_same(shell: Shell) -> None:
    told = shell("export", "--strict", "-o", "x.md", status=1)
    assert "still missing: " in told.err
    assert (shell.folder / "x.md").exists()
    shell("export", "--strict", "--format", "json", "-o", "x.json")


def test_json_on_a_terminal_has_nothing_in_it_that_a_terminal_obeys(shell: Shell) -> None:
    said = "\x9b31m \u202egnp.exe"
    asyncio.run(_said(shell.folder / "journal.db", said))
    argv = [*WARROOM, "export", "--format", "json", "--config", str(shell.config)]
    with Terminal(argv, shell.folder) as terminal:
        terminal.until(lambda: terminal.process.poll() is not None, "it goes on")
        shown = terminal.raw.decode().replace("\r\n", "\n")
    assert not any(one in shown for one in said if not one.isprintable())
    document = shell("export", "--format", "json").json
    assert document["events"][-1]["text"] == said
    assert json.loads(shown)["events"] == document["events"]


async def _said(journal: Path, text: str) -> None:
    """As a program writes it that takes no care."""
    store = SqliteJournal(journal)
    draft = Draft(Kind.NOTE, datetime.now(UTC), Author("mallory", 1000), text)
    await store.append((await store.headings())[0].id, draft)
    await store.close()


def test_every_built_in_template_is_listed_and_makes_a_report(shell: Shell) -> None:
    listed = shell("export", "--list-templates").out.splitlines()
    names = [line.split()[0] for line in listed]
    assert names[0] == "full" and len(names) == 6
    for name in names:
        assert "Checkout 5xx" in shell("export", "--template", name).out
    wrong = shell("export", "--template", "one-pgae", status=1)
    assert wrong.err == 'no template is called "one-pgae"; did you mean "one-page"?\n'


def test_a_runbooks_own_structure_is_a_template_by_name_and_by_title(shell: Shell) -> None:
    book = shell.folder / "tide.md"
    book.write_text(
        "# Tide\n## After the flood\n```markdown\n# Flood: [Title]\n## Timeline\n## Impact\n"
        "## Root cause\n```\n"
    )
    book.chmod(0o600)
    missing = shell("export", "--template", "runbook", status=1)
    assert "name one with --runbook" in missing.err
    listed = shell("export", "--list-templates", "--runbook", str(book)).out.splitlines()
    assert listed[-1] == "runbook    After the flood, as tide.md:3 has it"
    for name in ("runbook", "after the Flood"):
        made = shell("export", "--runbook", str(book), "--template", name).out
        assert made.startswith("# Flood: Checkout 5xx\n")
    assert shell.config is not None
    more = f'postmortem = "runbook"\nrunbooks = ["{book}"]\n'
    shell.config.write_text(shell.config.read_text() + more)
    assert shell("export").out.startswith("# Flood: Checkout 5xx\n")


def test_the_config_chooses_the_template_and_its_mistakes_have_a_place(shell: Shell) -> None:
    assert shell.config is not None
    (shell.folder / "ours.md.j2").write_text("OURS {{ incident.title }}")
    shell.config.write_text(shell.config.read_text() + 'postmortem = "ours.md.j2"\n')
    assert shell("export").out == "OURS Checkout 5xx\n"
    shell.config.write_text(shell.config.read_text().replace("ours.md.j2", "clasic"))
    wrong = shell("export", status=2)
    assert f"{shell.config}:" in wrong.err and "incident.postmortem" in wrong.err
    assert 'did you mean "classic"?' in wrong.err


def test_readers_outside_get_what_was_chosen_for_them(shell: Shell) -> None:
    told = shell("export", "--audience", "external")
    assert "pool" not in told.out and "10.0.0.7" not in told.out
    assert "the timeline is empty" in told.err
    for form in ("json", "bundle"):
        refused = shell("export", "--audience", "external", "--format", form, status=1)
        assert "it is not for readers outside" in refused.err


@pytest.mark.parametrize("form", ["json", "bundle"])
def test_an_incident_comes_in_elsewhere_as_it_was(
    shell: Shell, elsewhere: Shell, form: str
) -> None:
    mine = shell("export", "--format", "json").json
    shell("export", "--format", form, "-o", "taken")
    file = str(shell.folder / "taken")
    assert "3 entries, the chain holds" in elsewhere("incident", "verify-bundle", file).out
    name = elsewhere("incident", "import", file).out.strip()
    assert name.startswith("INC-")
    theirs = elsewhere("export", name, "--format", "json").json
    assert theirs["events"] == mine["events"]
    assert "the chain holds" in elsewhere("incident", "verify", name).out
    again = elsewhere("incident", "import", file, status=1)
    assert "is here already" in again.err


def test_the_list_says_where_an_imported_incident_is_from(shell: Shell, elsewhere: Shell) -> None:
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    shell("export", "--format", "json", "-o", str(shell.folder / "listed.json"))
    elsewhere("incident", "import", str(shell.folder / "listed.json"))
    assert "Checkout 5xx  (imported: exported by " in elsewhere("incident", "list").out
    (entry,) = elsewhere("incident", "list", "--json").json["incidents"]
    assert ", sha256 " in entry["origin"]
    assert "imported" not in shell("incident", "list").out


def test_an_imported_incident_is_not_the_open_one(shell: Shell, elsewhere: Shell) -> None:
    shell("incident", "new", "Still burning", "--severity", "P1")
    shell("export", "--format", "json", "-o", "taken.json")
    elsewhere("incident", "import", str(shell.folder / "taken.json"))
    assert "no incident is open" in elsewhere("note", "meant for today", status=1).err


def test_a_changed_or_hostile_file_is_refused_in_one_line(shell: Shell, elsewhere: Shell) -> None:
    shell("export", "--format", "json,bundle", "-o", "x.json")
    record = shell.folder / "x.json"
    record.write_text(record.read_text().replace("the pool is full", "all was well"))
    evil = shell.folder / "evil.tar.gz"
    (shell.folder / "payload").write_text("x")
    with tarfile.open(evil, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(shell.folder / "payload", "../../payload")
    for file in (record, evil, shell.folder / "none", shell.folder):
        for command in ("import", "verify-bundle"):
            refused = elsewhere("incident", command, str(file), status=1)
            assert (refused.out, refused.err.count("\n")) == ("", 1), refused
    assert elsewhere("incident", "list").out == ""
    assert not list(elsewhere.folder.parent.rglob("payload"))[1:]


def test_figures_lie_beside_the_report_and_bundles_go_through_a_pipe(shell: Shell) -> None:
    data = json.loads(shell("export", "--format", "json").out)
    assert data["exported"]["by"] and data["readings"] == []
    assert list(shell.folder.glob("*-charts")) == []
