"""Lines in the order in which they were written, whatever their log's clock and zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from warroom.logs.fold import Entry, own_time
from warroom.logs.moments import Moments, in_time
from warroom.logs.ring import Raw

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()


def raw(number: int, text: str, came: float = 0.0, source: int = 0) -> Raw:
    data = text.encode()
    return Raw(number, source, NOON + came, data, len(data))


@pytest.mark.parametrize(
    ("line", "after_noon"),
    [
        ("2026-11-21T12:00:01.5Z INFO x", 1.5),
        ("2026-11-21T13:00:01+01:00 INFO x", 1.0),
        ("2026/11/21 12:00:01 [error] 7#7: x", 1.0),
        ('::1 - - [21/Nov/2026:12:00:01 +0000] "GET / HTTP/1.1" 200 5', 1.0),
        ("Nov 21 12:00:01 web sshd[7]: x", 1.0),
        ('{"level":30,"time":1795262401000,"msg":"x"}', 1.0),
        ("INFO without a time", None),
        ("12:00:01 without a day", None),
    ],
)
def test_a_line_says_when_it_was_written(line: str, after_noon: float | None) -> None:
    said = own_time(raw(1, line))
    assert said == (None if after_noon is None else NOON + after_noon)


def order(*raws: Raw) -> list[int]:
    return [row.number for row in in_time([Entry((one,)) for one in raws], Moments())]


def test_a_line_that_came_late_stands_where_it_belongs() -> None:
    lines = [
        raw(1, "2026-11-21T12:00:01Z a", 1.0),
        raw(2, "2026-11-21T12:00:05Z a", 5.0),
        raw(3, "2026-11-21T12:00:03Z b", 6.0, source=1),
        raw(4, "2026-11-21T12:00:06Z b", 6.0, source=1),
    ]
    assert order(*lines) == [1, 3, 2, 4]


def test_a_wrong_clock_and_a_zone_are_taken_out_and_told_apart() -> None:
    moments = Moments()
    lines = [
        raw(1, "2026-11-21 13:00:03 an hour east", 3.0),
        raw(2, "2026-11-21T11:59:22Z its clock is 40 s behind", 2.0, source=1),
        raw(3, "2026-11-21T11:59:23Z came 1 s late", 4.0, source=1),
    ]
    assert [row.number for row in in_time([Entry((one,)) for one in lines], moments)] == [2, 1, 3]
    assert moments.of(lines[0]) == NOON + 3.0
    assert (moments.wrong_s(0), moments.wrong_s(1)) == (0.0, 40.0)


def test_a_line_without_a_time_stands_where_it_came() -> None:
    assert order(raw(1, "2026-11-21T12:00:09Z a", 9.0), raw(2, "no time", 5.0)) == [2, 1]


def test_a_day_far_away_is_of_something_else() -> None:
    moments = Moments()
    ends = raw(1, "2031-01-01 00:00:00 the licence ends", 1.0)
    moments.learn([ends, raw(2, "2026-11-21T12:00:02Z a", 2.0)])
    assert moments.wrong_s(0) == 0.0
    assert moments.of(ends) == ends.at


def test_what_was_there_before_says_nothing_of_a_clock_where_it_stands_at_its_own_time() -> None:
    lines = [
        raw(1, "2026-11-21T11:00:00Z there before", -3600.0),
        raw(2, "2026-11-21T11:59:22Z its clock is 40 s behind", 2.0),
    ]
    moments = Moments(lambda one: one.number == 1)
    in_time([Entry((one,)) for one in lines], moments)
    assert moments.wrong_s(0) == 40.0
    assert moments.of(lines[0]) == NOON - 3600.0
    assert moments.of(lines[1]) == NOON + 2.0
