"""Roles, hypotheses, action items and the post-mortem's fields, as people work on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.hostile import CORPUS, everything
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.domain.incident import Belief, Incident, Role
from warroom.engine import followup, people
from warroom.engine.drafts import Drafts
from warroom.tui.screens.longtext import LongText
from warroom.tui.screens.timeline.fields import Text

SIZE = (120, 40)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[RoomPage]:
    """A console without systems, on an open incident."""
    config = written(tmp_path, '[incident]\ntimezone = "Europe/Berlin"')
    async with opened(config, size=SIZE) as page:
        await page.opens("it burns")
        yield page


def incident(room: RoomPage) -> Incident:
    found = room.room.session.incident
    assert found is not None
    return found


async def says_to(room: RoomPage, line: str) -> None:
    await room.press("colon")
    await room.types(line)


# Roles ---------------------------------------------------------------------------------------


async def takes(room: RoomPage, role: str, person: str) -> None:
    await room.press("c")
    await room.sees("enter choose", "incident commander")
    await room.press(role)
    await room.types(person)


async def test_a_role_is_taken_shared_handed_over_and_given_back(room: RoomPage) -> None:
    await takes(room, "3", "anna")
    await room.sees("scribe: anna")
    await takes(room, "3", "ben")
    await room.sees("beside anna", "in place of anna")
    await room.press("enter")
    await room.until(lambda: incident(room).roles[Role.SCRIBE] == ("anna", "ben"), "not beside")
    await takes(room, "3", "cleo")
    await room.sees("in place of ben")
    await room.press("j", "enter")
    await room.sees("scribe: anna → cleo")
    assert incident(room).roles[Role.SCRIBE] == ("ben", "cleo")
    await room.press("c")
    await room.sees("ben gives scribe back", "ben, cleo")
    await room.press("j", "j", "j", "j", "j", "enter")
    await room.sees("scribe: ben gave it back")
    assert incident(room).roles[Role.SCRIBE] == ("cleo",)


async def test_a_name_that_is_typed_replaces_ones_own(room: RoomPage) -> None:
    await room.press("c", "1")
    assert (await room.asked()).value == room.room.session.author.login
    await room.press("d", "a", "n", "a", "enter")
    await room.sees("incident commander: dana")
    assert incident(room).roles[Role.COMMANDER] == ("dana",)


async def test_the_command_line_gives_roles_and_takes_them_back(room: RoomPage) -> None:
    await says_to(room, "role ic anna")
    await room.sees("IC anna", "incident commander: anna")
    await says_to(room, "role commander ben")
    await room.sees("incident commander: ben (was anna)")
    await says_to(room, "role incident commander -ben")
    await room.sees("incident commander: ben gave it back")
    await says_to(room, "role king anna")
    await room.says('"king" is no role; there are: incident commander')


# Hypotheses ----------------------------------------------------------------------------------


async def test_a_hypothesis_is_added_ruled_out_confirmed_and_opened_again(room: RoomPage) -> None:
    await room.press("H")
    await room.sees("none yet: a adds one")
    await room.press("a")
    await room.types("the pool is too small")
    await room.sees("? open       the pool is too small", "1 open of 1")
    await room.press("r")
    await room.types("40 of 100 taken")
    await room.sees("x ruled out  the pool is too small", "40 of 100 taken", "0 open of 1")
    await room.sees("ruled out: the pool is too small, because 40 of 100 taken")
    await room.press("o")
    await room.types("")
    await room.sees("? open ")
    await room.press("c")
    await room.types("100 of 100 at 14:35")
    await room.sees("! confirmed", "confirmed: the pool is too small, because 100 of 100")
    await room.press("escape")
    await room.closes()
    (one,) = incident(room).hypotheses
    assert (one.state, one.reason) == (Belief.CONFIRMED, "100 of 100 at 14:35")


async def test_open_hypotheses_stand_beside_the_room_where_there_is_space(room: RoomPage) -> None:
    await says_to(room, "hypothesis the DNS")
    await room.sees("H hypotheses        1", "? the DNS")
    for text in ("the pool", "the deploy", "the cache"):
        await followup.suppose(room.room.session, text)
    await room.sees("H hypotheses        4", "? the cache", "? the deploy", "? the pool")
    await room.loses("? the DNS")


# Action items --------------------------------------------------------------------------------


async def test_an_action_item_is_added_edited_finished_and_removed(room: RoomPage) -> None:
    await room.press("A")
    await room.sees("none yet: a adds one")
    await room.press("a")
    await room.types("alert on connections")
    await room.types("")
    await room.types("")
    await room.sees("[ ] alert on connections", "no owner  no date", "0 of 1 done")
    await room.press("e")
    await room.types("alert at 80 %")
    await room.types("dba")
    await room.types("whenever")
    assert "no date; write tomorrow" in (await room.asked()).placeholder
    await room.types("in 3 days")
    await room.sees("[ ] alert at 80 %", "dba")
    (item,) = incident(room).action_items
    assert item.due > "2026"
    await room.press("enter")
    await room.sees("[x] alert at 80 %", "1 of 1 done")
    await room.press("d")
    await room.sees("none yet")
    assert incident(room).action_items == ()
    assert room.kinds.count("action item") == 4
    await room.press("escape", "t")
    await room.sees("action item: alert at", "action item done: alert", "action item removed: al")


async def test_an_item_that_is_left_half_way_is_not_added(room: RoomPage) -> None:
    await room.press("A", "a")
    await room.types("alert")
    await room.asked()
    await room.press("escape")
    await room.until(lambda: len(room.app.screen_stack) == 2, "the list is gone")
    assert incident(room).action_items == ()


# Fields --------------------------------------------------------------------------------------


async def test_what_the_post_mortem_misses_is_listed_and_written(room: RoomPage) -> None:
    await room.press("P")
    await room.sees("15 missing", "when it started      missing", "revenue impact")
    await room.press("enter")
    await room.types("next year")
    await room.sees("15 missing")
    await room.press("enter")
    await room.types("5m ago")
    await room.sees("14 missing")
    assert incident(room).fields["started"].endswith("+00:00")
    await room.press("j", "enter")
    await writes(room, "checkout failed\nfor everybody")
    await room.sees("summary              checkout failed ⏎ for everybody", "13 missing")
    await room.press(*"jjj", "enter")
    await room.types("all")
    await room.sees("users affected       all", "12 missing")
    await room.press("escape")
    await room.closes()
    await says_to(room, "field data_loss none")
    await room.says("data loss: written")
    await says_to(room, "field weather fine")
    await room.says('"weather" is no field; there are: started')
    assert incident(room).fields["data_loss"] == "none"


async def long_text(room: RoomPage) -> LongText:
    """The box that a long field is written in, once it is there."""
    await room.until(lambda: isinstance(room.app.screen, LongText), "nothing asks for a text")
    assert isinstance(room.app.screen, LongText)
    return room.app.screen


async def writes(room: RoomPage, text: str) -> None:
    """Write a long field, and save it."""
    (await long_text(room)).query_one(Text).text = text
    await room.press("enter")
    await room.until(lambda: not isinstance(room.app.screen, LongText), "the text stays open")


async def test_a_long_field_that_is_left_is_there_again_and_as_it_was_by_a_key(
    room: RoomPage,
) -> None:
    await followup.tell(room.room.session, "summary", "checkout failed")
    await room.press("P", "j", "enter")
    (await long_text(room)).query_one(Text).text = "checkout failed, because"
    await room.press("escape", "enter")
    again = await long_text(room)
    await room.sees("your text from before is here again")
    assert again.query_one(Text).text == "checkout failed, because"
    await room.press("ctrl+r")
    await writes(room, "checkout failed\n")
    await room.press("enter")
    await room.loses("your text from before")
    assert (await long_text(room)).query_one(Text).text == "checkout failed"
    assert [event.kind for event in room.room.session.events].count(Kind.FIELD) == 1


async def test_what_somebody_else_wrote_meanwhile_is_shown_before_it_is_replaced(
    room: RoomPage,
) -> None:
    await room.press("P", "j", "enter")
    (await long_text(room)).query_one(Text).text = "mine"
    await followup.tell(room.room.session, "summary", "theirs")
    await room.press("enter")
    await room.sees('meanwhile it says "theirs"; enter again replaces that')
    assert incident(room).fields["summary"] == "theirs"
    await room.press("enter")
    await room.sees("summary              mine")
    assert not Drafts().get(f"field/{room.room.session.events[0].id}/summary")


async def test_a_list_that_is_open_shows_what_another_responder_does(room: RoomPage) -> None:
    await room.press("H")
    await room.sees("none yet")
    await followup.suppose(room.room.session, "from elsewhere")
    await room.sees("? open       from elsewhere")


async def test_a_row_is_chosen_with_the_mouse(room: RoomPage) -> None:
    await room.press("x")
    await room.sees("[ ] See it yourself")
    await room.pilot.click("ListingBody", offset=(10, 3))
    await room.pilot.click("ListingBody", offset=(10, 3))
    await room.sees("[x] Name what is hit")


# Hostile text --------------------------------------------------------------------------------

Saying = Callable[[RoomPage, str], Awaitable[object]]
SAYINGS: dict[str, tuple[str, Saying]] = {
    "hypothesis": ("H", lambda room, text: followup.suppose(room.room.session, text)),
    "owner": ("A", lambda room, text: followup.plan(room.room.session, "item", text, text)),
    "item": ("A", lambda room, text: followup.plan(room.room.session, text)),
    "field": ("P", lambda room, text: followup.tell(room.room.session, "summary", text)),
    "role": ("c", lambda room, text: room.room.session.assign(Role.SCRIBE, text)),
    "handover": ("c", lambda room, text: people.take_over(
        room.room.session, Role.SCRIBE, text, text)),
    "snooze": ("D", lambda room, text: room.room.session.record(
        Kind.SNOOZED, text, {"timer": text, "until": text, "met": text})),
    "update": ("D", lambda room, text: room.room.session.record(
        Kind.UPDATE, text, {"audience": text, "stage": text, "state": "sent"})),
    "tick": ("x", lambda room, text: room.room.session.tick(text, text, done=True)),
}  # fmt: skip


@pytest.mark.parametrize("what", SAYINGS)
async def test_hostile_text_is_only_text_in_every_list(room: RoomPage, what: str) -> None:
    key, say = SAYINGS[what]
    for text in (*CORPUS.values(), everything(), "\ud800 \x00", "x" * 100_000):
        await say(room, text)
    await room.press(key)
    await room.until(lambda: room.app.screen is not room.app.room_screen, "no list opens")
    painted = room.painted()
    assert all(line.isprintable() for line in painted.splitlines())
    await room.press("escape")
    await room.closes()
    assert room.app.is_running
