"""What is typed into the timeline is not lost: not by a closed form, not by a full disk, not by
somebody else who edits the same entry."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.cli import Shell, written
from tests.support.disk import full_disk
from tests.support.terminal import console
from tests.tui.page import opened
from tests.tui.timeline import timeline_of
from warroom.engine.drafts import Drafts
from warroom.tui.screens.timeline.fields import Text

SIZE = (120, 40)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"')


def drafts(folder: Path) -> list[Path]:
    return sorted((folder / "state" / "warroom" / "drafts").glob("*.json"))


# Drafts ---------------------------------------------------------------------------------------


async def test_a_draft_survives_the_form_the_timeline_and_the_console(
    config: Path, tmp_path: Path
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        page = await timeline_of(room)
        await page.opens_form("n")
        await page.fills(text="half a thou", when="5m ago")
        await page.press("tab", "3", "escape")
        await page.says("the draft is kept")
    assert [stat.S_IMODE(file.stat().st_mode) for file in drafts(tmp_path)] == [0o600]
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns")
        page = await timeline_of(room)
        await page.press("n")
        await room.sees("kept", "half a thou", "enter continues   d discards")
        await page.opens_form("enter")
        assert page.form.query_one(Text).text == "half a thou"
        assert page.form.query_one(Input).value == "5m ago"
        await page.fills(text="half a thought, finished")
        await page.saves()
        assert page.selected.tags == ("action",)
        assert "half a thought, finished" in page.texts
        assert drafts(tmp_path) == []


async def test_a_draft_is_kept_while_it_is_typed_and_discarded_by_a_key(
    config: Path, tmp_path: Path
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        page = await timeline_of(room)
        await page.opens_form("e")
        await page.fills(text="it burns in the kitchen")
        await room.until(lambda: bool(drafts(tmp_path)), "no draft after a second")
        await page.press("escape")
        await page.press("e")
        await room.sees("draft from")
        await page.opens_form("d")
        assert page.form.query_one(Text).text == "it burns"
        assert drafts(tmp_path) == []
        await page.press("escape")
        await page.shown()
        assert drafts(tmp_path) == []


async def test_a_draft_that_is_no_draft_is_passed_over(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        page = await timeline_of(room)
        for text in (
            "[]",
            "nothing",
            '{"content": 7, "at": "x"}',
            '{"at": "2026-01-01", "base": 1}',
        ):
            Drafts().put(page.screen.draft_key(0), text)
            await page.opens_form("n")
            await page.press("escape")
            await page.shown()


def test_keys_that_arrive_together_go_into_the_filter(tmp_path: Path) -> None:
    config = written(tmp_path)
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    shell("note", "quiet days: s d M q")
    with console(tmp_path, config) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("t/quiet d\rs")
        terminal.sees("/quiet d", "1 of 2 entries", "starred")


def test_a_draft_survives_a_lost_connection(tmp_path: Path) -> None:
    config = written(tmp_path)
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    with console(tmp_path, config) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("tnthe pool is too sm")
        terminal.sees("the pool is too sm")
        terminal.signal(signal.SIGHUP)
        assert terminal.ends() == 128 + signal.SIGHUP
    with console(tmp_path, config) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("tn")
        terminal.sees("draft from", "the pool is too sm")
        terminal.keys("\r")
        terminal.sees("new entry")
        terminal.keys("all\r")
        terminal.sees("the pool is too small", "saved")


# Not saved ------------------------------------------------------------------------------------


async def test_not_saved_is_said_in_place_and_the_form_closes_once_it_is_saved(
    config: Path, tmp_path: Path
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        page = await timeline_of(room)
        await page.opens_form("n")
        await page.fills(text="the disk is full")
        with full_disk():
            await page.press("enter")
            await page.sees("NOT SAVED: ", "tried again every second", "NOT SAVED 1")
            assert page.form.query_one(Text).text == "the disk is full"
            await page.press("enter", "enter")
            assert len(room.room.session.unsaved) == 1
        await page.shown()
        await page.says("saved")
        assert page.texts == ["it burns", "the disk is full"]
        assert drafts(tmp_path) == []


async def test_a_form_that_is_left_unsaved_is_saved_all_the_same(
    config: Path, tmp_path: Path
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        page = await timeline_of(room)
        await page.opens_form("n")
        await page.fills(text="the disk is full")
        await room.until(lambda: bool(drafts(tmp_path)), "no draft")
        with full_disk():
            await page.press("enter")
            await page.sees("NOT SAVED: ")
            await page.press("escape")
            await page.says("tried again every second")
            assert len(drafts(tmp_path)) == 1
        await page.sees("2 entries")
        await room.until(lambda: drafts(tmp_path) == [], "the draft stays")
        assert page.texts == ["it burns", "the disk is full"]


async def test_what_cannot_be_written_at_once_changes_nothing(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        for text in ("one", "two"):
            await room.room.session.note(text)
        page = await timeline_of(room)
        await page.press("k", "space", "space")
        with full_disk():
            await page.press("M")
            await page.says("nothing was changed")
        assert page.texts == ["it burns", "one", "two"]


# Two people -----------------------------------------------------------------------------------


async def test_two_people_edit_one_entry_and_both_see_both_versions(config: Path) -> None:
    async with opened(config, size=SIZE) as one, opened(config, size=SIZE) as two:
        await one.opens("it burns")
        await one.room.session.note("pool is full")
        await two.sees("pool is full")
        mine, theirs = await timeline_of(one), await timeline_of(two)
        await mine.select("pool")
        await theirs.select("pool")
        await mine.opens_form("e")
        await theirs.opens_form("e")
        await theirs.fills(text="pool is full: 98/100")
        await theirs.saves()
        await mine.sees("changed it meanwhile", "pool is full: 98/100", "keeps both versions")
        await mine.fills(text="the pool of api is full")
        await mine.saves()
        for page in (mine, theirs):
            await page.sees("2 versions", "two versions: neither author", "the pool of api is full")
            await page.sees("pool is full: 98/100")
        await theirs.press("b")
        await theirs.says("one version from now on")
        for page in (mine, theirs):
            await page.loses("two versions")
            assert page.selected.text == "the pool of api is full\npool is full: 98/100"
        await theirs.press("u")
        await mine.sees("two versions")
        await mine.press("2")
        await mine.loses("two versions")
        assert mine.selected.text == "pool is full: 98/100"
        await mine.press("1")
        await mine.says("that is for an entry with two versions")


async def test_an_entry_that_is_retracted_while_it_is_edited_says_so(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await room.room.session.note("pool is full")
        page = await timeline_of(room)
        await page.opens_form("e")
        await room.room.session.retract(2, "it was not")
        await page.sees("somebody has retracted this entry meanwhile")
        await page.fills(text="pool is full, I say")
        await page.press("enter")
        await page.sees("that entry is no longer there")
        await page.press("escape")
        await page.says("the draft is kept")


# $EDITOR --------------------------------------------------------------------------------------


def editor(folder: Path, body: str) -> str:
    script = folder / "my editor"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return f"'{script}' --wait"


def edited_with(folder: Path, env: dict[str, str], *sees: str) -> str:
    """What the note says after `E` with such an environment."""
    config = written(folder)
    shell = Shell(folder, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    shell("note", "pool is full")
    with console(folder, config, env=env) as terminal:
        terminal.sees("pool is full")
        terminal.keys("tE")
        terminal.sees(*sees)
        if "edit entry 2" in terminal.text:
            terminal.keys("\x1b")
            terminal.loses("edit entry 2")
        terminal.keys("qq")
        assert terminal.ends() == 0
    return shell("incident", "show").out


def test_a_long_text_is_edited_in_the_editor_of_ones_own(tmp_path: Path) -> None:
    modes = tmp_path / "modes"
    body = f'stat -c %a "$2" "$(dirname "$2")" > {modes}; echo "a second line" >> "$2"'
    env = {"VISUAL": editor(tmp_path, body), "EDITOR": "false"}
    assert "a second line" in edited_with(tmp_path, env, "a second line", "saved")
    assert modes.read_text().split() == ["600", "700"]


def test_an_editor_that_fails_changes_nothing_and_the_form_opens_instead(tmp_path: Path) -> None:
    env = {"VISUAL": "", "EDITOR": editor(tmp_path, 'echo no >> "$2"; exit 3')}
    shown = edited_with(tmp_path, env, "ended with 3: nothing was changed", "edit entry 2")
    assert "pool is full\n" in shown


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"VISUAL": "", "EDITOR": ""}, "neither $VISUAL nor $EDITOR is set"),
        ({"VISUAL": "no-such-editor -w"}, "$VISUAL names no-such-editor -w, which is not here"),
        ({"VISUAL": "vi 'x"}, "$VISUAL cannot be read"),
    ],
)
def test_without_an_editor_the_form_opens_and_says_why(
    tmp_path: Path, env: dict[str, str], said: str
) -> None:
    edited_with(tmp_path, env, said[:40], "edit entry 2")


def test_an_emptied_text_changes_nothing(tmp_path: Path) -> None:
    env = {"EDITOR": editor(tmp_path, ': > "$2"'), "VISUAL": ""}
    assert "pool is full" in edited_with(tmp_path, env, "nothing was changed")


def test_the_console_watches_on_while_the_editor_is_open(tmp_path: Path) -> None:
    config = written(tmp_path)
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    env = {"EDITOR": editor(tmp_path, f'cat {gate} >> "$2"'), "VISUAL": ""}
    with console(tmp_path, config, env=env) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("tE")
        terminal.until(lambda: terminal.settings == terminal.before, "the terminal is not left")
        shell("note", "written meanwhile")
        terminal.keys("\x03")  # an interrupt is the editor's, and ends it
        terminal.sees("written meanwhile", "ended with")
        terminal.keys("\x1b")
        terminal.loses("edit entry")
        terminal.keys("qq")
        assert terminal.ends() == 0
