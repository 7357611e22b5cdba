"""Top talkers as a source: what is let in just now, and which network is behind a flood."""

from __future__ import annotations

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
        self.probe = TalkersProbe(self._logs, self._clock)

    def asked(self, count: int, clients: str, status: int) -> None:
        """`{}` in `clients` counts from 1."""
        text = "".join(
            f'{clients.format(n)} - - [21/Nov/2026:14:35:02 +0000] "GET / HTTP/1.1" {status} 1\n'
            for n in range(1, count + 1)
        )
        found = columns(text.encode(), Layout(COMBINED, 6))
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
