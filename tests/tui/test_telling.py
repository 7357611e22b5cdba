"""Telling people: drafted, edited, sent once, written down; and whom to call."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from textual.widgets import TextArea

from tests.support.cli import written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.tui.commands import FORBIDDEN
from warroom.tui.screens.composing import Foot

SIZE = (140, 40)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts lie in this test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)


@pytest.fixture
def chat(http_service: Callable[..., HttpService]) -> HttpService:
    """What a team's chat is behind its webhook."""
    service = http_service()
    service.respond("/services/T0/B0/verysecret", 200, "ok")
    return service


@pytest.fixture
def config(tmp_path: Path, chat: HttpService, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAT_HOOK", f"{chat.url}/services/T0/B0/verysecret")
    channel = '[[channel]]\nkind = "slack"\nname = "ops"\nurl = "env:CHAT_HOOK"'
    people = (
        '[[contact]]\nname = "Dana"\nrole = "DBA"\nphone = "+49 30 1234567"\nlevel = 2\n'
        '[[contact]]\nname = "Robin"\nchat = "@robin"\nlevel = 1'
    )
    incident = '[incident]\ntimezone = "Europe/Berlin"\nchannel = "#incident-YYYYMMDD-description"'
    return written(tmp_path, incident, channel, people)


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    async with opened(config, size=SIZE) as page:
        yield page


def box(room: RoomPage) -> TextArea:
    return room.app.screen.query_one(TextArea)


async def composes(room: RoomPage, name: str = "ops (") -> TextArea:
    """Open the composer for the channel of that name."""
    await room.press("U")
    await room.sees("tell whom", name)
    line = next(line for line in room.text().splitlines() if name in line)
    await room.press(line.strip("┃ ")[0])
    await room.sees("as they get it")
    return box(room)


async def clicks(room: RoomPage, words: str, times: int = 1) -> None:
    """Click on words at the foot of the composer."""
    foot = room.app.screen.query_one(Foot)
    drawn = ["".join(text for text, _ in line) for line in foot.build(*foot.size)]
    row = next(number for number, line in enumerate(drawn) if words in line)
    await room.pilot.click(foot, offset=(drawn[row].index(words) + 1, row), times=times)


def updates(room: RoomPage) -> list[tuple[str, str]]:
    return [
        (str(event.data["state"]), event.text)
        for event in room.room.session.events
        if event.kind.value == "update"
    ]


async def test_an_update_is_edited_and_sent_once_though_enter_is_pressed_five_times(
    room: RoomPage, chat: HttpService
) -> None:
    await room.opens("Checkout answers 502", "1")
    text = await composes(room)
    assert "Checkout answers 502" in text.text
    await room.press("ctrl+home", *"Hello all", "enter")
    assert text.text.startswith("Hello all\n")
    await room.sees("Hello all")
    chat.faults.latency = 0.5
    await room.press("ctrl+t")
    await room.sees("Tell chat, by ops: 127.0.0.1")
    assert not chat.requests
    await room.pilot.pause(0.5)  # the question can be read: keys before that do not answer it
    await room.press(*["enter"] * 5)
    await room.sees("sent: ")
    assert len(chat.requests) == 1
    sent = json.loads(chat.requests[0].body)["text"]
    assert sent.startswith("Hello all\n")
    await room.press("escape")
    await room.closes()
    assert [state for state, _ in updates(room)] == ["sending", "sent"]
    request, outcome = (e for e in room.room.session.events if e.kind.value == "update")
    assert outcome.data["request"] == request.seq
    assert outcome.data["body"] == text.text.strip("\n")
    assert (outcome.data["audience"], outcome.data["stage"]) == ("chat", "initial")
    await room.sees("update to chat by ops: sent: Hello all")
    assert "verysecret" not in str(room.room.session.events) + room.painted()


async def test_a_double_click_sends_once(room: RoomPage, chat: HttpService) -> None:
    await room.opens("it burns")
    await composes(room)
    chat.faults.latency = 0.3
    await room.press("ctrl+t")
    await room.sees("Tell chat")
    await room.pilot.pause(0.5)
    await clicks(room, "send it", times=2)
    await room.press("enter", "ctrl+t", "ctrl+enter")
    await room.sees("sent: ")
    assert len(chat.requests) == 1


async def test_a_click_beside_the_keys_or_on_the_way_back_sends_nothing(
    room: RoomPage, chat: HttpService
) -> None:
    await room.opens("it burns")
    await composes(room)
    await clicks(room, "send")
    await room.sees("Tell chat")
    await room.pilot.pause(0.5)
    await clicks(room, "Tell chat")
    await clicks(room, "back to the text")
    await room.loses("Tell chat")
    await clicks(room, "close")
    await room.closes()
    assert not chat.requests and updates(room) == []


async def test_keys_that_were_typed_before_the_question_could_be_read_do_not_answer_it(
    room: RoomPage, chat: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warroom.tui.screens.composer.DEAF_S", 60.0)  # however slow they come
    await room.opens("it burns")
    await composes(room)
    await room.press("ctrl+t", "enter", "enter")
    await room.sees("Tell chat")
    assert not chat.requests
    await room.press("escape", "escape")
    await room.closes()
    assert updates(room) == []


async def test_what_was_typed_is_there_again_after_escape_and_after_leaving(config: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        text = await composes(room)
        await room.press("ctrl+home", *"We know why. ")
        await room.press("escape")
        await room.closes()
        assert (await composes(room)).text.startswith("We know why. ")
        await room.sees("your draft from before")
    async with opened(config, size=SIZE) as room:
        text = await composes(room)
        assert text.text.startswith("We know why. ")
        await room.press("ctrl+r")
        assert "We know why" not in text.text


async def test_a_lost_console_leaves_the_draft(config: Path, tmp_path: Path) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await composes(room)
        await room.press("ctrl+home", *"half a sent")
        kept = tmp_path / "state" / "warroom" / "drafts"
        await room.until(lambda: kept.is_dir() and any(kept.glob("*.json")), "no draft is kept")
        (file,) = kept.glob("*.json")
        assert "half a sent" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600


async def test_a_failure_says_why_and_the_text_can_be_sent_again(
    room: RoomPage, chat: HttpService
) -> None:
    await room.opens("it burns")
    await composes(room)
    chat.faults.status = 404
    await send(room)
    await room.sees("failed: 127.0.0.1", "HTTP 404")
    await room.press("escape")
    chat.faults.clear()
    await send(room)
    await room.sees("sent: taken by 127.0.0.1")
    assert [state for state, _ in updates(room)] == ["sending", "failed", "sending", "sent"]


async def test_a_wait_is_counted_down_and_can_be_cancelled(
    room: RoomPage, chat: HttpService
) -> None:
    await room.opens("it burns")
    await composes(room)
    chat.respond("/services/T0/B0/verysecret", 429, "slow down", {"Retry-After": "20"})
    await send(room)
    await room.sees("HTTP 429: Retry-After ", " s")

    def left() -> set[int]:
        return {int(seconds) for seconds in re.findall(r"Retry-After (\d+) s", room.text())}

    await room.until(lambda: min(left(), default=20) < 20, "it does not count down")
    await room.press("escape")
    await room.sees("cancelled: nothing was sent")
    await room.until(lambda: len(updates(room)) == 2, "its end is not written down")
    assert updates(room)[1] == ("failed", "update to chat by ops: failed: cancelled")
    assert len(chat.requests) == 1


async def test_what_is_not_known_to_have_arrived_says_to_look_first(
    room: RoomPage, chat: HttpService
) -> None:
    await room.opens("it burns")
    await composes(room)
    chat.faults.drop = True
    await send(room)
    await room.sees("UNKNOWN: ", "it may have arrived", "Look there before you send it again")
    assert len(chat.requests) == 1
    assert [state for state, _ in updates(room)] == ["sending", "UNKNOWN"]


async def send(room: RoomPage) -> None:
    await room.press("ctrl+t")
    await room.sees("Tell chat")
    await room.pilot.pause(0.5)
    await room.press("enter")


async def test_the_status_pages_text_marks_what_is_not_for_everybody(room: RoomPage) -> None:
    await room.opens("Checkout is slow")
    text = await composes(room, "status page")
    assert "Checkout is slow" in text.text
    await room.loses("for everybody to read?")
    await room.press("ctrl+home", *"db1.internal at 10.0.0.7 ")
    await room.sees("for everybody to read? marked:", "an IP address", "a host's name")


async def test_what_is_copied_counts_once_somebody_says_that_it_was_posted(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await composes(room, "status page")
    await room.press("ctrl+t")
    await room.sees("no channel tells status page")
    await room.press("ctrl+y")
    await room.sees("Posted it?")
    await room.press("n")
    assert updates(room) == []
    await room.press("ctrl+y")
    await room.sees("Posted it?")
    await room.press("y")
    await room.closes()
    await room.until(lambda: len(updates(room)) == 1, "it is not written down")
    assert updates(room)[0][0] == "copied"
    told = room.room.session.incident.told if room.room.session.incident else {}
    assert told["status page"].stage == "initial"


async def test_an_observer_tells_nobody(config: Path, chat: HttpService) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
    async with opened(config, size=SIZE, observe=True) as room:
        await room.press("U")
        await room.says("observer mode")
        assert room.app.screen is room.app.room_screen
    assert not chat.requests


async def test_without_an_incident_nobody_is_told(room: RoomPage) -> None:
    await room.press("U")
    await room.says("no incident is open: press i to open one")


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (240, 70)])
async def test_the_composer_fits(config: Path, size: tuple[int, int]) -> None:
    async with opened(config, size=size) as room:
        await room.room.session.begin("it burns", "P1")
        await composes(room)
        screen = room.app.screen
        for name in ("#head", "#text", "#preview", "#foot"):
            region = screen.query_one(name).region
            assert region.area
            assert region.right <= size[0]
            assert region.bottom <= size[1]
        assert "ctrl+t send" in room.text()


async def test_stages_change_with_a_key_and_an_edited_text_stays(room: RoomPage) -> None:
    await room.opens("it burns")
    text = await composes(room)
    await room.press("ctrl+n", "ctrl+n")
    await room.sees("resolved update")
    assert text.text.startswith("Resolved: it burns")
    await room.press("ctrl+home", *"Mine. ", "ctrl+n")
    await room.sees("initial update", "your text is as it was")
    assert text.text.startswith("Mine. Resolved")
    await room.press("ctrl+o")
    await room.sees("tell whom")
    await room.press("escape")
    await room.closes()


async def test_the_box_has_none_of_the_keys_that_belong_to_others(room: RoomPage) -> None:
    await room.opens("it burns")
    text = await composes(room)
    bound = {key for binding in text._bindings.key_to_bindings for key in binding.split(",")}
    assert not FORBIDDEN & bound
    before = text.text
    await room.press("ctrl+home", *"ab", "ctrl+a", "ctrl+d", "ctrl+b", "ctrl+s")
    assert text.text == f"ab{before}"
    await room.press("ctrl+underscore")
    assert text.text != f"ab{before}"


async def test_contacts_stand_in_the_order_of_the_ladder_and_are_copied(room: RoomPage) -> None:
    await room.opens("Checkout 5xx")
    await room.press("I")
    await room.sees("whom to call", "Dana, DBA", "+49 30 1234567", "#incident-", "checkout-5xx")
    text = room.text()
    order = ("on-call engineer", "Robin", "senior engineer", "Dana", "engineering manager")
    assert sorted(order, key=text.index) == list(order)
    await room.press("G", "k", "y")
    await room.sees("+49 30 1234567 copied (OSC 52)")
    await room.press("g", "y")
    await room.sees("checkout-5xx copied (OSC 52)")
    await room.press("escape")
    await room.closes()


async def test_hostile_texts_are_shown_and_sent_as_text(room: RoomPage, chat: HttpService) -> None:
    title = "x [@click=app.exit]y[/] [/z] <!channel> http://evil.example \x1b]52;c;UFdO\x07 \u202e"
    await room.room.session.begin(title, "P1")
    text = await composes(room)
    assert "http: //evil.example" in text.text
    painted = room.painted()
    assert "\x1b" not in painted
    assert "\u202e" not in painted
    await send(room)
    await room.sees("sent: ")
    told = json.loads(chat.requests[0].body)["text"]
    assert "<" not in told
    assert "http://evil" not in told
