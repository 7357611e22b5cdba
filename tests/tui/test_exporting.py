"""Taking the incident home from the room: what, for whom, and where."""

from __future__ import annotations

import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli import Shell, written
from tests.tui.page import RoomPage, opened
from warroom.tui.screens.export_dialog import ExportBody


@pytest.fixture
async def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoomPage]:
    """A console with an incident, which asks what to export."""
    monkeypatch.chdir(tmp_path)
    async with opened(written(tmp_path), size=(120, 40)) as room:
        await room.opens("it burns")
        await room.press("n")
        await room.types("the pool [/x] is full")
        await room.sees("the pool [/x] is full")
        await room.press("e")
        await room.sees("enter write", "☑ md", "☐ html", "template  full", "audience  internal")
        yield room


async def test_every_format_at_once_and_the_record_comes_in_elsewhere(
    asked: RoomPage, tmp_path: Path
) -> None:
    await asked.press("h", "j", "c", "b")
    await asked.sees("☑ md", "☑ html", "☑ json", "☑ csv", "☑ bundle")
    await asked.press("enter")
    await asked.sees("written; what is still missing in it", "nobody was incident commander")
    await asked.press("escape")
    files = {path.name.partition(".")[2]: path for path in tmp_path.glob("INC-*-post-mortem*")}
    assert set(files) == {"md", "html", "json", "csv", "tar.gz"}
    assert tarfile.is_tarfile(files["tar.gz"])
    there = tmp_path / "there"
    there.mkdir()
    shell = Shell(there, written(there))
    name = shell("incident", "import", str(files["json"])).out.strip()
    back = shell("export", name, "--format", "json").json
    assert back["events"] == json.loads(files["json"].read_text())["events"]


async def test_another_template_for_readers_outside(asked: RoomPage, tmp_path: Path) -> None:
    await asked.press("j", "a")
    await asked.sees(
        "audience  external", "☐ json", "not for readers outside", "template  external"
    )
    await asked.press("j")
    await asked.sees("☐ json")
    await asked.press("a", "t")
    await asked.sees("audience  internal", "template  full")
    await asked.press("t")
    await asked.sees("template  classic")
    await asked.press("enter")
    await asked.sees("written; what is still missing")
    (file,) = tmp_path.glob("*-post-mortem.md")
    assert file.read_text().startswith("# Post-Mortem: it burns")


async def test_another_path_is_typed_and_the_choice_stays(asked: RoomPage, tmp_path: Path) -> None:
    await asked.press("h", "p")
    await asked.types(f"{tmp_path}/home/mine.md")
    await asked.sees("mine.md", "☑ html")
    await asked.press("enter")
    await asked.says("home/mine.md: not written")
    assert list(tmp_path.glob("**/mine*")) == []


async def test_a_click_changes_a_line(asked: RoomPage) -> None:
    body = asked.app.screen.query_one(ExportBody)
    await asked.pilot.click(body, offset=(10, 2))
    await asked.sees("☑ html")
    await asked.pilot.click(body, offset=(10, 7))
    await asked.sees("audience  external")


async def test_escape_writes_nothing(asked: RoomPage, tmp_path: Path) -> None:
    await asked.press("escape")
    await asked.closes()
    assert list(tmp_path.glob("*post-mortem*")) == []
    assert asked.kinds == ["opened", "note"]


async def test_a_runbooks_own_structure_stands_among_the_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    book = tmp_path / "tide.md"
    book.write_text(
        "# Tide\n## After a flood [/x]\n```markdown\n# Flood: [Title]\n## Timeline\n## Impact\n"
        "## Root cause\n```\n"
    )
    book.chmod(0o600)
    config = written(tmp_path, f'[incident]\nrunbooks = ["{book}"]')
    async with opened(config, size=(120, 40)) as room:
        await room.opens("the quay is wet")
        await room.press("e")
        await room.sees("template  full")
        for _ in range(7):
            await room.press("t")
        await room.sees("template  runbook", "After a flood [/x], as tide.md:3 has it")
        await room.press("enter")
        await room.sees("written; what is still missing")
    (file,) = tmp_path.glob("*-post-mortem.md")
    assert file.read_text().startswith("# Flood: the quay is wet")
