"""A patch of edits is what `git apply` and `patch` make of the file."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from warroom.engine.patches import Edit, edited, unified

LONG = "".join(f"line {n}\n" for n in range(1, 41))


def applied(tmp_path: Path, tool: str, name: str, text: str, patch: str) -> str:
    """What the real tool makes of the file."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on PATH")
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    made = tmp_path / "edits.patch"
    made.write_bytes(patch.encode())
    argv = ["git", "apply", "edits.patch"] if tool == "git" else ["patch", "-p1", "-i", made.name]
    if tool == "patch":
        argv.insert(1, "--binary")
    ran = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, (ran.stdout, ran.stderr, patch)
    return file.read_bytes().decode()


CASES = {
    "above": (LONG, [Edit(20, ("new",))]),
    "instead": (LONG, [Edit(20, instead="other")]),
    "both": (LONG, [Edit(20, ("new", "newer"), "other")]),
    "first line": (LONG, [Edit(1, ("new",), "other")]),
    "last line": (LONG, [Edit(40, ("new",), "other")]),
    "behind the last": (LONG, [Edit(41, ("new",))]),
    "near": (LONG, [Edit(5, ("a",)), Edit(9, instead="b"), Edit(16, ("c",))]),
    "far": (LONG, [Edit(3, ("a", "b")), Edit(30, instead="c")]),
    "one line twice": (LONG, [Edit(7, ("a",)), Edit(7, ("b",)), Edit(7, instead="c")]),
    "no end": ("one\ntwo", [Edit(2, ("new",), "other")]),
    "line ends of Windows": (LONG.replace("\n", "\r\n"), [Edit(4, ("new",))]),
    "odd characters": ("a\x0bb\n\u2028x\n\ttab\n\x1b[31mred\n" * 3, [Edit(6, ("new",))]),
    "a byte order mark": ("\ufeff# Title\n\ntext\n", [Edit(2, ("new",))]),
    "an empty line": ("\n\n\n", [Edit(2, ("x",))]),
}


@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize("case", CASES)
def test_the_tools_make_of_a_patch_what_was_meant(tmp_path: Path, case: str, tool: str) -> None:
    text, edits = CASES[case]
    patch = unified("books/incident.md", text, edits)
    assert applied(tmp_path, tool, "books/incident.md", text, patch) == edited(text, edits)


@pytest.mark.parametrize("tool", ["git", "patch"])
def test_a_name_with_a_blank_is_found(tmp_path: Path, tool: str) -> None:
    patch = unified("my book.md", LONG, [Edit(2, ("new",))])
    assert "new" in applied(tmp_path, tool, "my book.md", LONG, patch)


@pytest.mark.parametrize("tool", ["git", "patch"])
def test_any_edits_of_any_lines(tmp_path: Path, tool: str) -> None:
    chance = random.Random(7)
    text = "".join(f"{chance.choice(['a', 'b', '', '}'])}{n % 3}\n" for n in range(60))
    for _ in range(8):
        edits = [some_edit(chance) for _ in range(chance.randrange(1, 9))]
        patch = unified("x.md", text, edits)
        assert applied(tmp_path, tool, "x.md", text, patch) == edited(text, edits)


def some_edit(chance: random.Random) -> Edit:
    above: Sequence[str] = [f"new {chance.random()}"] * chance.randrange(3)
    instead = "other" if not above or chance.random() < 0.3 else None
    return Edit(chance.randrange(1, 61), tuple(above), instead)


def test_without_edits_there_is_no_patch() -> None:
    assert unified("x.md", LONG, []) == ""
    assert edited(LONG, []) == LONG


@pytest.mark.parametrize("name", ["a\nb.md", 'a"b.md', "a\\b.md", "/etc/x.md", "a\x1b.md"])
def test_a_name_that_a_patch_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        unified(name, LONG, [Edit(1, ("x",))])
