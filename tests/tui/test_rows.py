"""Tables: order, filter, marks, and all about one row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.domain.evidence import evidence_of

PROBE = '[[probe]]\nkind = "http"\nname = "{name}"\nurl = "{url}/health"\nevery = "0.2s"'


@pytest.fixture
async def room(tmp_path: Path, http_service: Callable[..., HttpService]) -> AsyncIterator[RoomPage]:
    """A console on three endpoints, one of them ill."""
    services = {name: http_service() for name in ("cart", "api", "web")}
    for name, service in services.items():
        service.respond("/health", 503 if name == "web" else 200, "down" if name == "web" else "ok")
    parts = [PROBE.format(name=name, url=service.url) for name, service in services.items()]
    async with opened(written(tmp_path, *parts)) as page:
        await page.sees("2 ok", "1 down", "cart", "api", "web", "503", pane="health")
        yield page


def order(room: RoomPage) -> list[str]:
    """The endpoints from top to bottom."""
    lines = room.pane("health").splitlines()
    return [name for line in lines for name in ("cart", "api", "web") if f" {name} " in line]


async def in_order(room: RoomPage, *names: str) -> None:
    await room.until(lambda: order(room) == list(names), f"not in this order: {names}")


async def test_rows_are_sorted_by_a_column_turned_around_and_put_back(room: RoomPage) -> None:
    await in_order(room, "cart", "api", "web")
    await room.press("o")
    await in_order(room, "api", "cart", "web")
    await room.press("O")
    await in_order(room, "web", "cart", "api")
    for _ in range(6):
        await room.press("o")
    await in_order(room, "cart", "api", "web")


async def test_a_filter_finds_a_row_by_any_cell_and_escape_brings_the_others_back(
    room: RoomPage,
) -> None:
    await room.press("slash")
    await room.types("503")
    await in_order(room, "web")
    await room.sees("/503", pane="health")
    await room.press("escape")
    await in_order(room, "cart", "api", "web")


async def test_nothing_found_is_said(room: RoomPage) -> None:
    await room.press("slash")
    await room.types("no such thing")
    await room.sees('nothing matches "no such thing"', pane="health")


async def test_marked_rows_are_copied_and_pinned_together(room: RoomPage) -> None:
    await room.opens("it burns")
    await room.press("g", "space", "j", "space")
    await room.sees("2 marked", pane="health")
    await room.press("y")
    await room.sees("take from health")
    await room.press("y")
    await room.says("copied")
    copied = room.app.clipboard.splitlines()
    assert [line.partition(":")[0] for line in copied] == ["cart", "web"]
    await room.press("p")
    await room.says("pinned")
    (pinned,) = [e for e in room.room.session.events if e.kind is Kind.EVIDENCE]
    assert "cart: " in pinned.text
    (kept,) = evidence_of(pinned.data)
    assert [line.partition(":")[0] for line in kept.text.splitlines()] == ["cart", "web"]
    assert (kept.kind.value, kept.source) == ("rows", "cart, web")
    latest = room.room.monitor.latest
    urls = [row.data["url"] for name in ("cart", "web") for row in latest[name].rows]
    assert kept.query == f"http probe: GET {urls[0]}; GET {urls[1]}"
    await room.press("escape")
    await room.loses("2 marked", pane="health")


async def test_a_row_opens_with_what_the_system_says_about_it(room: RoomPage) -> None:
    await room.select("health", "web")
    await room.press("enter")
    await room.sees("web: web", "503", "/health")
    await room.press("escape")
    await room.closes()


async def test_the_cursor_stays_on_its_row_while_data_comes(room: RoomPage) -> None:
    await room.select("health", "api")
    seen = room.room.monitor.latest["api"]
    await room.until(lambda: room.room.monitor.latest["api"] is not seen, "no further look")
    table = room.app.room_screen.table
    assert table is not None
    assert table.selected is not None
    assert table.selected.row.name == "api"


async def test_a_click_selects_and_a_double_click_opens(room: RoomPage) -> None:
    pane = room.app.room_screen.panes[0]
    line = next(y for y, text in enumerate(room.pane("health").splitlines()) if " api " in text)
    await room.pilot.click(pane, offset=(6, line))
    table = room.app.room_screen.table
    assert table is not None
    assert table.selected is not None
    assert table.selected.row.name == "api"
    await room.pilot.click(pane, offset=(6, line), times=2)
    await room.sees("api: api")
