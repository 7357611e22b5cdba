"""What somebody is still writing survives the console it is written in."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from warroom.engine.drafts import KEPT_S, LIMIT, DraftNotKept, Drafts, default_folder

KEY = "update/0199-abc/status page"
HOSTILE = "\x1b]52;c;UFdO\x07 [/x] \u202e \x9b \ud800 \0 line one\nline two\r\n"


def test_a_text_is_there_for_the_next_console(tmp_path: Path) -> None:
    Drafts(tmp_path / "drafts").put(KEY, HOSTILE)
    assert Drafts(tmp_path / "drafts").get(KEY) == HOSTILE
    assert Drafts(tmp_path / "drafts").get("update/0199-abc/chat") == ""


def test_a_later_text_takes_the_place_of_the_first_until_it_is_forgotten(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.put(KEY, "first")
    drafts.put(KEY, "second")
    assert drafts.get(KEY) == "second"
    drafts.forget(KEY)
    drafts.forget(KEY)
    assert drafts.get(KEY) == ""
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Drafts(tmp_path / "state" / "drafts").put(KEY, "not yet for all")
    finally:
        os.umask(before)
    (file,) = (tmp_path / "state" / "drafts").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_key_is_no_path(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    for key in ("../../etc/passwd", "/etc/passwd", "\0", "\ud800", "x" * 10_000, ""):
        drafts.put(key, f"of {key[:5]!r}")
        assert drafts.get(key) == f"of {key[:5]!r}"
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "drafts"}


def test_a_link_in_its_place_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    drafts.put(KEY, "mine")
    (file,) = drafts.folder.iterdir()
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(elsewhere)
    assert drafts.get(KEY) == ""
    drafts.put(KEY, "mine again")
    assert not file.is_symlink()
    assert b"again" not in elsewhere.read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b"null", b'{"key": 1}', b'{"text": 3}', b"[" * 100_000]
)
def test_a_file_that_is_not_ours_is_no_draft(tmp_path: Path, content: bytes) -> None:
    drafts = Drafts(tmp_path)
    drafts.put(KEY, "mine")
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert drafts.get(KEY) == ""


def test_what_cannot_be_kept_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    drafts = Drafts(tmp_path / "file" / "drafts")
    assert drafts.get(KEY) == ""
    drafts.forget(KEY)
    with pytest.raises(DraftNotKept) as refused:
        drafts.put(KEY, "text")
    assert "not kept" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(DraftNotKept, match="longer than"):
        Drafts(tmp_path).put(KEY, "x" * (LIMIT + 1))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_nobody_took_up_for_a_month_is_taken_away(tmp_path: Path) -> None:
    Drafts(tmp_path).put("old", "forgotten")
    (old,) = tmp_path.iterdir()
    month_ago = old.stat().st_mtime - KEPT_S - 60
    os.utime(old, (month_ago, month_ago))
    Drafts(tmp_path).put("young", "of today")
    drafts = Drafts(tmp_path)
    drafts.put(KEY, "of now")
    assert (drafts.get("old"), drafts.get("young"), drafts.get(KEY)) == ("", "of today", "of now")


def test_it_lies_in_the_persons_own_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "warroom" / "drafts"
    assert Drafts().folder == default_folder()
