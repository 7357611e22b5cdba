"""What a log held before it was followed stands at its own time, not at that of its reading."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.logs._source import Counting, Source
from warroom.logs.fold import zoned_time
from warroom.logs.histogram import Histogram
from warroom.logs.ring import LogRing, Raw
from warroom.logs.searches import Searches
from warroom.logs.split import Splitter
from warroom.logs.talkers import Talkers

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()


def source(ring: LogRing) -> Source:
    """A followed file that was opened at noon."""
    counting = Counting(Talkers(NOON), Histogram(), Searches((), ()))
    made = Source(0, LogEntry(Name("api"), path="/var/log/api.log"), ring, counting)
    made.began(NOON)
    return made


def kept(ring: LogRing) -> list[tuple[float, bytes]]:
    return [(raw.at - NOON, raw.data) for raw in ring.forward(1)]


def test_lines_from_before_are_as_of_the_times_that_they_say_and_others_as_they_came() -> None:
    ring = LogRing()
    api = source(ring)
    api.take(
        b"2026-11-21T11:00:00Z ERROR boom\nTraceback (most recent call last):\n"
        b"2026-11-21T12:30:00+01:00 fine\n2026-11-21T13:00:00Z of a clock that is ahead\n",
        NOON + 0.1,
    )
    api.caught_up(NOON + 0.2)
    api.take(b"2026-11-21T11:59:59Z new\n", NOON + 1.0)
    assert [round(at, 1) for at, _ in kept(ring)] == [-3600.0, -3600.0, -1800.0, 0.1, 1.0]
    there = [api.was_there(raw) for raw in ring.forward(1)]
    assert there == [True, True, True, True, False]
    assert ring.arrived_since(NOON - 5) == 2, "what was there did not come in the last seconds"


def test_a_time_without_a_zone_is_not_believed_for_what_was_there() -> None:
    ring = LogRing()
    api = source(ring)
    api.take(b"2026-11-21 11:00:00 somewhere\nno time at all\n", NOON + 0.1)
    assert [round(at, 1) for at, _ in kept(ring)] == [0.1, 0.1]


def test_a_batch_may_hold_lines_from_before_and_new_ones_and_cut_ones_stay_cut() -> None:
    ring = LogRing()
    api = source(ring)
    api._splitter = Splitter(40)
    old = b"".join(b"2026-11-21T11:00:%02dZ line %d\n" % (n % 60, n) for n in range(199))
    long = b"2026-11-21T11:30:00Z " + b"x" * 100 + b"\n"
    api.take(old + long + long + b"new\n", NOON + 0.1)
    lines = list(ring.forward(1))
    assert len(lines) == 202
    assert [(len(raw.data), raw.length, round(raw.at - NOON, 1)) for raw in lines[-3:]] == [
        (40, 121, -1800.0), (40, 121, 0.1), (3, 3, 0.1),
    ]  # fmt: skip
    assert api.counted_from == lines[-2].number


def test_the_first_line_of_a_time_is_found_beside_what_came_late_from_before() -> None:
    ring = LogRing()
    for at in (NOON, NOON + 1, NOON - 3600, NOON + 2):
        batch = Splitter().feed(b"%d\n" % at)
        ring.append(0, at, batch)
    for wanted, number in ((NOON - 9999, 1), (NOON + 0.5, 2), (NOON + 2, 4), (NOON + 3, None)):
        assert ring.first_since(wanted) == number


@pytest.mark.parametrize(
    ("line", "zoned"),
    [
        (b"2026-11-21T12:00:00Z x", True),
        (b"2026-11-21 12:00:00.5+01:00 x", True),
        (b'::1 - - [21/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5', True),
        (b"2026-11-21 12:00:00.123 UTC [7] LOG:  x", True),
        (b'{"level":30,"time":1795262400000,"msg":"x"}', True),
        (b"1795262400.5 GET", True),
        (b"2026-11-21 12:00:00 x", False),
        (b"2026/11/21 12:00:00 [error] 7#7: x", False),
        (b"Nov 21 12:00:00 web sshd[7]: x", False),
        (b"12:00:00 x", False),
        (b"2026-11-21 12:00:00 UTCx", False),
        (b"", False),
        (b"\xff\x1b[31m\x00", False),
    ],
)
def test_whether_a_line_says_its_zone(line: bytes, zoned: bool) -> None:
    assert (zoned_time(Raw(1, 0, NOON, line, len(line))) is not None) == zoned
