"""The record: what a responder says and decides is written, shown, and never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual import events

from tests.support.cli import written
from tests.support.disk import full_disk
from tests.tui.page import RoomPage, opened
from warroom.tui.screens.drafted import UNFINISHED

SIZE = (120, 40)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"')


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    """A console without systems; no incident is open."""
    async with opened(config, size=SIZE) as page:
        yield page


async def test_without_an_incident_every_key_of_the_record_says_how_to_open_one(
    room: RoomPage,
) -> None:
    await room.sees("no incident is open")
    for key in ("n", "v", "u", "c", "x", "t", "e", "p"):
        await room.press(key)
        await room.says("no incident is open: press i to open one")
        room.app.room_screen.keys.clear()
        assert room.app.screen is room.app.room_screen


async def test_an_incident_is_opened_once(room: RoomPage) -> None:
    await room.opens("Checkout 5xx", "2")
    await room.sees("P2", "[P2]", "Checkout 5xx", "investigating")
    await room.press("i")
    await room.says("is open already")
    assert room.kinds == ["opened"]


async def test_an_opening_that_is_left_with_escape_opens_nothing(room: RoomPage) -> None:
    await room.press("i")
    await room.types("Checkout 5xx")
    await room.sees("severity (P0-P3)")
    await room.press("escape")
    await room.closes()
    assert room.room.session.incident is None
    await room.press("i")
    assert (await room.asked()).value == "Checkout 5xx"


async def test_severity_status_and_role_are_chosen_and_written(room: RoomPage) -> None:
    await room.opens("it burns", "3")
    await room.press("v")
    await room.sees("severity (P0-P3)")
    await room.press("k", "k", "enter")  # from where it stands
    await room.sees("[P1]", "severity P3 → P1 (P0-P3)")
    await room.press("u")
    await room.sees("enter choose")
    await room.press("3")
    await room.sees("status investigating → mitigating")
    await room.press("c")
    await room.sees("incident commander", "nobody")
    await room.press("1")
    await room.types("dana")
    await room.sees("incident commander: dana", "IC dana")
    await room.press("c")
    await room.sees("enter choose")
    await room.press("1")
    await room.types("robin")
    await room.sees("incident commander: robin (was dana)", "IC robin")


async def test_choosing_what_is_so_already_writes_nothing(room: RoomPage) -> None:
    await room.opens("it burns", "2")
    for key in ("v", "u"):
        await room.press(key)
        await room.sees("enter choose")
        await room.press("enter")
        await room.closes()
    assert room.kinds == ["opened"]


async def test_the_checklist_stays_open_while_it_is_ticked(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.sees("0/17")
    await room.press("x")
    await room.sees("[ ] See it yourself")
    await room.press("enter")
    await room.sees("[x] See it yourself", "1/17")
    await room.press("j", "enter")
    await room.sees("[x] Name what is hit", "2/17")
    await room.press("enter")
    await room.sees("[ ] Name what is hit", "1/17")
    await room.press("escape")
    await room.closes()
    assert room.kinds[1:] == ["checklist"] * 3


async def test_a_note_of_many_words_and_signs_is_kept_as_it_was_said(room: RoomPage) -> None:
    await room.opens("it burns")
    text = "pool at 98/100 [/x] [@click=app.bell]x[/] ünïcode 漢字 — suspecting #4711"
    await room.press("n")
    await room.types(text)
    await room.sees(text)
    assert room.room.session.events[-1].text == text


async def test_every_line_of_what_is_pasted_into_a_note_is_kept(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.press("n")
    typed = await room.asked()
    typed.post_message(events.Paste("Traceback:\r\n  File x\nKeyError\n"))
    await room.until(lambda: "KeyError" in typed.value, "not pasted")
    await room.press("!", "enter")
    await room.closes()
    await room.sees("Traceback: ⏎   File x ⏎ KeyError!")
    assert room.room.session.events[-1].text == "Traceback:\n  File x\nKeyError!"


async def test_an_empty_note_and_one_left_with_escape_are_not_written(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.press("n")
    await room.types("   ")
    await room.press("n")
    await room.asked()
    await room.press("h", "m", "escape")
    await room.closes()
    assert room.kinds == ["opened"]


async def test_on_a_full_disk_not_saved_is_said_and_the_text_is_saved_when_there_is_room(
    room: RoomPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await room.opens("it burns")
    with full_disk():
        await room.press("n")
        await room.types("the pool is too small")
        await room.says("NOT SAVED")
        await room.sees("NOT SAVED 1")
        await room.room.session.save_again()
        assert [draft.text for draft in room.room.session.unsaved] == ["the pool is too small"]
        assert room.kinds == ["opened"]
        await room.press("e")
        await room.sees("enter write")
        await room.press("enter")
        await room.says("NOT SAVED that the post-mortem was written")
        assert room.app.is_running
    await room.sees("the pool is too small")
    await room.loses("NOT SAVED 1")
    assert room.kinds == ["opened", "note", "exported"]
    assert room.room.session.unsaved == []


async def test_what_another_console_writes_is_here_soon(config: Path) -> None:
    async with opened(config, size=SIZE) as mine, opened(config, size=SIZE) as theirs:
        await mine.opens("it burns")
        await theirs.sees("it burns")
        for word in ("first", "second", "third"):
            await theirs.press("n")
            await theirs.types(f"{word} from the other desk")
            await theirs.sees(f"{word} from")
            await mine.sees(f"{word} from the other desk")
        await mine.press("v")
        await mine.sees("severity (")
        await mine.press("0")
        await theirs.sees("[P0]")


async def test_a_note_that_was_being_written_when_the_connection_was_lost_is_there_again(
    config: Path,
) -> None:
    async with opened(config, size=SIZE) as lost:
        await lost.opens("it burns")
        await lost.press("n")
        await lost.asked()
        await lost.press("p", "o", "o", "l")
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns")
        await room.press("n")
        assert (await room.asked()).value == "pool"
        assert UNFINISHED in room.painted()
        await room.press("enter")
        await room.sees(": pool")
        await room.press("n")
        assert (await room.asked()).value == ""


async def test_leaving_and_coming_back_resumes_the_incident(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        began = room.room.session.incident
        await room.press("n")
        await room.types("written before leaving")
        await room.sees("written before leaving")
    async with opened(config, size=SIZE) as room:
        await room.sees("it burns", "written before leaving")
        assert began is not None
        assert room.room.session.incident is not None
        assert room.room.session.incident.opened_at == began.opened_at


async def test_the_export_says_where_it_is_and_what_stands_in_the_way(
    room: RoomPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await room.opens("it burns")
    await room.press("e")
    await room.sees("enter write", "post-mortem.md")
    await room.press("enter")
    await room.sees("written; what is still missing in it", "nothing is said yet about: summary")
    await room.press("escape")
    (file,) = tmp_path.glob("*-post-mortem.md")
    assert str(file) in room.room.session.events[-1].text
    await room.press("colon")
    await room.types(f"export {tmp_path}/other.md")
    await room.says("other.md")
    assert "it burns" in (tmp_path / "other.md").read_text()
    await room.press("colon")
    await room.types("export /no/such/folder/x.md")
    await room.says("/no/such/folder/x.md: ")
