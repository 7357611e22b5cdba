"""Every shape that people give a runbook: what is understood of it, and what can never be run.

A file `shapes/NAME.md` is understood as `shapes/NAME.expected` says. To look at teams' own files
that may not lie here, name their folder in WARROOM_RUNBOOKS: what is expected of a file stands in
`known/`, by its digest and without a word of it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import at_most
from tests.support.runbook_facts import facts
from warroom.runbooks.export import to_json
from warroom.runbooks.model import Part, Runbook, RunbookError
from warroom.runbooks.parse import decoded, parse, read

FOLDER = Path(__file__).parent / "runbooks"
SHAPES = sorted((FOLDER / "shapes").glob("*.md"))
KNOWN = sorted((FOLDER / "known").glob("*.expected"))
PROMPTS = ("$ ", "% ", "# ", "❯ ", "➜ ")


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_a_shape_is_understood_as_people_read_it(file: Path):
    assert facts(read(file)) == file.with_suffix(".expected").read_text()


def test_there_are_many_shapes_and_each_is_expected_to_be_something():
    assert len(SHAPES) >= 40
    expected = {file.stem for file in (FOLDER / "shapes").glob("*.expected")}
    assert {file.stem for file in SHAPES} == expected


@pytest.mark.parametrize("expected", KNOWN, ids=lambda file: file.stem)
def test_a_teams_own_runbook_is_understood_as_reviewed(expected: Path):
    folder = os.environ.get("WARROOM_RUNBOOKS", "")
    if not folder:
        pytest.skip("WARROOM_RUNBOOKS names no folder")
    for file in sorted(Path(folder).iterdir()):
        if hashlib.sha256(file.read_bytes()).hexdigest().startswith(expected.stem):
            assert facts(read(file), words=False) == expected.read_text()
            return
    pytest.skip(f"no file of digest {expected.stem} there")


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_what_can_be_run_stands_in_the_shape_in_one_piece(file: Path):
    source = decoded(file.read_bytes())
    assert_contiguous(parse(source), source)


def assert_contiguous(runbook: Runbook, source: str) -> None:
    """Every runnable part is consecutive lines of the file from its own line on, each whole but
    for what Markdown puts before it (a list's indent, a quote's mark) and a prompt."""
    lines = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    rows = lines.replace("\0", "\ufffd").split("\n")
    for step in runbook.steps:
        for part in step.runnable:
            if step.language == "inline":
                assert any(part.text in row for row in rows[part.line - 1 :]), part
            else:
                assert_whole_lines(part, rows)


def assert_whole_lines(part: Part, rows: list[str]) -> None:
    texts = part.text.split("\n")
    for offset, (text, row) in enumerate(
        zip(texts, rows[part.line - 1 : part.line - 1 + len(texts)], strict=True)
    ):
        bare = text.lstrip(" \t")
        assert row.endswith(bare), (part, row)
        before = row[: len(row) - len(bare)]
        if before.strip(" \t>-*+0123456789.)"):
            assert offset == 0, (part, row)
            assert before.endswith(PROMPTS), (part, row)


_LINES = st.sampled_from(
    ["```bash\n", "```\n", "~~~sh\n", "~~~\n", "````md\n", "````\n", "$ ls -l\n", "ls -l\n",
     "  ```bash\n", "  ```\n", "> ```sh\n", "> docker ps\n", "> ```\n", "- item\n", "1. item\n",
     "\tdocker ps\n", "    docker restart web\n", "cd /srv\n", "export A=1\n", "A=1\n", "echo $A\n",
     "cat <<EOF\n", "EOF\n", "for i in x; do\n", "done\n", "case x in\n", "a) ls ;;\n", "esac\n",
     "echo 'x\n", "y'\n", 'psql -c "\n', 'SELECT 1"\n', "curl -s x |\n", "  jq .\n",
     "docker ps \\\n", "  -a\n", "ssh box\n", "redis-cli\n", "127.0.0.1:6379> FLUSHALL\n",
     ">>> exit()\n", "OK\n",
     "NAME   STATUS\n", "# comment\n", "\n", "## Heading\n", "**Fix:**\n", "**Symptoms:** slow\n",
     "| Issue | Fix |\n|-|-|\n| a | `docker ps` |\n", "| x | `ls -l \\| wc -l` |\n", "<table>\n",
     "<tr><td><code>docker ps -a</code></td></tr>\n", "</table>\n", "<!--\n", "-->\n", "!!! note\n",
     ":::note\n", "---\n", "title: x\n", "+++\n", "Title\n=====\n", "[a]: #b\n", "[x](#y)\n",
     "`docker logs web`\n", "f() {\n", "}\n", "(cd x && ls)\n", "\ufeff", "\r\n", "\r", "\0",
     "\u202e", "- [ ] task\n", "P1: 5 minutes\n", "* * *\n", "ls -l\t\n", "\x0c", "\u2028",
     "ls\x85-l\n"]
) | st.text(max_size=8)  # fmt: skip


@given(pieces=st.lists(_LINES, max_size=40))
def test_whatever_the_lines_nothing_runs_that_does_not_stand_in_the_file(pieces: list[str]):
    source = "".join(pieces)
    with at_most(5.0):
        runbook = parse(source)
    assert_contiguous(runbook, source)
    assert to_json(parse(source)) == to_json(runbook), "deterministic"


@given(data=st.data())
def test_whatever_is_cut_out_of_a_shape_or_put_in_it_still_parses(data: st.DataObject):
    raw = data.draw(st.sampled_from(SHAPES)).read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(at, min(len(raw), at + 40)))
        raw = raw[:at] + data.draw(st.binary(max_size=6)) + raw[end:]
    try:
        source = decoded(raw)
    except RunbookError:
        return
    assert_contiguous(parse(source), source)
