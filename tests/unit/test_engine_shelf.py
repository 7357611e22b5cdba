"""A runbook that changes on disk waits until somebody has seen how; links stay in their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.effort import at_most
from tests.support.waiting import comes_true
from warroom.config.problems import ConfigError
from warroom.config.settings import IncidentSettings, Settings
from warroom.engine import shelf as module
from warroom.engine.shelf import NoSuchBook, Shelf, difference, read_book, read_shelf

TEXT = """# Burning

## Playbook: disk

```bash
df -h
```

See [the other one](deep/other.md#what-then).
"""


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return put(tmp_path / "incident.md", TEXT)


@pytest.fixture
def shelf(file: Path) -> Shelf:
    settings = Settings(IncidentSettings(runbooks=("*.md",)), file=file.parent / "warroom.toml")
    return read_shelf(settings)


def test_a_book_is_what_stands_in_its_file(shelf: Shelf, file: Path) -> None:
    (book,) = shelf.books
    assert (book.path, book.name, book.text) == (file, "incident.md", TEXT)
    shelf.look()
    assert (shelf.stale(book), shelf.changes, shelf.news()) == ("", {}, [])


def test_a_changed_file_keeps_its_steps_from_running_until_it_is_confirmed(
    shelf: Shelf, file: Path
) -> None:
    (before,) = shelf.books
    put(file, TEXT.replace("df -h", "df -h; rm -rf /srv"))
    shelf.look()
    change = shelf.changes[file]
    assert change.lines[0] == "@@ -4,5 +4,5 @@"
    assert {"-df -h", "+df -h; rm -rf /srv"} <= set(change.lines)
    assert shelf.news() == [
        "incident.md changed on disk: look at what changed and confirm it first"
    ]
    assert "confirm it first" in shelf.stale(before)
    after = shelf.confirm(change)
    assert shelf.books == (after,)
    assert "rm -rf" in after.text
    assert (shelf.stale(after), shelf.changes) == ("", {})
    assert shelf.stale(before) == "incident.md was read anew since: open the step again"


def test_a_step_is_compared_with_the_file_even_before_anybody_looked(
    shelf: Shelf, file: Path
) -> None:
    (book,) = shelf.books
    put(file, TEXT + "\nmore\n")
    assert "changed on disk" in shelf.stale(book)


def test_a_file_of_the_same_size_and_time_is_found_out_all_the_same(
    shelf: Shelf, file: Path
) -> None:
    (book,) = shelf.books
    shelf.look()
    state = file.stat()
    put(file, TEXT.replace("df -h", "rm -r"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    shelf.look()
    assert file in shelf.changes
    assert shelf.stale(book)


def test_one_that_is_put_back_as_it_was_needs_no_confirmation(shelf: Shelf, file: Path) -> None:
    (book,) = shelf.books
    put(file, "# Other\n")
    shelf.look()
    put(file, TEXT)
    shelf.look()
    assert (shelf.changes, shelf.stale(book)) == ({}, "")


def test_what_others_may_write_to_is_refused_and_cannot_be_confirmed(
    shelf: Shelf, file: Path
) -> None:
    (book,) = shelf.books
    file.chmod(0o666)
    shelf.look()
    change = shelf.changes[file]
    assert change.fresh is None
    assert "others may write to" in change.says
    with pytest.raises(ConfigError, match="others may write to"):
        shelf.confirm(change)
    file.chmod(0o600)
    assert shelf.stale(book) == ""


def test_a_file_that_is_gone_says_so_once(shelf: Shelf, file: Path) -> None:
    (book,) = shelf.books
    file.unlink()
    shelf.look()
    shelf.look()
    assert len(shelf.news()) == 1
    assert "No such file" in shelf.stale(book)


def test_what_is_confirmed_is_what_was_looked_at(shelf: Shelf, file: Path) -> None:
    put(file, "# Second\n")
    shelf.look()
    seen = shelf.changes[file]
    put(file, "# Third\n")
    with pytest.raises(ConfigError, match="changed once more"):
        shelf.confirm(seen)


async def test_the_files_are_looked_at_while_the_room_is_open(
    shelf: Shelf, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    shelf.start()
    try:
        put(file, "# Second\n")
        await comes_true(lambda: file in shelf.changes)
    finally:
        await shelf.stop()


# Links ------------------------------------------------------------------------------------------


def test_a_link_to_a_file_below_puts_it_on_the_shelf_once(shelf: Shelf, file: Path) -> None:
    put(file.parent / "deep" / "other.md", "# Other\n\ntext\n\n## What then?\n")
    (book,) = shelf.books
    other, line = shelf.follow(book, "deep/other.md#what-then")
    assert (other.name, line) == ("deep/other.md", 5)
    assert shelf.follow(book, "./deep/../deep/other.md") == (other, 1)
    assert shelf.follow(other, "../incident.md") == (book, 1)
    assert shelf.follow(book, "#playbook-disk") == (book, 3)
    assert shelf.books == (book, other)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("https://wiki.example/x.md", "only files beside"),
        ("/etc/passwd", "only files beside"),
        ("~/x.md", "only files beside"),
        ("../outside.md", "is outside"),
        ("link.md", "is outside"),
        ("secret.txt", "no Markdown"),
        ("gone.md", "is not there"),
        ("a\0b.md", "is not there"),
    ],
)
def test_a_link_that_leads_anywhere_else_opens_nothing(
    tmp_path: Path, target: str, why: str
) -> None:
    put(tmp_path / "outside.md", "# Outside\n")
    folder = put(tmp_path / "books" / "incident.md", TEXT).parent
    put(folder / "secret.txt", "x")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    shelf = Shelf((read_book(folder / "incident.md", folder),), folder)
    with pytest.raises(NoSuchBook, match=why):
        shelf.follow(shelf.books[0], target)
    assert len(shelf.books) == 1


def test_a_linked_file_that_others_may_write_to_is_refused(shelf: Shelf, file: Path) -> None:
    put(file.parent / "deep" / "other.md", "# Other\n").chmod(0o666)
    with pytest.raises(ConfigError, match="others may write to"):
        shelf.follow(shelf.books[0], "deep/other.md")


# What changed -----------------------------------------------------------------------------------


def test_what_changed_is_shown_harmless_and_by_the_files_own_lines() -> None:
    before = "".join(f"line {n}\n" for n in range(1, 41))
    after = before.replace("line 20\n", "line \x1b[31mtwenty\u202e\n")
    shown = "\n".join(difference(before, after))
    assert shown.startswith("@@ -18,5 +18,5 @@\n line 18\n line 19\n-line 20\n+line ")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert difference(before, before) == ()


def test_two_files_that_have_nothing_in_common_are_compared_in_a_moment() -> None:
    one = "\n".join(f"a{n}" for n in range(9000))
    other = "\n".join(f"b{n}" for n in range(9000))
    with at_most(1.0):
        assert len(difference(one, other)) < 300
