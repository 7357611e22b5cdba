"""What an incident found out about a runbook becomes a patch that really applies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.events import stored
from tests.support.hostile import CORPUS
from warroom.config.load import digest
from warroom.domain.events import Event, Kind
from warroom.domain.requests import Requests
from warroom.engine.playbook import Entry, What, entries
from warroom.engine.proposals import Proposal, Told, patch, proposals
from warroom.engine.shelf import Book
from warroom.mitigations._step import KIND
from warroom.runbooks.parse import decoded, parse

INCIDENT = "INC-2026-01-01-001"
TEXT = """# Burning

## Playbook: the web is down

**Symptoms:**
- 502 errors

**Investigation:**

```bash
# Look at its log
docker logs old-web --tail 200

doctl apps list
```

1. Look who waits:

   ```sql
   SELECT pid FROM pg_stat_activity;
   ```

2. Then: `docker inspect web`
   and read it.

| Symptom | Command |
| --- | --- |
| slow | `docker stats --no-stream` |

```bash
$ curl http://shop.example/health
```

**Mitigation:**

```bash
psql -U shop -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity;"
```

**Verification:** health is 200
"""


def book(text: str = TEXT, name: str = "incident.md") -> Book:
    data = text.encode()
    return Book(Path("/srv") / name, name, parse(decoded(data)), digest(data), decoded(data))


class Record:
    """Events about tasks of a book, in order."""

    def __init__(self, of: Book) -> None:
        self.book, self.events = of, list[Event]()

    def task(self, part: str) -> Entry:
        every = [e for p in self.book.runbook.playbooks for e in entries(self.book, p)]
        return next(e for e in every if e.what is What.TASK and part in e.text)

    def ran(self, part: str, state: str, words: str) -> int:
        """A run of the task that holds `part`, and how it ended; the request's sequence."""
        key = self.task(part).key
        seq = len(self.events) + 1
        asked = {"kind": KIND, "title": "step", "context": {"step": {"key": key}},
                 "target": {"id": f"{key}{seq}", "label": "x"}}  # fmt: skip
        self.events.append(stored(Kind.REQUESTED, "step: it", asked, seq=seq))
        told = {"request": seq, "state": state, "evidence": {"exit": 1}}
        self.events.append(stored(Kind.OUTCOME, f"step: {state}: {words}", told, seq=seq + 1))
        return seq

    def skipped(self, part: str, why: str) -> None:
        data = {"key": self.task(part).key, "mark": "skipped", "why": why}
        self.events.append(stored(Kind.STEP, "skipped", data, seq=len(self.events) + 1))

    def proposed(self, *containers: str, labels: dict[int, str] | None = None) -> list[Proposal]:
        told = Told(INCIDENT, self.events, Requests(self.events), labels or {}, containers)
        return list(proposals([self.book], told))


def applied(tmp_path: Path, of: Book, made: list[Proposal], tool: str = "git") -> str:
    """The file after the real tool took the patch."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on PATH")
    file = tmp_path / of.name
    text = of.text if digest(of.text.encode()) == of.digest else f"\ufeff{of.text}"
    file.write_bytes(text.encode())
    (tmp_path / "runbooks.patch").write_bytes(patch(made, INCIDENT).encode())
    argv = {"git": ["git", "apply"], "patch": ["patch", "--binary", "-p1", "-i"]}[tool]
    ran = subprocess.run(
        [*argv, "runbooks.patch"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, (ran.stdout, ran.stderr, patch(made, INCIDENT))
    return file.read_bytes().decode()


def added(before: Book, after: str) -> list[str]:
    return [line for line in after.split("\n") if line not in before.text.split("\n")]


@pytest.mark.parametrize("tool", ["git", "patch"])
def test_a_container_that_is_called_otherwise_now_is_renamed(tmp_path: Path, tool: str) -> None:
    record = Record(book())
    words = "exit 1 after 0.2s: Error: No such container: old-web"
    seq = record.ran("docker logs", "failed", words)
    (made,) = record.proposed("shop-web", "shop-db", labels={seq: "E7"})
    assert made.place == "incident.md:12"
    assert made.why == f"failed [E7]: {words}"
    after = applied(tmp_path, record.book, [made], tool)
    assert added(record.book, after) == ["docker logs shop-web --tail 200"]


def test_where_two_names_come_as_near_nothing_is_guessed(tmp_path: Path) -> None:
    record = Record(book())
    record.ran("docker logs", "failed", "Error: No such container: old-web")
    made = record.proposed("web-a", "web-b")
    after = applied(tmp_path, record.book, made)
    assert added(record.book, after) == [f"# {INCIDENT}: failed: Error: No such container: old-web"]


def test_a_program_that_is_not_there_is_asked_about_above_its_command(tmp_path: Path) -> None:
    record = Record(book())
    record.ran(
        "doctl apps", "failed", "exit 127 after 0.1s: bash: line 1: doctl: command not found"
    )
    after = applied(tmp_path, record.book, record.proposed())
    rows = after.split("\n")
    here = rows.index("doctl apps list")
    assert rows[here - 1].startswith(f"# {INCIDENT}: failed: exit 127")
    assert "how doctl is installed" in rows[here - 1]


def test_each_place_gets_its_note_in_its_own_way(tmp_path: Path) -> None:
    record = Record(book())
    record.skipped("SELECT pid", "the pane shows it")
    record.skipped("docker inspect", "too long")
    record.skipped("docker stats", "no time")
    record.skipped("curl http", "the shop is at another address")
    after = applied(tmp_path, record.book, record.proposed())
    rows = after.split("\n")
    assert f"   -- {INCIDENT}: skipped: the pane shows it" == rows[rows.index("   ```sql") + 1]
    assert f"   > {INCIDENT}: skipped: too long" == rows[rows.index("   and read it.") + 1]
    table = next(i for i, row in enumerate(rows) if "docker stats" in row)
    assert rows[table + 1] == ""
    assert rows[table + 2].endswith("skipped: no time")
    shell = rows.index("$ curl http://shop.example/health")
    assert rows[shell + 1 : shell + 3] == [
        "```", f"> {INCIDENT}: skipped: the shop is at another address",
    ]  # fmt: skip
    assert [s.command for s in parse(after).steps if s.is_runnable][1:] == [
        s.command for s in parse(TEXT).steps if s.is_runnable
    ][1:]


def test_a_step_that_was_run_although_the_linter_warns_of_it_says_so(tmp_path: Path) -> None:
    record = Record(book())
    record.ran("pg_terminate", "done", "exit 0 after 0.1s")
    made = record.proposed()
    assert made
    assert all("was run although the linter warns of it" in one.why for one in made)
    assert all(line.startswith("# ") for line in added(record.book, applied(
        tmp_path, record.book, made)))  # fmt: skip


def test_what_worked_after_all_or_was_not_touched_is_no_gap() -> None:
    record = Record(book())
    assert record.proposed() == []
    record.ran("doctl apps", "failed", "exit 1: no")
    record.ran("doctl apps", "done", "exit 0")
    assert record.proposed() == []
    assert patch([], INCIDENT) == ""


@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize("shape", ["bom", "crlf", "no end"])
def test_the_file_stays_as_people_wrote_it(tmp_path: Path, shape: str, tool: str) -> None:
    text = {
        "bom": f"\ufeff{TEXT}", "crlf": TEXT.replace("\n", "\r\n"), "no end": TEXT.rstrip("\n"),
    }[shape]  # fmt: skip
    record = Record(book(text))
    record.ran("docker logs", "failed", "Error: No such container: old-web")
    record.skipped("doctl apps", "not ours")
    after = applied(tmp_path, record.book, record.proposed("shop-web"), tool)
    expected = TEXT.replace("old-web", "shop-web").replace(
        "doctl apps list", f"# {INCIDENT}: skipped: not ours\ndoctl apps list"
    )
    if shape == "bom":
        expected = f"\ufeff{expected}"
    if shape == "crlf":
        expected = expected.replace("\n", "\r\n")
    assert after == (expected.rstrip("\n") if shape == "no end" else expected)


def test_all_of_them_stand_in_one_patch_with_their_reasons_above(tmp_path: Path) -> None:
    record = Record(book())
    record.ran("docker logs", "failed", "Error: No such container: old-web")
    record.ran("doctl apps", "failed", "exit 127: doctl: command not found")
    record.skipped("docker stats", "no time")
    made = record.proposed("shop-web")
    text = patch(made, INCIDENT)
    head = text.partition("---")[0]
    assert head.startswith(f"# What {INCIDENT} found out about the runbooks.")
    assert [line.split(": ")[0] for line in head.splitlines()[1:] if line] == [
        "# incident.md:12", "# incident.md:14", "# incident.md:28",
    ]  # fmt: skip
    assert len(added(record.book, applied(tmp_path, record.book, made))) == 3


@pytest.mark.parametrize("words", CORPUS.values(), ids=CORPUS)
def test_whatever_a_command_said_it_stays_one_comment(tmp_path: Path, words: str) -> None:
    record = Record(book())
    record.ran("doctl apps", "failed", words)
    record.skipped("docker stats", words)
    made = record.proposed()
    after = applied(tmp_path, record.book, made)
    before = [part.text for step in parse(TEXT).steps for part in step.runnable]
    assert [part.text for step in parse(after).steps for part in step.runnable] == before
    fresh = "\n".join(added(record.book, after))
    assert all(char.isprintable() or char == "\n" for char in fresh)
    assert "\x1b" not in patch(made, INCIDENT)
