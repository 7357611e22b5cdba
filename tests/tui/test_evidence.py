"""Evidence: what is on the screen goes into the timeline, with where it is from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Event, Kind
from warroom.domain.evidence import Evidence, evidence_of
from warroom.domain.sample import Detail
from warroom.domain.text import harmless

HOSTILE = "ERROR [/x] [@click=app.bell]x[/] \x1b[2J\u202egpj"


@pytest.fixture
async def room(tmp_path: Path, http_service: Callable[..., HttpService]) -> AsyncIterator[RoomPage]:
    """A console on an endpoint that is down, and on a log."""
    service = http_service()
    service.respond("/health", 503, "down")
    log = tmp_path / "api.log"
    log.write_text(f"INFO start\nERROR pool exhausted\nINFO served /cart\n{HOSTILE}\n")
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "http"\nname = "web"\nurl = "{service.url}/health"\nevery = "0.2s"',
        f'[[log]]\nname = "api"\npath = "{log}"',
    )
    async with opened(config) as page:
        await page.sees("1 down", "web", "503", pane="health")
        await page.sees("served /cart", pane="logs")
        yield page


async def take(room: RoomPage, key: str, text: str = "") -> None:
    """Press `y`, choose, and write what it shows."""
    await room.press("y")
    await room.sees("take from")
    await room.press(key)
    await room.types(text)
    await room.says("pinned")


def asks(room: RoomPage) -> str:
    """What the looks at the endpoint ask."""
    (url,) = (row.data["url"] for row in room.room.monitor.latest["web"].rows)
    return f"http probe: GET {url}"


def pinned(room: RoomPage) -> Event:
    """The newest entry that keeps something; the checklist may have ticked itself since."""
    return next(one for one in reversed(room.room.session.events) if evidence_of(one.data))


def kept(room: RoomPage) -> Evidence:
    """What it keeps."""
    (one,) = evidence_of(pinned(room).data)
    return one


async def test_a_pane_is_pinned_as_it_looks_with_its_source_and_when_it_was_looked_at(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await room.go("health")
    await take(room, "enter", "all of the web is down")
    event, evidence = pinned(room), kept(room)
    assert (event.kind, event.text) == (Kind.EVIDENCE, "all of the web is down")
    assert (evidence.kind.value, evidence.source, evidence.query) == ("pane", "web", asks(room))
    assert "503" in evidence.text
    assert "".join(text for text, _ in evidence.picture[0]).startswith("┏1 health")
    assert any("down" in style.split() for line in evidence.picture for _, style in line)
    assert not any("cursor" in style for line in evidence.picture for _, style in line)
    assert evidence.end is not None
    assert timedelta(0) <= event.recorded_at - evidence.end < timedelta(minutes=1)
    assert [e.label for e in room.room.timeline().exhibits] == ["E1"]


async def test_the_lines_that_a_filter_lets_through_are_pinned_with_the_filter(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await room.go("logs")
    await room.press("slash")
    await room.types("ERROR")
    await room.loses("served", pane="logs")
    await take(room, "m")
    lines = kept(room).text.splitlines()
    assert [line.partition("Z ")[2] for line in lines] == [
        "api: ERROR pool exhausted",
        f"api: {harmless(HOSTILE)}",
    ]
    assert all(line.startswith("before 20") for line in lines), (
        "nobody knows when they were written"
    )
    assert (kept(room).source, kept(room).query) == ("api", "filter ERROR")
    assert "and 1 more" in pinned(room).text


async def test_evidence_is_added_to_an_entry_that_is_there_and_taken_back(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.room.session.note("the web is down")
    await room.go("health")
    await room.press("y")
    await room.press("e")
    await room.sees("add to which entry", "the web is down")
    await room.press("enter")
    await room.says("added to the entry")
    note = next(e for e in room.room.session.events if e.kind is Kind.NOTE)
    assert [(e.label, e.entry) for e in room.room.timeline().exhibits] == [("E1", note.seq)]
    await room.room.editor.undo()
    assert room.room.timeline().exhibits == ()


async def test_without_an_incident_there_is_only_the_clipboard(room: RoomPage) -> None:
    await room.go("health")
    await room.press("y")
    await room.says("copied")
    assert room.app.clipboard.startswith("web: ")


async def test_what_is_left_with_escape_is_not_pinned(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.press("y", "w")
    await room.asked()
    await room.press("escape")
    await room.closes()
    assert Kind.EVIDENCE.value not in room.kinds


async def test_a_detail_sheet_is_pinned_whole_with_what_it_is_about(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.go("health")
    await room.press("enter")
    await room.sees("web: web", "y take", "address")
    await room.press("y")
    await room.sees("take from web: web")
    await room.press("enter")
    await room.types("what the endpoint said")
    await room.says("pinned")
    evidence = kept(room)
    assert pinned(room).text == "what the endpoint said"
    assert (evidence.kind.value, evidence.title, evidence.source) == ("pane", "web: web", "web")
    assert evidence.query == f"{asks(room)}, all about web"
    assert "503" in evidence.text and "address" in evidence.text
    assert any("title" in style for line in evidence.picture for _, style in line)
    await room.press("escape")
    await room.closes()


async def test_the_sheet_of_a_log_line_is_added_to_an_entry_with_the_log_it_is_from(
    room: RoomPage,
) -> None:
    await room.opens("it burns")
    await room.room.session.note("a strange line")
    await room.go("logs")
    await room.press("G", "enter")
    await room.sees("The line", "arrived")
    await room.press("y")
    await room.press("e")
    await room.sees("add to which entry", "a strange line")
    await room.press("enter")
    await room.says("added to the entry")
    evidence = kept(room)
    assert (evidence.source, evidence.begin) == ("api", evidence.end)
    assert harmless(HOSTILE) in evidence.text and "\x1b" not in evidence.text


async def test_a_sheet_that_still_asks_is_not_pinned_and_goes_on_asking(
    room: RoomPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, ask = asyncio.Event(), room.room.monitor.detail

    async def slow(source: str, key: str) -> Detail:
        await answers.wait()
        return await ask(source, key)

    monkeypatch.setattr(room.room.monitor, "detail", slow)
    await room.opens("it burns")
    await room.go("health")
    await room.press("enter")
    await room.sees("asking…")
    await room.press("y")
    await room.says("it has not answered yet")
    answers.set()
    await room.sees("address")


async def test_without_an_incident_a_sheet_goes_to_the_clipboard(room: RoomPage) -> None:
    await room.go("health")
    await room.press("enter")
    await room.sees("address")
    await room.press("y")
    await room.says("copied")
    assert "address" in room.app.clipboard
