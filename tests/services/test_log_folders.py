"""Paths are completed from what lies on this machine, and on another over SSH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.services.far_host import Configured
from warroom.drill.stack.program import free_port
from warroom.hosts.base import Host, HostError
from warroom.logs.folders import Folders, listed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("access.log", "access.log.1", "b [x] 'y'.log", ".hidden", "-l", "two\nlines"):
        (tmp_path / name).touch()
    (tmp_path / "nginx").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "nginx")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / os.fsdecode(b"\xff\x1b[31m")).touch()
    return tmp_path


async def test_a_folder_is_listed_with_what_can_be_typed(place: Host, folder: Path) -> None:
    found = await listed(place, f"{folder}/")
    wanted = {"access.log", "access.log.1", "b [x] 'y'.log", ".hidden", "-l", "nginx/", "linked/"}
    assert wanted <= set(found)
    assert not any("\x1b" in name for name in found)
    assert found == sorted(found)


async def test_a_path_is_completed_part_by_part_and_a_hidden_name_only_when_it_is_begun(
    place: Host, folder: Path
) -> None:
    folders = Folders()
    for typed, whole in {
        "acc": "access.log",
        "access.log": "access.log.1",
        "b [": "b [x] 'y'.log",
        "": "-l",
        ".h": ".hidden",
        "ng": "nginx/",
        "Acc": None,
        "access.log.1": None,
    }.items():
        found = await folders.completed(place, f"{folder}/{typed}")
        assert found == (whole and f"{folder}/{whole}")


async def test_a_folder_is_asked_for_once(place: Host, folder: Path) -> None:
    folders = Folders()
    assert await folders.completed(place, f"{folder}/new") is None
    (folder / "newer").touch()
    assert await folders.completed(place, f"{folder}/new") is None
    assert await Folders().completed(place, f"{folder}/new") == f"{folder}/newer"


async def test_why_a_folder_cannot_be_listed_is_said_each_time(place: Host, folder: Path) -> None:
    folders = Folders()
    for _ in range(2):
        with pytest.raises(HostError, match="No such file or directory"):
            await folders.completed(place, f"{folder}/nothing/a")


@pytest.mark.service("ssh")
async def test_a_host_that_is_away_says_so(configured: Configured) -> None:
    with pytest.raises(HostError, match="connection refused"):
        await Folders().completed(configured(Port=free_port()), "/var/log/a")
