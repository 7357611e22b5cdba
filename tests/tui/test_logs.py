"""The logs pane: what a responder does with lines while they keep coming."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind


@dataclass
class Desk:
    """A console on one growing log."""

    room: RoomPage
    log: Path

    def writes(self, *lines: str) -> None:
        """The program behind the log says something more."""
        with self.log.open("a") as stream:
            stream.write("".join(f"{line}\n" for line in lines))

    async def sees(self, *wanted: str) -> None:
        await self.room.sees(*wanted, pane="logs")

    async def loses(self, unwanted: str) -> None:
        await self.room.loses(unwanted, pane="logs")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    log = tmp_path / "api.log"
    log.write_text("INFO start\nERROR pool exhausted\nINFO served /cart\nWARN slow query\n")
    config = written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"')
    async with opened(config, size=(120, 40)) as room:
        await room.go("logs")
        await room.sees("slow query", pane="logs")
        yield Desk(room, log)


async def test_a_filter_holds_for_lines_that_come_later(desk: Desk) -> None:
    await desk.room.press("slash")
    (await desk.room.asked()).value = "pool"
    await desk.loses("slow query")  # while it is typed, before it is submitted
    await desk.room.types("pool")
    desk.writes("INFO served /pay", "ERROR pool exhausted again")
    await desk.sees("pool exhausted again", "/pool", "2 of 6")
    assert "/pay" not in desk.room.pane("logs")
    await desk.room.press("escape")
    await desk.sees("/pay", "slow query")


async def test_a_filter_left_with_escape_is_as_it_was(desk: Desk) -> None:
    await desk.room.press("slash")
    (await desk.room.asked()).value = "pool"
    await desk.loses("slow query")
    await desk.room.press("escape")
    await desk.sees("slow query")


async def test_what_is_hidden_stays_hidden_and_both_ways_combine(desk: Desk) -> None:
    await desk.room.press("exclamation_mark")
    await desk.room.types("INFO")
    await desk.loses("served")
    await desk.sees("!INFO", "pool exhausted", "slow query")
    await desk.room.press("slash")
    await desk.room.types("slow")
    desk.writes("INFO slow start", "WARN slow again")
    await desk.sees("slow again", "/slow", "!INFO")
    assert "slow start" not in desk.room.pane("logs")


async def test_a_pattern_that_cannot_be_read_is_said_and_changes_nothing(desk: Desk) -> None:
    await desk.room.press("slash")
    await desk.room.types("re:pool(")
    await desk.sees("▲", "slow query")


async def test_a_paused_log_stands_still_counts_what_is_newer_and_follows_again(
    desk: Desk,
) -> None:
    await desk.room.press("space")
    await desk.sees("PAUSED")
    desk.writes("INFO fresh one", "INFO fresh two")
    await desk.sees("2 newer")
    assert "fresh" not in desk.room.pane("logs")
    await desk.room.press("G")
    await desk.sees("fresh two")
    assert "PAUSED" not in desk.room.pane("logs")


async def test_going_up_pauses_and_a_line_opens_with_its_fields(desk: Desk) -> None:
    desk.writes(
        '203.0.113.7 - - [21/Nov/2026:14:00:00 +0000] "GET /pay HTTP/1.1" 502 17 "-" "curl/8"'
    )
    await desk.sees("/pay")
    await desk.room.press("k")
    await desk.sees("PAUSED")
    await desk.room.press("enter")
    await desk.room.sees("api: line", "request", "GET /pay", "status", "502")
    await desk.room.press("escape")
    await desk.room.closes()


async def test_errors_are_jumped_to_in_both_directions(desk: Desk) -> None:
    desk.writes(*(f"INFO filler {n}" for n in range(100)), "ERROR second", "INFO last")
    await desk.sees("last")
    await desk.room.press("left_square_bracket", "left_square_bracket")
    await desk.sees("pool exhausted")
    assert "second" not in desk.room.pane("logs")
    await desk.room.press("left_square_bracket")
    await desk.room.says("no further error above")
    await desk.room.press("right_square_bracket")
    await desk.sees("ERROR second")
    await desk.room.press("right_square_bracket")
    await desk.room.says("no further error below")


async def test_a_long_line_is_cut_until_it_is_wrapped(desk: Desk) -> None:
    desk.writes("INFO " + "x" * 140 + " the-end")
    await desk.sees("xxx")
    assert "the-end" not in desk.room.pane("logs")
    await desk.room.press("w")
    await desk.sees("the-end", "wrap")


async def test_the_name_of_a_single_log_stands_in_the_title_alone(desk: Desk) -> None:
    assert desk.room.pane("logs").count("api") == 1


async def test_an_error_has_a_sign_for_there_may_be_no_colours(desk: Desk) -> None:
    rows = desk.room.pane("logs").splitlines()
    assert [("✖" in row) for row in rows if "pool exhausted" in row] == [True]
    assert [("✖" in row) for row in rows if "slow query" in row or "/cart" in row] == [False] * 2


async def test_of_a_line_too_long_to_be_kept_its_length_is_said(desk: Desk) -> None:
    desk.writes("INFO " + "x" * 9_999_995)
    await desk.sees("xxx", "10,000,000 bytes")
    await desk.room.press("w")
    await desk.sees("wrap", "10,000,000 bytes")


async def test_the_selected_line_goes_into_the_timeline(desk: Desk) -> None:
    await desk.room.opens("it burns")
    await desk.room.go("logs")
    await desk.room.press("left_square_bracket", "p")
    await desk.room.says("pinned to the timeline")
    events = desk.room.room.session.events
    (event,) = [event for event in events if event.kind is Kind.EVIDENCE]
    assert event.text == "api: ERROR pool exhausted"


async def test_what_is_for_logs_says_so_elsewhere(
    tmp_path: Path,
) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "machine"')
    async with opened(config, size=(120, 40)) as room:
        for key in ("exclamation_mark", "w", "left_square_bracket"):
            await room.press(key)
            await room.says("that is for the logs pane")
            room.app.room_screen.keys.clear()


async def test_the_rate_falls_to_nothing_when_no_line_comes_any_more(desk: Desk) -> None:
    desk.writes(*(f"INFO served /cart {number}" for number in range(100)))
    await desk.loses(" 0 lines/s")
    await desk.sees(" 0 lines/s")


REQUESTS = (
    '203.0.113.7 - ann [21/Nov/2026:14:35:02 +0100] "GET /cart?id=7 HTTP/1.1" 502 157 "-" "curl/8"',
    '2001:db8::1 - - [21/Nov/2026:14:35:03 +0100] "GET /[@click=app.bell]x[/]" 200 5 "-" "b"',
)


async def test_a_log_says_what_it_was_recognised_as_and_shows_its_fields_in_columns(
    tmp_path: Path,
) -> None:
    log = tmp_path / "edge.log"
    log.write_text("".join(f"{line}\n" for line in REQUESTS))
    config = written(tmp_path, f'[[log]]\nname = "edge"\npath = "{log}"')
    async with opened(config, size=(120, 40)) as room:
        await room.go("logs")
        await room.sees("edge (combined)", "/cart?id=7", pane="logs")
        await room.press("J")
        await room.sees("client", "status", "502     GET", "[@click=app.bell]x[/]", pane="logs")
        await room.press("J", "g", "enter")
        await room.sees("combined log format, 2 of 2 lines fit", "2026-11-21 13:35:03.000 UTC")
        await room.sees("client    2001:db8::1", "GET /[@click", "Its fields", "referer")


async def test_a_format_of_the_config_is_heeded_and_the_client_behind_a_trusted_hop_is_shown(
    tmp_path: Path,
) -> None:
    log = tmp_path / "edge.log"
    log.write_text('10.0.0.1|203.0.113.7|"GET /cart"|502\n')
    config = written(
        tmp_path,
        f'[[log]]\nname = "edge"\npath = "{log}"\ntrusted_proxies = ["10.0.0.0/8"]\n'
        "format = '$remote_addr|$http_x_forwarded_for|\"$request\"|$status'",
    )
    async with opened(config, size=(120, 40)) as room:
        await room.go("logs")
        await room.press("J")
        await room.sees("203.0.113.7", "502", "/cart", pane="logs")
