"""Top talkers in a flood: into a row and out again, its lines, its figures, who it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.mmdb import write_mmdb
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.domain.evidence import evidence_of
from warroom.tui.screens.help import help_lines

LINE = '{} - - [21/Nov/2026:14:35:02 +0000] "{} {} HTTP/1.1" {} 157 "-" "{}"\n'
FLOOD, USUAL = "203.0.113.7", "198.51.100.9"


@dataclass
class Edge:
    """A console on the access log of an edge."""

    room: RoomPage
    log: Path

    def asked(
        self, client: str, path: str, times: int = 1, status: int = 200, agent: str = "curl/8"
    ) -> None:
        """Requests come."""
        with self.log.open("a") as file:
            file.write(LINE.format(client, "GET", path, status, agent) * times)

    async def sees(self, *wanted: str) -> None:
        await self.room.sees(*wanted, pane="talkers")

    async def loses(self, unwanted: str) -> None:
        await self.room.loses(unwanted, pane="talkers")


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    log = tmp_path / "access.log"
    log.write_text(LINE.format("192.0.2.1", "GET", "/before", 200, "x"))
    write_mmdb(tmp_path / "c.mmdb", {"203.0.113.0/24": {"country": {"iso_code": "NL"}}})
    config = written(
        tmp_path,
        f'[[log]]\nname = "edge"\npath = "{log}"\n[addresses]\nmmdb = ["c.mmdb"]\n',
    )
    async with opened(config, size=(120, 40)) as room:
        edge = Edge(room, log)
        source = room.room.logs._sources[0]
        await room.until(lambda: room.room.logs.ring.last == 1, "the log is not read")
        source.caught_up(room.room.clock.now().timestamp())
        edge.asked(FLOOD, "/user/1", 30, 502)
        edge.asked(FLOOD, "/user/2?x", 10, agent="bot [/x]")
        edge.asked(FLOOD, "/cart", 5)
        edge.asked(USUAL, "/cart", 3)
        await room.go("talkers")
        await edge.sees(FLOOD, USUAL)
        yield edge


async def test_a_row_is_gone_into_and_out_again(edge: Edge) -> None:
    await edge.room.select("talkers", FLOOD)
    await edge.room.press("right")
    await edge.sees(f"only ip:{FLOOD}", "/user/*", "/cart", "88.9%", "by path")
    await edge.loses(USUAL)
    edge.asked(FLOOD, "/fresh")
    await edge.sees("/fresh")
    await edge.room.select("talkers", "/user/*")
    await edge.room.press("right")
    await edge.sees("path:/user/*", "by status", "502", "200")
    await edge.room.press("escape")
    await edge.sees("by path", "/cart")
    await edge.room.press("left")
    await edge.sees("by ip", USUAL)
    await edge.room.press("left")
    await edge.room.says("these are all requests")


async def test_a_click_on_a_key_of_the_bar_is_that_key(edge: Edge) -> None:
    bar = edge.room.app.room_screen.keys
    await edge.room.select("talkers", FLOOD)
    await edge.room.says("into row")
    await edge.room.pilot.click(bar, offset=(edge.room.keys.index("into row"), 0))
    await edge.sees(f"only ip:{FLOOD}")
    await edge.room.says("its lines")
    await edge.room.pilot.click(bar, offset=(edge.room.keys.index("its lines"), 0))
    await edge.room.sees(f"/ip:{FLOOD}", pane="logs")


async def test_an_arrow_key_has_its_name_where_there_is_only_ascii(edge: Edge) -> None:
    bar = edge.room.app.room_screen.keys
    await edge.room.says("→ into row")
    edge.room.app.ascii_only = True
    bar.changed()
    await edge.room.says("right into row")  # > is another key
    told = help_lines(edge.room.app.room_screen.commands, (), ascii_only=True)
    keys = {line[0][0].strip() for line in told if line}
    assert {"right", "left"} <= keys and not {"→", "←"} & keys


async def test_the_cursor_stays_with_the_busiest_until_somebody_moves_it(edge: Edge) -> None:
    def here() -> str:
        table = edge.room.app.room_screen.table
        return table.selected.row.key if table is not None and table.selected is not None else ""

    await edge.room.until(lambda: here() == FLOOD, "not on the busiest")
    edge.asked(USUAL, "/cart", 60)
    await edge.room.until(lambda: here() == USUAL, "the cursor sank with the first row")
    await edge.room.press("j")
    await edge.room.until(lambda: here() == FLOOD, "the cursor does not move")
    edge.asked("192.0.2.9", "/cart", 90)
    await edge.sees("192.0.2.9")
    assert here() == FLOOD
    await edge.room.press("g")
    await edge.room.until(lambda: here() == "192.0.2.9", "not on the busiest again")


async def test_a_grouping_is_named_and_what_is_none_is_said(edge: Edge) -> None:
    for word, key in (("agent", "bot [/x]"), ("method", "GET"), ("country", "NL"), ("wide", "/16")):
        await edge.room.press("colon")
        await edge.room.types(f"group {word}")
        await edge.sees(f"by {word}", key)
    await edge.room.press("colon")
    await edge.room.types("group colour")
    await edge.room.says('"colour" is nothing to group by; there are: ip, range')


async def test_where_no_request_says_its_host_that_is_told_and_not_that_there_is_none(
    edge: Edge,
) -> None:
    await edge.room.press("colon")
    await edge.room.types("group host")
    await edge.sees("not known 48", "no request says its host: their format has none")


async def test_a_talkers_sheet_says_whose_it_is_and_since_when(edge: Edge) -> None:
    await edge.room.select("talkers", FLOOD)
    await edge.room.press("enter")
    await edge.room.sees("first seen", "Z, ", "203.0.113.0/24", "country     NL", "since start, ")


async def test_a_rows_lines_are_shown_in_the_logs(edge: Edge) -> None:
    await edge.room.select("talkers", FLOOD)
    await edge.room.press("right")
    await edge.sees("/user/*")
    await edge.room.select("talkers", "/user/*")
    await edge.room.press("full_stop")
    assert edge.room.here == "logs"
    await edge.room.sees(f"/ip:{FLOOD} path:/user/*", "40 of 49", pane="logs")
    await edge.room.loses("/cart", pane="logs")
    await edge.room.press("escape")
    await edge.room.sees("/cart", pane="logs")


async def test_a_rows_newest_lines_are_shown_though_the_logs_stood_still(edge: Edge) -> None:
    await edge.room.go("logs")
    await edge.room.press("space")
    await edge.room.sees("PAUSED", pane="logs")
    edge.asked(FLOOD, "/since")
    await edge.room.sees("1 newer", pane="logs")
    await edge.room.select("talkers", FLOOD)
    await edge.room.press("full_stop")
    await edge.room.sees("GET /since", pane="logs")
    assert "PAUSED" not in edge.room.pane("logs")


async def test_a_row_goes_into_the_timeline_with_its_figures(edge: Edge) -> None:
    await edge.room.opens("it burns")
    await edge.room.select("talkers", FLOOD)
    await edge.room.press("p")
    await edge.room.says("pinned to the timeline")
    (event,) = [e for e in edge.room.room.session.events if e.kind is Kind.EVIDENCE]
    for figure in ("client 203.0.113.7", "requests/s", "93.8% of", "66.7% with 5xx", "45 requests"):
        assert figure in event.text
    assert "first seen" in event.text
    (kept,) = evidence_of(event.data)
    assert kept.query == "requests by ip in 1 min"
    assert kept.begin and kept.end and (kept.end - kept.begin).total_seconds() == 60
    await edge.room.press("right")
    await edge.sees("only ip:203.0.113.7", "/user/*")
    await edge.room.press("p")
    await edge.room.until(lambda: edge.room.kinds.count("evidence") == 2, "nothing is pinned")
    event = [e for e in edge.room.room.session.events if e.kind is Kind.EVIDENCE][-1]
    (kept,) = evidence_of(event.data)
    assert kept.query == "requests by path in 1 min, only ip:203.0.113.7"


async def test_nobody_is_asked_who_it_is_before_it_is_said_who_would_be(edge: Edge) -> None:
    await edge.room.press("colon")
    await edge.room.types("whois 127.0.0.1")
    await edge.room.sees("ask others about 127.0.0.1?", "tells whois.iana.org", "DNS servers")
    await edge.room.press("n")
    await edge.room.sees("who is 127.0.0.1", "localhost")
    await edge.room.press("escape")
    await edge.room.closes()
    await edge.room.select("talkers", USUAL)
    await edge.room.press("ampersand")
    await edge.room.sees(f"ask others about {USUAL}?")
    await edge.room.press("escape")
    await edge.room.closes()
    await edge.room.press("colon")
    await edge.room.types("whois nonsense")
    await edge.room.says('"nonsense" is no address')
