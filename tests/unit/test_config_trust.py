"""Which config is found, and that one which others may change is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from warroom.config.find import Found, How, find
from warroom.config.trust import check, remember

CONFIG = b'[incident]\nscheme = "P0-P3"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "team"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


def written(path: Path, content: bytes = CONFIG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)
    return path


def test_a_named_config_wins_then_the_variable_then_the_current_folder_then_the_users(
    folder: Path, tmp_path: Path
):
    environ = {"HOME": str(tmp_path), "WARROOM_CONFIG": "/somewhere/else.toml"}
    here, users = folder / "warroom.toml", tmp_path / ".config" / "warroom" / "warroom.toml"
    written(here)
    written(users)
    assert find("mine.toml", environ) == Found(Path("mine.toml"), How.OPTION)
    assert find("~/mine.toml", environ).path == tmp_path / "mine.toml"
    assert find(None, environ) == Found(Path("/somewhere/else.toml"), How.VARIABLE)
    del environ["WARROOM_CONFIG"]
    assert find(None, environ) == Found(here, How.CURRENT)
    here.unlink()
    assert find(None, environ) == Found(users, How.USER)
    assert find(None, {**environ, "XDG_CONFIG_HOME": "relative"}).path == users
    other = written(tmp_path / "xdg" / "warroom" / "warroom.toml")
    assert find(None, {**environ, "XDG_CONFIG_HOME": str(tmp_path / "xdg")}).path == other


def test_nothing_found_is_nothing_to_refuse(folder: Path, tmp_path: Path):
    found = find(None, {"HOME": str(tmp_path)})
    if Path("/etc/warroom/warroom.toml").exists():
        pytest.skip("this machine has a config of its own")
    assert found == Found(None, How.NOWHERE)
    assert check(found).ok


def test_a_config_that_lay_here_is_trusted_once_and_for_these_bytes_only(folder: Path):
    found = Found(written(folder / "warroom.toml"), How.CURRENT)
    verdict = check(found)
    assert (verdict.ok, verdict.needs_trust, verdict.refused) == (False, True, "")
    assert verdict.path is not None
    remember(verdict.path, verdict.digest)
    assert check(found).ok
    assert check(found).content == CONFIG
    written(folder / "warroom.toml", CONFIG + b'[[probe]]\nkind = "command"\n')
    assert check(found).needs_trust
    elsewhere = Found(written(folder / "sub" / "warroom.toml"), How.CURRENT)
    assert check(elsewhere).needs_trust, "the same bytes mean other files at another place"


def test_trust_is_kept_private_and_a_forged_record_is_none(folder: Path, tmp_path: Path):
    found = Found(written(folder / "warroom.toml"), How.CURRENT)
    remember(folder / "warroom.toml", check(found).digest)
    (record,) = (tmp_path / "state" / "warroom" / "trust").iterdir()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700
    record.chmod(0o666)
    assert check(found).needs_trust
    record.chmod(0o600)
    assert check(found).ok
    record.write_text("something else")
    assert check(found).needs_trust


@pytest.mark.parametrize("how", [How.OPTION, How.VARIABLE, How.USER, How.MACHINE])
def test_a_named_one_needs_no_question(folder: Path, how: How):
    assert check(Found(written(folder / "warroom.toml"), how)).ok


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
@pytest.mark.parametrize("how", [How.OPTION, How.CURRENT])
def test_a_file_that_others_may_write_to_is_refused_with_the_command_that_helps(
    folder: Path, how: How, mode: int
):
    file = written(folder / "my war.toml")
    file.chmod(mode)
    verdict = check(Found(file, how))
    assert not verdict.ok
    assert verdict.refused == (
        f"{file}: a file that others may write to, and warroom would run what they write; "
        f"run: chmod go-w '{file}'"
    )


def test_a_folder_that_others_may_write_to_is_refused_however_far_above(folder: Path):
    file = written(folder / "a" / "b" / "warroom.toml")
    (folder / "a").chmod(0o777)
    assert (
        f"{folder / 'a'}: a folder that others may write to"
        in check(Found(file, How.OPTION)).refused
    )
    (folder / "a").chmod(0o1777)
    assert check(Found(file, How.OPTION)).ok, "in a sticky folder nobody else can replace it"


def test_links_are_followed_to_the_end(folder: Path, tmp_path: Path):
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    target = written(open_folder / "real.toml")
    link = folder / "warroom.toml"
    link.symlink_to(target)
    assert check(Found(link, How.OPTION)).ok
    open_folder.chmod(0o777)
    assert "chmod go-w" in check(Found(link, How.OPTION)).refused
    open_folder.chmod(0o755)
    target.chmod(0o666)
    assert str(target) in check(Found(link, How.OPTION)).refused


def test_a_link_in_a_folder_of_everybody_is_refused_though_its_target_is_fine(
    folder: Path, tmp_path: Path
):
    middle = tmp_path / "middle"
    middle.mkdir()
    (middle / "hop").symlink_to(written(folder / "real.toml"))
    middle.chmod(0o777)
    (folder / "warroom.toml").symlink_to(middle / "hop")
    assert str(middle) in check(Found(folder / "warroom.toml", How.OPTION)).refused


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(folder: Path):
    file = written(folder / "warroom.toml")
    os.chown(file, 12345, -1)
    assert check(Found(file, How.OPTION)).refused == (
        f"{file}: belongs to uid 12345, who may change it; use a copy of your own"
    )
    os.chown(file, 0, -1)
    os.lchown(folder, 12345, -1)
    assert str(folder) in check(Found(file, How.OPTION)).refused


def test_what_is_not_there_or_no_file_is_one_plain_line(folder: Path):
    loop = folder / "loop.toml"
    loop.symlink_to(loop)
    for path in (folder / "none.toml", folder, loop, Path("a\0b"), Path("/dev/zero")):
        verdict = check(Found(path, How.OPTION))
        assert not verdict.ok
        assert verdict.refused and "\n" not in verdict.refused


def test_a_hostile_file_name_is_shown_harmless(folder: Path):
    file = written(folder / "a\x1b[31m\u202eb[/x].toml")
    file.chmod(0o666)
    refused = check(Found(file, How.OPTION)).refused
    assert "\x1b" not in refused and "\u202e" not in refused
    assert "␛[31m" in refused
