"""A report is on disk whole or not at all, for its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from warroom.reports.errors import NotWritten
from warroom.reports.write import write_atomically


def test_a_report_is_written_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "post-mortem.md"
    was = os.umask(0)
    try:
        write_atomically(file, "# Ünïcödé\n")
    finally:
        os.umask(was)
    assert file.read_bytes() == "# Ünïcödé\n".encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["post-mortem.md"]


def test_a_file_that_is_there_is_replaced_and_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "post-mortem.md"
    file.write_text("old")
    file.chmod(0o644)
    write_atomically(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    link = tmp_path / "link.md"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(NotWritten, match="is a symbolic link: not written"):
        write_atomically(link, "new")
    assert (tmp_path / "target").read_text() == "precious"
    assert link.is_symlink()


def test_a_dangling_link_is_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotWritten, match="symbolic link"):
        write_atomically(tmp_path / "link", "new")
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(NotWritten, match="is not a regular file"):
            write_atomically(path, "new")


@pytest.mark.parametrize(
    ("name", "fault"),
    [("missing/x.md", "No such file"), ("x" * 300, "too long"), ("a\0b", "null|NUL")],
)
def test_a_name_that_cannot_be_is_said_in_one_line(tmp_path: Path, name: str, fault: str) -> None:
    with pytest.raises(NotWritten, match=fault) as refused:
        write_atomically(tmp_path / name, "new")
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_when_the_new_text_does_not_reach_the_disk_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "post-mortem.md"
    file.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten, match="not written: No space left on device"):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["post-mortem.md"]
