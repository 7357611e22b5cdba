"""What the console does by itself beside the systems: deadlines, suggestion, watch, ticks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.domain.clock import SteadyClock
from warroom.domain.events import Event, Kind
from warroom.domain.incident import Role, Status

SIZE = (120, 40)
HASTY = """
[incident]
scheme = "hasty"
watch = "10m"
[[schemes.hasty.levels]]
name = "S1"
label = "Down"
response = "2s"
update = "1h"
told = "everyone"
escalation = [{ name = "on-call" }, { name = "lead", contact = "+49 30 1", after = "30m" }]
suggest = { endpoints_down = 50 }
[[schemes.hasty.levels]]
name = "S2"
label = "Slow"
"""


def probing(service: HttpService, every: str = "200ms") -> str:
    return f'[[probe]]\nkind = "http"\nname = "api"\nurl = "{service.url}/"\nevery = "{every}"\n'


@pytest.fixture
def service(http_service: Callable[..., HttpService]) -> HttpService:
    made = http_service()
    made.respond("/", 200, "fine")
    return made


@pytest.fixture(autouse=True)
def lively(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at once a second is looked at more often."""
    monkeypatch.setattr("warroom.engine.duty.EVERY_S", 0.1)


@pytest.fixture
def hasty(tmp_path: Path) -> Path:
    return written(tmp_path, HASTY)


@pytest.fixture
async def room(hasty: Path) -> AsyncIterator[RoomPage]:
    """A console without systems, whose team promises to answer within two seconds."""
    async with opened(hasty, size=SIZE) as page:
        yield page


def of(room: RoomPage, kind: Kind) -> list[Event]:
    return [event for event in room.room.session.events if event.kind is kind]


# Deadlines -----------------------------------------------------------------------------------


async def test_what_is_overdue_is_said_rung_and_written_once_even_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells: list[int] = []
    patient = written(tmp_path, HASTY.replace('"2s"', '"10m"'))
    gone, now = [timedelta(0)], SteadyClock.now
    monkeypatch.setattr(SteadyClock, "now", lambda clock: now(clock) + gone[0])
    monkeypatch.setattr(SteadyClock, "stepped", lambda clock: 0.0)  # time went by, nobody set it
    async with opened(patient, size=SIZE) as room:
        monkeypatch.setattr(room.app, "bell", lambda: bells.append(1))
        await room.opens("it burns")
        await room.sees("response due 0")
        gone[0] = timedelta(minutes=11)
        await room.sees("response OVERDUE 01:", "late 01:", "overdue: response (everyone)")
        await room.until(lambda: bool(bells), "it is not rung")
        heard, asked = room.room.duty.heard, []
        monkeypatch.setattr(room.room.duty, "heard", lambda: asked.append(1) or heard())
        gone[0] = timedelta(minutes=13)
        await room.sees("response OVERDUE 03:")
        asked.clear()
        await room.until(lambda: len(asked) > 1, "nobody listens")
        assert len(bells) == 1
    async with opened(patient, size=SIZE) as again:
        await again.sees("response OVERDUE 0", "it burns")
        await again.until(lambda: again.keys.startswith(" overdue: response"), "not said again")
        assert len(of(again, Kind.OVERDUE)) == 1


async def test_a_deadline_is_snoozed_woken_and_kept_in_the_list(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.sees("response OVERDUE")
    await room.press("D")
    await room.sees("1 overdue", "response       OVERDUE", "lead (+49 30 1)", "tells everyone")
    await room.press("s")
    await room.sees("snooze response for")
    await room.press("1")
    await room.sees("snoozed 0", "none overdue", "until ", "response snoozed 0")
    (snooze,) = of(room, Kind.SNOOZED)
    assert snooze.data["timer"] == "response"
    await room.press("u")
    await room.sees("the snooze is taken back", "1 overdue")
    await room.press("u")
    await room.sees("it is not snoozed")
    await room.press("d")
    await room.sees("met in", ", late")
    await room.press("s")
    await room.sees("that cannot be snoozed")
    await room.press("escape")
    await room.closes()


async def test_on_a_narrow_screen_whom_it_tells_gives_way_and_not_when_it_is_due(
    tmp_path: Path,
) -> None:
    crowd = HASTY.replace('"everyone"', '"engineering, support and the management"')
    async with opened(written(tmp_path, crowd), size=(80, 24)) as room:
        await room.opens("it burns")
        await room.press("D")
        await room.sees("1 overdue")
        (line,) = [line for line in room.text().splitlines() if "update         due" in line]
        assert re.search(r"at (?:\d\d \w{3} )?\d\d:\d\d(?::\d\d)? ", line), line


async def test_who_was_told_by_telephone_is_written_down(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.press("D")
    await room.sees("tells everyone")
    while "update" not in (room.app.screen.at or ""):  # type: ignore[attr-defined]
        await room.press("j")
    await room.press("d")
    await room.types("we are on it")
    await room.until(lambda: bool(of(room, Kind.UPDATE)), "nothing is written down")
    await room.sees("update         due in 59:")
    (told,) = of(room, Kind.UPDATE)
    assert told.text == "told everyone by hand: we are on it"
    assert told.data["state"] == "sent"
    assert told.data["channel"] == "by hand"


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 40)])
async def test_what_is_due_is_readable_on_every_screen_without_colour(
    hasty: Path, size: tuple[int, int]
) -> None:
    async with opened(hasty, size=size, theme="mono") as room:
        title = "a title that is longer than there is room for on a narrow screen"
        await room.room.session.begin(title, "S1")
        await room.sees("response OVERDUE 00:")
        line = room.painted().splitlines()[0]
        assert line.startswith(" S1  ")
        assert "a title that" in line
        assert "response OVERDUE 00:" in line


# The suggestion ------------------------------------------------------------------------------


async def test_a_severity_is_suggested_with_its_reason_and_left_to_people(
    tmp_path: Path, service: HttpService
) -> None:
    service.respond("/", 502, "bad gateway")
    async with opened(written(tmp_path, HASTY, probing(service)), size=(80, 24)) as room:
        await room.sees("1 down: i opens an incident, suggests S1")
        await room.press("i")
        await room.types("it burns")
        await room.sees("> S1  Down  suggested: api down")
        await room.press("2")
        await room.closes()
        await room.sees("S2", "suggests S1")
        await room.resize(*SIZE)
        await room.sees("suggests S1: api down")
        await room.press("v")
        await room.sees("• S2", "> S1  Down  suggested: api down")
        await room.press("1")
        await room.closes()
        await room.loses("suggests S1")


# The watch -----------------------------------------------------------------------------------


async def test_what_comes_back_after_the_resolution_reopens_the_incident_and_says_so(
    tmp_path: Path, service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells: list[int] = []
    async with opened(written(tmp_path, HASTY, probing(service)), size=SIZE) as room:
        monkeypatch.setattr(room.app, "bell", lambda: bells.append(1))
        await room.sees("200", pane="health")
        await room.opens("it burns", "2")
        await room.press("u", "5")
        await room.says("status resolved, watched for 10m00s")
        await room.sees("watch 09:5", "watch        00:09:5", "resolved")
        assert bells == []
        service.respond("/", 502, "bad gateway")
        await room.sees("reopened: api is down: 502", "investigating")
        await room.says("reopened: api is down")
        await room.loses("watch 09:")
        assert len(bells) == 1
        assert room.room.session.incident is not None
        assert room.room.session.incident.status is Status.INVESTIGATING


async def test_closing_asks_when_somebody_else_should_or_the_watch_still_runs(
    tmp_path: Path,
) -> None:
    async with opened(written(tmp_path), size=SIZE) as room:
        await room.opens("it burns")
        await room.press("u", "5")
        await room.sees("→ resolved")
        await room.press("u")
        await room.sees("enter choose")
        await room.press("6")
        await room.sees("close? P1 is closed by the incident commander (nobody is); the watch")
        await room.press("n")
        await room.closes()
        assert len(of(room, Kind.STATUS)) == 1
        await room.press("u")
        await room.sees("enter choose")
        await room.press("6")
        await room.sees("leave it as it is")
        await room.press("y")
        await room.sees("→ closed (P1 is closed by the incident commander (nobody is")
        assert "the watch still runs for" in of(room, Kind.STATUS)[-1].text


async def test_resolving_asks_while_something_is_down(tmp_path: Path, service: HttpService) -> None:
    service.respond("/", 502, "bad gateway")
    async with opened(written(tmp_path, HASTY, probing(service)), size=SIZE) as room:
        await room.sees("502", pane="health")
        await room.opens("it burns", "2")
        await room.press("u", "5")
        await room.sees("resolve? api is down", "leave it as it is")
        await room.press("n")
        await room.closes()
        assert of(room, Kind.STATUS) == []
        await room.press("u", "5")
        await room.sees("resolve? api is down")
        await room.press("y")
        await room.sees("→ resolved (api is down)")


# Ticks ---------------------------------------------------------------------------------------


async def test_the_checklist_ticks_itself_by_phase_and_leaves_what_a_person_unticks(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await room.press("x")
    await room.sees("assess  0/4", "communicate  0/3", "[ ] Name an incident commander")
    await room.sees("itself: commander named")
    await room.press("escape")
    await room.closes()
    me = room.room.session.author.login
    await room.room.session.assign(Role.COMMANDER, me)
    await room.sees(f"done: Name an incident commander ({me} is)", "1/17")
    await room.press("x")
    await room.sees("communicate  1/3", "[x] Name an incident commander")
    while room.app.screen.at != "communicate.commander":  # type: ignore[attr-defined]
        await room.press("j")
    await room.press("space")
    await room.sees("[ ] Name an incident commander")
    await asyncio.sleep(2.2)  # two rounds of what warroom does by itself
    await room.sees("[ ] Name an incident commander", "communicate  0/3")
