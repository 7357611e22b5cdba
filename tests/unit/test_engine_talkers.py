"""Top talkers as a source: what is let in just now, and which network is behind a flood."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from warroom.domain.clock import ManualClock
from warroom.domain.sample import Sample
from warroom.engine.talkers import TalkersProbe
from warroom.logs.columns import Layout, columns
from warroom.logs.engine import LogEngine
from warroom.logs.formats.web import COMBINED

NOW = datetime(2026, 11, 21, 14, 35, 2, tzinfo=UTC)


class Edge:
    """A shop's edge: requests arrive, and are looked at every second."""

    def __init__(self) -> None:
        self._clock = ManualClock(NOW)
        self._logs = LogEngine((), {}, clock=self._clock)
        self._began: datetime | None = None
        self.probe = TalkersProbe(self._logs, self._clock, lambda: self._began)

    def begins(self, *, over: bool = False) -> None:
        """An incident begins now, or is over."""
        self._began = None if over else self._clock.now()

    def asked(self, count: int, clients: str, status: int) -> None:
        """`{}` in `clients` counts from 1."""
        text = "".join(
            f'{clients.format(n)} - - [21/Nov/2026:14:35:02 +0000] "GET / HTTP/1.1" {status} 1\n'
            for n in range(1, count + 1)
        )
        found = columns(text.encode(), Layout(COMBINED))
        self._logs.talkers.feed(found, self._clock.now().timestamp())

    async def second(self, *requests: tuple[int, str, int]) -> Sample:
        """A second passes in which these are made."""
        self._clock.advance(1)
        for count, clients, status in requests:
            self.asked(count, clients, status)
        return await self.probe.sample()


FLOOD, USUAL = "203.0.113.{}", "198.51.100.7"


@pytest.fixture
async def edge() -> Edge:
    edge = Edge()
    for _ in range(6):
        await edge.second((20, FLOOD, 503), (30, FLOOD, 200), (10, USUAL, 200))
    return edge


async def test_what_is_let_in_and_what_fails_is_of_the_last_seconds(edge: Edge) -> None:
    sample = await edge.second((20, FLOOD, 503), (30, FLOOD, 200), (10, USUAL, 200))
    assert sample.metrics["let_in_per_s"] == 60
    assert sample.metrics["error_percent_now"] == pytest.approx(100 / 3)
    for _ in range(5):
        sample = await edge.second((50, FLOOD, 403), (10, USUAL, 200))
    assert sample.metrics["let_in_per_s"] == 10, "who is refused is not let in"
    assert sample.metrics["error_percent_now"] == 0
    assert sample.metrics["error_percent"] > 10, "a minute takes longer to tell it"
    assert sample.metrics["requests_per_s"] == pytest.approx(60, rel=0.1)


async def test_who_asks_for_what_is_not_there_is_let_in_until_it_is_refused(edge: Edge) -> None:
    for _ in range(6):
        sample = await edge.second((50, FLOOD, 404), (10, USUAL, 200))
    assert sample.metrics["let_in_per_s"] == 60
    for _ in range(6):
        sample = await edge.second((25, FLOOD, 403), (25, FLOOD, 429), (10, USUAL, 200))
    assert sample.metrics["let_in_per_s"] == 10


async def test_too_few_requests_say_nothing_of_a_share() -> None:
    edge = Edge()
    for _ in range(8):
        sample = await edge.second((1, USUAL, 503))
    assert sample.metrics["let_in_per_s"] == 1
    assert "error_percent_now" not in sample.metrics


async def test_a_network_of_many_clients_is_named_with_what_it_sends_of_what_is_let_in(
    edge: Edge,
) -> None:
    sample = await edge.second()
    assert sample.facts["range"] == "203.0.113.0/24 83%"
    assert sample.metrics["range_percent"] == pytest.approx(100 * 5 / 6)
    rows = {row.key: row.data for row in sample.rows}
    assert rows["203.0.113.7"]["range"] == "203.0.113.0/24"
    assert rows["203.0.113.7"]["range_share"] == pytest.approx(5 / 6)
    assert "range" not in rows[USUAL]
    for _ in range(20):
        sample = await edge.second((50, FLOOD, 403), (10, USUAL, 200))
    assert sample.metrics["range_percent"] == 0, "it is denied"


async def test_one_busy_client_is_not_told_twice() -> None:
    edge = Edge()
    for _ in range(3):
        sample = await edge.second((50, USUAL, 200))
    assert "range" not in sample.facts


async def test_no_request_gives_no_share_and_no_complaint() -> None:
    sample = await Edge().second()
    assert sample.metrics == {"requests_per_s": 0, "error_percent": 0, "top_percent": 0}


# Only a part, and against what was usual ------------------------------------------------------


async def test_what_is_new_or_grew_most_since_the_incident_began_stands_first() -> None:
    edge = Edge()
    for _ in range(120):
        await edge.second((30, USUAL, 200))
    edge.begins()
    for _ in range(60):
        sample = await edge.second((30, USUAL, 200), (5, "203.0.113.7", 200), (1, "192.0.2.1", 200))
    titles = [column.key for column in sample.columns]
    was = {row.key: row.cells[titles.index("was")] for row in sample.rows}
    assert [row.key for row in sample.rows] == ["203.0.113.7", "192.0.2.1", USUAL]
    assert was == {"203.0.113.7": "new", "192.0.2.1": "new", USUAL: pytest.approx(30, rel=0.1)}
    figures = sample.rows[0].data["figures"]
    assert "new since the incident began" in figures
    assert edge.probe.drill("203.0.113.7")
    await asyncio.sleep(0)
    sample = await edge.second((5, "203.0.113.7", 200))
    assert (edge.probe.by, [row.key for row in sample.rows]) == ("path", ["/"])
    edge.begins(over=True)
    sample = await edge.second()
    assert "was" not in [column.key for column in sample.columns]


async def test_an_incident_that_began_before_the_console_has_no_baseline() -> None:
    edge = Edge()
    edge.begins()
    sample = await edge.second((5, USUAL, 200))
    assert not edge.probe.grown
    assert "was" not in [column.key for column in sample.columns]


async def test_what_is_watched_stays_all_requests_whatever_part_is_looked_at(edge: Edge) -> None:
    before = await edge.second((20, FLOOD, 503), (30, FLOOD, 200), (10, USUAL, 200))
    assert edge.probe.drill(USUAL)
    after = await edge.second()
    assert [chip.key for chip in edge.probe.chips] == [USUAL]
    assert after.metrics["requests_per_s"] == pytest.approx(before.metrics["requests_per_s"], 0.3)
    assert after.metrics["error_percent"] == before.metrics["error_percent"]
    assert edge.probe.back()
    assert not edge.probe.back()


async def test_a_kind_is_asked_for_by_name_and_not_what_all_have_alike(edge: Edge) -> None:
    assert "country" in edge.probe.group("country"), "nobody named a database"
    assert edge.probe.group("wide range") == ""
    assert edge.probe.by == "wide"
    sample = await edge.second()
    assert sample.rows[0].key == "203.0.0.0/16"
    edge.probe.group("ip")
    assert edge.probe.drill(USUAL)
    assert "range" not in edge.probe.groups
    seen = [edge.probe.by]
    while edge.probe.drill("x"):
        seen.append(edge.probe.by)
    assert len(set(seen)) == len(seen) == 5, "each once, then there is no more"


# All about one --------------------------------------------------------------------------------


async def test_the_sheet_of_a_talker_says_since_when_and_whether_it_is_new() -> None:
    edge = Edge()
    for _ in range(120):
        await edge.second((30, USUAL, 200))
    edge.begins()
    for _ in range(20):
        await edge.second((30, USUAL, 200), (5, "203.0.113.7", 404))
    told = await edge.probe.detail("203.0.113.7")
    known = dict(told.sections[0].pairs)
    assert known["first seen"].startswith("14:37:00Z, ")
    assert (known["incident"], known["range"]) == ("new since it began", "203.0.113.0/24")
    assert "country" not in known, "nobody named a database"
    usual = dict((await edge.probe.detail(USUAL)).sections[0].pairs)
    assert usual["incident"].endswith(" a second before it")


async def test_a_sheet_leaves_out_windows_that_reach_further_back_than_anything_was_seen(
    edge: Edge,
) -> None:
    told = await edge.probe.detail(USUAL)
    titles = [section.title for section in told.sections]
    assert titles == ["What is known", "1 min", "since start, 6s ago"]


async def test_who_is_refused_shows_in_its_row(edge: Edge) -> None:
    sample = await edge.second((4, FLOOD, 403))
    at = [column.title for column in sample.columns].index("4xx")
    cells = {row.key: row.cells[at] for row in sample.rows}
    assert cells["203.0.113.1"] == pytest.approx(100 / 13)
    assert cells[USUAL] == 0


async def test_the_rate_of_what_is_looked_at_is_told_beside_that_of_all(edge: Edge) -> None:
    assert edge.probe.drill(USUAL)
    await asyncio.sleep(0)
    sample = await edge.second((10, USUAL, 200), (90, FLOOD, 200))
    assert float(sample.facts["req/s"]) <= 10 < sample.metrics["requests_per_s"]
