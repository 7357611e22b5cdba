"""Lines and errors over time: counted as they come, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.logs._errors import A_SECOND, ErrorCount, errors_among
from warroom.logs.histogram import BUCKET_S, BUCKETS, Histogram, per_minute
from warroom.logs.split import batch_of

HOUR = BUCKET_S * BUCKETS


def test_nothing_has_no_course() -> None:
    assert Histogram().course(1000.0, 40) is None


def test_lines_of_ten_seconds_stand_together_and_silence_is_nothing() -> None:
    histogram = Histogram()
    histogram.add(1000.0, 5, 1)
    histogram.add(1009.9, 2, 0)
    histogram.add(1031.0, 4, 4)
    course = histogram.course(1045.0, 40)
    assert course is not None
    assert (course.start, course.step_s) == (1000, BUCKET_S)
    assert (course.lines, course.errors) == ((7, 0, 0, 4, 0), (1, 0, 0, 4, 0))


def test_steps_grow_until_all_that_is_kept_fits() -> None:
    histogram = Histogram()
    for second in range(0, HOUR, BUCKET_S):
        histogram.add(float(second), 1, 0)
    course = histogram.course(HOUR - 1.0, 60)
    assert course is not None
    assert course.step_s == 60
    assert course.lines == (6,) * 60
    narrow = histogram.course(HOUR - 1.0, 5)
    assert narrow is not None
    assert (narrow.step_s, narrow.lines) == (360, (36,) * 5)


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    histogram = Histogram()
    histogram.add(0.0, 1, 1)
    assert histogram.course(HOUR + 10.0, 40) is None


def test_a_clock_that_was_set_back_loses_no_line() -> None:
    histogram = Histogram()
    histogram.add(1000.0, 1, 0)
    histogram.add(400.0, 2, 0)
    course = histogram.course(500.0, 40)
    assert course is not None
    assert sum(course.lines) == 3


@given(
    st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(1, 9)), min_size=1, max_size=60),
    st.integers(1, 200),
)
def test_no_line_of_the_time_that_is_shown_is_lost_or_counted_twice(
    arrivals: list[tuple[int, int]], columns: int
) -> None:
    histogram = Histogram()
    for at, lines in sorted(arrivals):
        histogram.add(float(at), lines, lines // 2)
    now = max(at for at, _ in arrivals)
    course = histogram.course(float(now), columns)
    assert course is not None
    assert len(course.lines) <= columns
    assert now < course.start + course.step_s * len(course.lines)
    oldest = (now // BUCKET_S - BUCKETS + 1) * BUCKET_S
    shown = [(at, n) for at, n in arrivals if at >= max(course.start, oldest)]
    assert sum(course.lines) == sum(n for _, n in shown)
    assert sum(course.errors) == sum(n // 2 for _, n in shown)


def test_the_largest_is_said_a_minute() -> None:
    assert per_minute((1, 40, 2), 10) == 240
    assert per_minute((), 10) == 0


def test_a_flood_without_an_error_is_read_whole() -> None:
    batch = batch_of([*[b"INFO fine"] * 10 * A_SECOND, b"ERROR pool"])
    assert ErrorCount().of(batch, 7.2) == (1, False)


def test_errors_are_lines_that_say_so_and_answers_of_class_5xx() -> None:
    batch = batch_of([b"INFO fine", b"\x1b[31mERROR\x1b[0m pool", b"panic: x", b"WARN slow"])
    assert ErrorCount().of(batch, 1.0) == (2, False)
    assert errors_among([b" 502 157", b" 200 5", b" 451 5", b"", b" 599 -"]) == 2


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_in_a_flood_of_errors_they_are_estimated_and_that_is_said(share: float) -> None:
    count = ErrorCount()
    lines = [b"ERROR x" if n < share * 10 * A_SECOND else b"INFO x" for n in range(10 * A_SECOND)]
    found, about = count.of(batch_of(lines), 7.2)
    assert about
    assert found == pytest.approx(share * len(lines), rel=0.01)
    assert count.of(batch_of([b"ERROR x"] * 10), 8.1) == (10, False), (
        "the next second is read whole"
    )
