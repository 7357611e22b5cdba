"""The record without the screen: incidents, notes, the post-mortem."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import WARROOM, Shell, home, written
from tests.unit.chains import BEGIN
from warroom.domain.events import Author, Draft, Kind, seal
from warroom.domain.timeline import project
from warroom.reports.data import to_json


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"\n'))


def opened(shell: Shell, title: str = "Checkout 5xx", severity: str = "P1") -> str:
    """A new incident's id."""
    return shell("incident", "new", title, "--severity", severity).out.strip()


def test_an_incident_from_its_first_note_to_its_close(shell: Shell) -> None:
    incident = opened(shell)
    first, second = shell("note", "the pool is full").out, shell("note", "raised it to 80").out
    assert first != second
    told = shell("incident", "show").out.splitlines()
    assert told[0].split() == [incident, "P1", "(P0-P3)", "investigating", "Checkout", "5xx"]
    assert [line.rpartition("  ")[2] for line in told[1:]] == [
        "Checkout 5xx",
        "the pool is full",
        "raised it to 80",
    ]
    shut = shell("incident", "close")
    although = "although P1 is closed by the incident commander (nobody is)"
    assert (shut.out, shut.err) == ("", f"{incident} closed {although}\n")
    assert "→ closed (P1 is closed by the incident commander" in shell("incident", "show").out
    assert "closed already" in shell("incident", "close", incident, status=2).err
    assert "no incident is open" in shell("note", "too late", status=1).err
    assert "closed" in shell("incident", "show").out.splitlines()[0]


def test_a_note_is_on_disk_when_its_id_is_printed(shell: Shell) -> None:
    opened(shell)
    printed = shell("note", "the pool is full").out.strip()
    with sqlite3.connect(shell.folder / "journal.db") as journal:
        rows = [str(row) for row in journal.execute("SELECT * FROM event")]
    assert any(printed in row and "the pool is full" in row for row in rows)
    events = {event["id"]: event for event in shell("incident", "show", "--json").json["events"]}
    assert (events[printed]["kind"], events[printed]["text"]) == ("note", "the pool is full")


def test_notes_of_many_at_once_are_all_kept(shell: Shell) -> None:
    opened(shell)
    argv = [*WARROOM, "note", "--config", str(shell.config)]
    writers = [
        subprocess.Popen([*argv, f"note {n}"], env=home(shell.folder), stdout=subprocess.PIPE)
        for n in range(6)
    ]
    printed = {writer.communicate(timeout=120)[0].decode().strip() for writer in writers}
    assert [writer.returncode for writer in writers] == [0] * 6
    events = shell("incident", "show", "--json").json["events"]
    notes = {event["id"]: event["text"] for event in events if event["kind"] == "note"}
    assert (set(notes), sorted(notes.values())) == (printed, [f"note {n}" for n in range(6)])
    assert "7 entries, the chain holds" in shell("incident", "verify").out


def test_a_note_comes_from_stdin_and_an_empty_one_is_none(shell: Shell) -> None:
    opened(shell)
    shell("note", "-", stdin=b"one\ntwo\n")
    assert "one\n" + " " * 33 + "two" in shell("incident", "show").out
    assert shell("note", "  ", status=2).err == "an empty note says nothing\n"


def test_a_note_says_when_it_was_in_the_zone_that_is_shown(shell: Shell) -> None:
    opened(shell)
    shell("note", "deployed", "--at", "2024-01-02 23:10")
    shell("note", "alerted", "--at", "2024-01-02 22:15Z")
    shown = shell("incident", "show").out
    assert "2024-01-02 23:10:00  " in shown
    assert shown.index("deployed") < shown.index("alerted") < shown.index("Checkout 5xx", 80)
    assert "2024-01-02 23:15:00  " in shown
    assert "is in the future" in shell("note", "x", "--at", "2126-01-02 10:00", status=2).err
    assert "not understood: try" in shell("note", "x", "--at", "soon", status=2).err


def test_what_was_changed_behind_its_back_is_found(shell: Shell) -> None:
    opened(shell)
    for text in ("first", "second", "third"):
        shell("note", text)
    assert "the chain holds" in shell("incident", "verify").out
    with sqlite3.connect(shell.folder / "journal.db") as journal:
        guards = journal.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for (name,) in guards:
            journal.execute(f'DROP TRIGGER "{name}"')
        changed = journal.execute("UPDATE event SET text = 'else' WHERE text = 'second'").rowcount
    assert changed == 1
    answer = shell("incident", "verify", status=1)
    assert answer.out == ""
    assert "entry 3 is not as it was written" in answer.err


def test_the_list_has_the_newest_first(shell: Shell) -> None:
    assert "no incidents yet" in shell("incident", "list").err
    old = opened(shell, "Old")
    assert f"{old} is open" in shell("incident", "new", "New", "--severity", "P0", status=1).err
    new = shell("incident", "new", "New", "--severity", "P0", "--also").out.strip()
    assert [line.split()[0] for line in shell("incident", "list").out.splitlines()] == [new, old]
    told = shell("incident", "list", "--json").json
    assert told["version"] == 1
    assert [(one["id"], one["title"], one["severity"]) for one in told["incidents"]] == [
        (new, "New", "P0"),
        (old, "Old", "P1"),
    ]
    assert "Old" in shell("incident", "show", old).out


def test_what_is_not_there_is_said(shell: Shell) -> None:
    for args in (["show"], ["verify"], ["close"]):
        answer = shell("incident", *args, status=1)
        assert (answer.out, answer.err.count("\n")) == ("", 1), answer
        assert "warroom incident new" in answer.err
    opened(shell)
    answer = shell("incident", "show", "INC-1999-01-01-001", status=1)
    assert (answer.out, answer.err.count("\n")) == ("", 1), answer
    assert "INC-1999-01-01-001" in answer.err
    wrong = shell("incident", "new", "x", "--severity", "P9", "--also", status=2)
    assert "P9" in wrong.err and "P0" in wrong.err


def test_a_journal_that_cannot_be_written_is_one_plain_line(tmp_path: Path) -> None:
    config = tmp_path / "warroom.toml"
    (tmp_path / "file").touch()
    config.write_text(f'[journal]\npath = "{tmp_path}/file/journal.db"\n')
    config.chmod(0o600)
    answer = Shell(tmp_path, config)("incident", "new", "x", "--severity", "P1", status=1)
    assert (answer.out, answer.err.count("\n")) == ("", 1)
    assert "journal.db" in answer.err and "Traceback" not in answer.err


def test_the_export_comes_in_every_format(shell: Shell) -> None:
    incident = opened(shell)
    shell("note", 'she said "=1+1", then | left')
    report = shell("export")
    assert all(line.startswith("still missing: ") for line in report.err.splitlines())
    assert "# " in report.out and "Checkout 5xx" in report.out and "P0-P3" in report.out
    data = shell("export", "--format", "json").json
    assert data["version"] == 1 and incident in json.dumps(data)
    rows = list(csv.reader(io.StringIO(shell("export", "--format", "csv").out)))
    assert any('she said "=1+1", then | left' in cell for row in rows for cell in row)
    wrong = shell("export", "--format", "pdf", status=2)
    assert '"pdf" is not a format; there are: md' in wrong.err


def test_an_export_goes_whole_into_a_file_of_its_owner(shell: Shell) -> None:
    opened(shell)
    shell("incident", "close")  # until then its times go on
    told = shell("export", "-o", "report.md")
    assert (told.out, told.err.splitlines()[0]) == ("", "report.md")
    file = shell.folder / "report.md"
    assert file.read_text() == shell("export").out
    assert file.stat().st_mode & 0o777 == 0o600
    shell("export", "--format", "md,json,csv", "-o", "all.md")
    assert {path.suffix for path in shell.folder.glob("all.*")} == {".md", ".json", ".csv"}
    away = shell("export", "-o", "no/such/folder.md", status=1)
    assert (away.out, away.err) == (
        "",
        "no/such/folder.md: not written: No such file or directory\n",
    )


def test_a_template_of_ones_own_and_its_mistakes(shell: Shell) -> None:
    opened(shell)
    template = shell.folder / "own.md.j2"
    template.write_text("{{ no_such_thing }}")
    answer = shell("export", "--template", str(template), status=1)
    assert (answer.out, answer.err.count("\n")) == ("", 1)
    assert "own.md.j2" in answer.err and "no_such_thing" in answer.err
    assert "own.md" in shell("export", "--template", str(shell.folder / "own.md"), status=1).err


def test_without_any_config_there_is_a_journal_of_the_user(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    incident = opened(shell)
    assert incident in shell("incident", "list").out
    (journal,) = tmp_path.rglob("journal.db")
    assert ".local/state/warroom" in str(journal)
    assert journal.stat().st_mode & 0o077 == 0


def test_an_incident_of_somebody_elses_making_moves_nothing_on_the_terminal(shell: Shell) -> None:
    evil = "\x1b]0;pwned\x07 \x9b31m \u202e gpj.exe"
    opening = Draft(Kind.OPENED, BEGIN, Author(evil, 1), evil, {"scheme": evil, "severity": evil})
    events = [seal("id-1", "INC-2026-11-21-001", 1, BEGIN, opening, "")]
    file = shell.folder / "theirs.json"
    file.write_text(to_json(events, project(events, BEGIN)), encoding="utf-8")
    incident = shell("incident", "import", str(file)).out.strip()
    for words in (("list",), ("show", incident), ("list", "--json"), ("show", incident, "--json")):
        told = shell("incident", *words).out
        assert "gpj.exe" in told
        assert not set(told) & set("\x1b\x07\x9b\u202e")
    assert shell("incident", "show", incident, "--json").json["events"][0]["text"] == evil
