"""The timeline is edited: whatever is done there is an event, and can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.hostile import MARKUP, SEQUENCES
from tests.tui.page import RoomPage, opened
from tests.tui.timeline import BURNS, TimelinePage, burning, timeline_of
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.tui.screens.timeline.parts import Chips

SIZE = (120, 40)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"')


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    async with burning(config, SIZE) as page:
        yield page


@pytest.fixture
async def page(room: RoomPage) -> TimelinePage:
    return await timeline_of(room)


def kinds(page: TimelinePage) -> list[str]:
    return page.room.kinds


async def test_it_shows_every_entry_and_all_about_the_one_under_the_cursor(
    page: TimelinePage,
) -> None:
    await page.sees("3 entries", "pool is full", "restarting api", "UTC")
    assert page.selected.text == "restarting api"
    await page.sees("entry 3", "uid", "note, entry 3", "in the post-mortem", "• ")
    await page.press("k")
    await page.sees("entry 2")


async def test_the_filter_is_live_and_escape_shows_all_again(page: TimelinePage) -> None:
    await page.press("slash")
    line = await page.room.asked()
    line.value = "POOL"
    await page.sees("1 of 3 entries")
    assert page.texts == ["pool is full"]
    await page.press("enter")
    await page.sees("/POOL ×")
    await page.press("escape")
    await page.sees("3 entries")
    assert page.texts == [BURNS, "pool is full", "restarting api"]
    await page.press("escape")
    await page.room.closes()


async def test_a_filter_that_is_left_with_escape_is_as_it_was(page: TimelinePage) -> None:
    await page.press("slash")
    (await page.room.asked()).value = "nothing is like that"
    await page.sees("0 of 3 entries", "esc shows all again")
    await page.press("escape")
    await page.sees("3 entries")


async def test_while_a_filter_is_typed_arrows_go_through_what_is_left(page: TimelinePage) -> None:
    await page.press("slash", "i", "n", "up", "g", "down", "enter")
    await page.sees("/ing ×", "1 of 3 entries")
    assert page.texts == ["restarting api"]
    await page.press("s")
    await page.says("starred")


async def test_conditions_are_chosen_seen_as_chips_and_taken_away_by_a_click(
    page: TimelinePage,
) -> None:
    await page.press("k", "s")
    await page.says("starred")
    await page.press("f")
    await page.sees("only these", "[ ] starred")
    await page.press("j", "enter")
    await page.sees("[x] starred", "1 of 3 entries")
    await page.press("escape")
    await page.shown()
    await page.sees("starred ×")
    await page.room.pilot.click(Chips, offset=(3, 0))
    await page.sees("3 entries")


async def test_an_entry_is_added_in_the_past_and_stands_in_its_place(page: TimelinePage) -> None:
    await page.opens_form("n")
    await page.fills(when="5m ago", text="deploy finished")
    await page.sees("CET", "UTC", "5m00s ago", "as you type")
    await page.saves()
    await page.says("saved")
    assert page.texts == ["deploy finished", BURNS, "pool is full", "restarting api"]
    assert page.selected.text == "deploy finished"
    event = page.room.room.session.events[-1]
    assert 299 <= (event.recorded_at - event.at).total_seconds() < 600


async def test_a_time_that_cannot_be_is_said_while_it_is_typed_and_is_not_saved(
    page: TimelinePage,
) -> None:
    await page.opens_form("n")
    await page.fills(when="tomorrow 10:00", text="not yet")
    await page.sees("is in the future")
    await page.press("enter")
    await page.sees("the time: ")
    assert kinds(page) == ["opened", "note", "note"]
    await page.fills(when="25:10")
    await page.sees("25:10 is no time of day")
    await page.fills(when="")
    await page.saves()
    assert page.texts[-1] == "not yet"


async def test_a_new_entry_has_tags_audience_and_star(page: TimelinePage) -> None:
    await page.opens_form("n")
    await page.fills(text="rolled back")
    await page.press("tab", "3", "4", "a", "s", "enter")
    await page.shown()
    assert page.selected.tags == ("action", "decision")
    assert page.selected.starred and page.selected.internal
    await page.sees("★ starred", "#action", "#decision", "inside only (internal)")


async def test_text_of_many_lines_is_typed_with_alt_enter(page: TimelinePage) -> None:
    await page.opens_form("n")
    await page.press("o", "n", "e", "alt+enter", "t", "w", "o", "ctrl+j", "x", "enter")
    await page.shown()
    assert page.texts[-1] == "one\ntwo\nx"
    await page.sees("one ⏎ two ⏎ x")


async def test_an_entry_is_inserted_between_two(page: TimelinePage) -> None:
    await page.adds("long before", "2h ago")
    await page.adds("before", "1h ago")
    await page.select("long before")
    await page.opens_form("o")
    await page.fills(text="in between")
    await page.saves()
    assert page.texts[:3] == ["long before", "in between", "before"]


async def test_plus_counts_from_the_selected_entry(page: TimelinePage) -> None:
    await page.adds("it began", "1h ago")
    first = page.selected.at
    await page.adds("five minutes on", "+5m")
    assert page.selected.at - first == timedelta(minutes=5)


async def test_text_and_time_are_edited_and_every_version_is_kept(page: TimelinePage) -> None:
    await page.select("pool is full")
    was = page.selected.at
    await page.opens_form("e")
    await page.edits(2)
    await page.fills(text="pool is full: 98/100")
    await page.saves()
    assert page.selected.text == "pool is full: 98/100"
    assert page.selected.at == was
    await page.sees("every version, the last one first")
    await page.opens_form("enter")
    await page.fills(when="10m ago")
    await page.saves()
    assert page.texts[0] == "pool is full: 98/100"
    assert kinds(page)[-2:] == ["amended", "amended"]


async def test_an_edit_that_changes_nothing_writes_nothing(page: TimelinePage) -> None:
    await page.opens_form("e")
    await page.saves()
    assert kinds(page) == ["opened", "note", "note"]


async def test_star_tags_and_audience_are_changed_at_once(page: TimelinePage) -> None:
    await page.press("s")
    await page.says("starred")
    await page.press("number_sign")
    await page.sees("[ ] detection")
    await page.press("1", "5", "escape")
    await page.says("tagged: detection, impact")
    await page.press("a")
    await page.sees("who reads it")
    await page.press("3")
    await page.says("for outside, too")
    assert page.selected.tags == ("detection", "impact")
    assert page.selected.for_outside
    await page.press("asterisk")
    await page.says("no longer starred")


async def test_marked_entries_are_merged_into_the_earliest(page: TimelinePage) -> None:
    await page.select("pool is full")
    await page.press("space", "space")
    await page.sees("2 marked, M merges")
    await page.press("M")
    await page.says("merged 2 entries")
    assert page.texts == [BURNS, "pool is full\nrestarting api"]
    assert page.selected.text.startswith("pool is full")


async def test_one_entry_alone_is_not_merged(page: TimelinePage) -> None:
    await page.press("space", "M")
    await page.says("mark at least two entries")


async def test_a_retraction_wants_a_reason_and_can_be_undone_and_done_again(
    page: TimelinePage,
) -> None:
    await page.select("pool is full")
    await page.press("d")
    await page.room.types("   ")
    await page.says("it wants a reason")
    await page.press("d")
    await page.room.types("it was not")
    await page.says("retracted")
    assert page.texts == [BURNS, "restarting api"]
    await page.press("u")
    await page.says("taken back: retracted")
    assert page.texts == [BURNS, "pool is full", "restarting api"]
    await page.press("U")
    await page.says("done again: retracted")
    assert page.texts == [BURNS, "restarting api"]
    await page.press("ctrl+r")
    await page.says("nothing to redo")


async def test_the_opening_cannot_be_retracted_and_says_why(page: TimelinePage) -> None:
    await page.press("g", "d")
    await page.room.types("a mistake")
    await page.says("the opening stays")


async def test_whoever_is_at_the_end_follows_and_whoever_is_not_stays(page: TimelinePage) -> None:
    session = page.room.room.session
    await session.note("a third")
    await page.sees("4 entries")
    assert page.selected.text == "a third"
    await page.select("pool is full")
    await session.note("a fourth")
    await session.note("from an hour ago", at=session.now() - timedelta(hours=1))
    await page.sees("6 entries")
    assert page.selected.text == "pool is full"


async def test_days_have_separators_and_keys_of_their_own(page: TimelinePage) -> None:
    await page.adds("two days ago it began", "2 days ago")
    await page.adds("two days ago, too", "+1m")
    day = f"{page.selected.at.astimezone(page.screen.look.zone):%a %d %b %Y}"
    await page.press("G")
    await page.sees(f"timeline  {day}", f"─ {day_of_last(page)} ─")
    await page.press("left_square_bracket")
    assert page.selected.text == "two days ago it began"
    await page.press("left_square_bracket")
    await page.says("no further day above")
    await page.press("right_square_bracket")
    assert page.selected.text == BURNS


def day_of_last(page: TimelinePage) -> str:
    last = page.screen.listing.shown[-1]
    return f"{last.at.astimezone(page.screen.look.zone):%a %d %b %Y}"


async def test_machine_noise_can_be_hidden(tmp_path: Path, config: Path) -> None:
    nobody = '[[probe]]\nkind = "http"\nname = "api"\nurl = "http://127.0.0.1:9/"\nevery = "0.2s"'
    async with opened(written(tmp_path, nobody), size=SIZE) as room:
        await room.opens(BURNS)
        await room.sees("api down")
        page = await timeline_of(room)
        await page.sees("health")
        await page.press("m")
        await page.sees(" of ", "no machine noise ×")
        await page.press("m")
        await page.loses(" of 2")


async def test_evidence_is_shown_with_its_label_where_it_belongs(page: TimelinePage) -> None:
    evidence = Evidence(
        EvidenceKind.ROWS, "redis: hit 31%", "used 1.4 MiB", source="redis", query="INFO"
    )
    await page.room.room.editor.attach(2, evidence)
    await page.select("pool is full")
    await page.sees("E1", "redis: hit 31%", "used 1.4 MiB", "INFO", "[E1]")


async def test_on_a_narrow_screen_the_detail_takes_the_lists_place(page: TimelinePage) -> None:
    await page.room.resize(80, 24)
    await page.room.until(lambda: not page.screen.detail.region.area, "the detail stays")
    await page.press("tab")
    await page.room.until(lambda: not page.screen.entries.region.area, "the list stays")
    await page.sees("entry 3", "in the post-mortem")
    await page.opens_form("e")
    await page.sees("enter saves", "ctrl+g $EDITOR", "esc keeps a draft")
    await page.press("escape")
    await page.shown()
    await page.press("escape")
    await page.room.until(lambda: bool(page.screen.entries.region.area), "the list is not back")
    await page.press("enter")
    await page.room.until(lambda: bool(page.screen.detail.region.area), "no detail")
    await page.press("enter")
    await page.edits(3)


async def test_on_the_smallest_screen_the_form_still_says_what_is_wrong(
    page: TimelinePage,
) -> None:
    await page.room.resize(60, 16)
    await page.sees("timeline  it burns  investigating")
    await page.opens_form("n")
    await page.press("enter")
    await page.sees("say what happened; nothing is saved without a text", "not starred")
    assert "say what happened" in page.room.painted()


async def test_on_a_screen_too_small_to_read_no_key_changes_anything(page: TimelinePage) -> None:
    await page.room.resize(50, 12)
    await page.sees("too small")
    await page.press("s", "d", "n")
    await page.room.pilot.pause()
    assert kinds(page) == ["opened", "note", "note"]
    await page.press("q")
    await page.room.closes()


async def test_the_help_and_the_copy_key(page: TimelinePage) -> None:
    await page.press("question_mark")
    await page.sees("the timeline's keys", "take back the last change", "lines ━")
    await page.press("escape", "y")
    await page.says("copied")
    assert "restarting api" in page.room.app.clipboard


@pytest.mark.parametrize("text", [*SEQUENCES.values(), *MARKUP.values()])
async def test_hostile_text_is_shown_and_nothing_else(page: TimelinePage, text: str) -> None:
    await page.room.room.editor.add(text, tags=[text[:40]])
    await page.sees("4 entries")
    for _ in range(3):
        painted = page.room.painted()
        assert not any(sign in painted for sign in "\x1b\x00\x9b\u202e")
        await page.press("tab")
    await page.opens_form("e")
    assert not any(sign in page.room.painted() for sign in "\x1b\x00\x9b\u202e")
    await page.press("escape")
    await page.shown()
