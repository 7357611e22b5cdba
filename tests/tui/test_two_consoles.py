"""One incident on two consoles, one of them a process on a terminal of its own: what one writes
the other shows; one is killed, the other goes on; and what was written is taken home whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Shell, written
from tests.support.terminal import Terminal, console
from tests.tui.page import RoomPage, opened
from tests.tui.timeline import TimelinePage, timeline_of
from warroom.reports import FORMATS, SUFFIXES

SIZE = (140, 40)
TIMES = '[incident]\ntimezone = "Europe/Berlin"'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return written(tmp_path, TIMES)


async def beside(doing: Callable[..., None], *args: Any, **more: Any) -> None:
    """Watch the other terminal while this console lives on."""
    await asyncio.to_thread(doing, *args, **more)


async def test_two_consoles_share_an_incident_edit_it_and_take_it_home(
    config: Path, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, config)
    async with opened(config, size=SIZE) as mine:
        await mine.opens("Checkout answers 503")
        with console(tmp_path, config) as theirs:
            await beside(theirs.sees, "Checkout answers 503")
            await notes_cross_over(mine, theirs)
            page = await timeline_of(mine)
            await one_is_killed_while_it_types(page, theirs)
        await the_other_goes_on(page, shell)
        await the_timeline_is_edited(page)
    files = exported(shell, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Shell(tmp_path, written(tmp_path / "elsewhere", TIMES))
    took_in(elsewhere, files["json"], shell)


async def notes_cross_over(mine: RoomPage, theirs: Terminal) -> None:
    for word in ("one", "two", "three"):
        theirs.keys(f"nfrom the bastion, {word}")
        await beside(theirs.sees, f"from the bastion, {word}")
        theirs.keys("\r")
        await mine.sees(f"from the bastion, {word}")
        await mine.room.session.note(f"from the desk, {word}")
        await beside(theirs.sees, f"from the desk, {word}")


async def one_is_killed_while_it_types(page: TimelinePage, theirs: Terminal) -> None:
    theirs.keys("tnhalf a sent")
    await beside(theirs.sees, "half a sent")
    theirs.process.kill()
    await asyncio.to_thread(theirs.process.wait, 10)
    await page.adds("the other console is gone")


async def the_other_goes_on(page: TimelinePage, shell: Shell) -> None:
    assert "the other console is gone" in page.texts
    assert not any("half a sent" in text for text in page.texts)
    said = await asyncio.to_thread(shell, "incident", "verify")
    assert "the chain holds" in said.out


async def the_timeline_is_edited(page: TimelinePage) -> None:
    await page.adds("deploy of 12:40 finished", "1h ago")
    assert page.texts[0] == "deploy of 12:40 finished"
    await page.opens_form("e")
    await page.fills(text="deploy of 12:40 finished: api 1.4.2", when="70m ago")
    await page.saves()
    await page.press("s")
    await page.says("starred")
    await page.press("number_sign")
    await page.sees("[ ] detection")
    await page.press("3", "escape")
    await page.says("tagged: action")
    await page.select("from the desk, one")
    await page.press("space")
    await page.select("from the bastion, two")
    await page.press("space", "M")
    await page.says("merged 2 entries")
    await page.select("from the desk, three")
    await page.press("d")
    await page.room.types("said twice")
    await page.says("retracted")
    await page.press("u")
    await page.says("taken back: retracted")
    assert any("from the desk, three" in text for text in page.texts)
    await page.press("U")
    await page.says("done again: retracted")
    assert not any("from the desk, three" in text for text in page.texts)


def exported(shell: Shell, folder: Path) -> dict[str, Path]:
    """Every format there is, as files that hold what was edited."""
    shell("export", "--format", ",".join(FORMATS), "-o", str(folder / "taken-home"), within=120)
    files = {form: folder / f"taken-home.{SUFFIXES[form]}" for form in FORMATS}
    for form, file in files.items():
        assert file.stat().st_size, form
        assert file.stat().st_mode & 0o777 == 0o600, form
    for form in ("md", "html", "json", "csv"):
        text = files[form].read_text()
        assert "api 1.4.2" in text, form
        assert form == "json" or "from the desk, three" not in text, form
    return files


def took_in(shell: Shell, file: Path, source: Shell) -> None:
    """The imported incident is the same event by event, and so is what it adds up to."""
    name = shell("incident", "import", str(file)).out.strip()
    assert "the chain holds" in shell("incident", "verify", name).out
    theirs, ours = (one("incident", "show", name, "--json").json for one in (shell, source))
    count = len(theirs["events"])
    assert theirs["events"] == ours["events"][:count]
    assert {event["kind"] for event in ours["events"][count:]} <= {"exported"}
    there, here = (one("incident", "show", name).out.splitlines() for one in (shell, source))
    assert there == here[: len(there)]
    assert any("api 1.4.2" in line for line in there)
