"""Checks turn samples into findings, and do not flicker."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Column, Health, Level, Row, Sample
from warroom.engine.checks import Check, CheckState, evaluate, load_checks

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FULL = Check("full", "x", "{value:.0f} of 100", metric="used", warn=80, critical=95, clear=70)


def saw(value: float, **more: object) -> Sample:
    return Sample("db", NOON, Health.OK, "", {"used": value}, **more)  # type: ignore[arg-type]


def after(check: Check, *values: float) -> CheckState:
    state = CheckState()
    for value in values:
        state = evaluate([check], saw(value), state)
    return state


def test_one_look_beyond_the_threshold_is_not_a_finding_yet() -> None:
    assert after(FULL, 99).findings == ()


def test_two_looks_are_a_finding_that_says_the_value() -> None:
    (finding,) = after(FULL, 99, 98).findings
    assert (finding.level, finding.message, finding.source) == (Level.CRITICAL, "98 of 100", "db")


def test_between_the_warn_and_the_clear_edge_a_finding_stays() -> None:
    (finding,) = after(FULL, 85, 85, 75, 75, 75).findings
    assert finding.level is Level.WARN


def test_a_finding_ends_after_two_looks_on_the_good_side() -> None:
    assert after(FULL, 85, 85, 60).findings != ()
    assert after(FULL, 85, 85, 60, 60).findings == ()


def test_a_single_good_look_between_ill_ones_changes_nothing() -> None:
    assert after(FULL, 85, 85, 60, 85, 60, 85).findings != ()


def test_a_failed_look_proves_nothing() -> None:
    ill = after(FULL, 99, 99)
    failed = saw(0, error="refused")
    assert evaluate([FULL], failed, ill) == ill


def test_a_column_check_finds_each_row_by_its_name() -> None:
    check = Check("disk", "x", "{row} is {value:.0f}% full", column="used", warn=90, looks=1)
    rows = (Row("1", "/", ("/", 95.0)), Row("2", "/tmp", ("/tmp", 10.0)))
    columns = (Column("mount", "mount"), Column("used", "used", "percent"))
    sample = Sample("box", NOON, Health.OK, "", columns=columns, rows=rows)
    (finding,) = evaluate([check], sample, CheckState()).findings
    assert finding.message == "/ is 95% full"


@given(st.lists(st.floats(0, 200, allow_nan=False), max_size=30))
def test_findings_never_contradict_the_last_two_looks(values: list[float]) -> None:
    state = after(FULL, *values)
    last = values[-2:]
    if len(last) == 2 and all(v >= 95 for v in last):
        assert [f.level for f in state.findings] == [Level.CRITICAL]
    if len(last) == 2 and all(v < 70 for v in last):
        assert state.findings == ()


def test_the_packaged_checks_are_whole_and_their_messages_can_be_written() -> None:
    checks, problems = load_checks()
    assert not problems
    for check in checks:
        assert check.message.format(value=1.0, row="r")


def test_a_check_of_the_config_replaces_the_packaged_one_of_its_id() -> None:
    own = {"id": "full", "kind": "x", "metric": "used", "warn": 1, "message": "mine"}
    checks, problems = load_checks([own])
    assert not problems
    assert [c.message for c in checks if c.id == "full"] == ["mine"]


def test_a_check_without_a_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="warn or a critical"):
        Check("a", "x", "m", metric="used")


@pytest.mark.parametrize("message", ["{nope} % full", "{value", "{value:nonsense}", "{0}"])
def test_a_message_that_cannot_be_written_is_refused_before_it_is_needed(message: str) -> None:
    _, problems = load_checks(
        [{"id": "a", "kind": "b", "metric": "m", "warn": 1, "message": message}]
    )
    assert [problem.path[-1] for problem in problems] == ["message"]
