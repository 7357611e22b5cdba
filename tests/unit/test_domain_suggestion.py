"""The severity that live numbers speak for: with its reason, and without flicker."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Health
from warroom.domain.severity import SCHEMES
from warroom.domain.suggestion import (
    BETTER_AFTER_S,
    WORSE_AFTER_S,
    Leaning,
    Source,
    Suggestion,
    figures_of,
    is_worse,
    leaned,
    suggested,
)

SCHEME = SCHEMES["P0-P3"]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def endpoints(down: int, up: int, latency: float = 0.1) -> list[Source]:
    ill = [Source(f"down{n}", "http", Health.DOWN) for n in range(down)]
    return ill + [Source(f"up{n}", "http", Health.OK, {"latency_s": latency}) for n in range(up)]


def talkers(errors: float, rate: float = 10.0) -> Source:
    metrics = {"error_percent": errors, "requests_per_s": rate}
    return Source("top talkers", "talkers", Health.OK, metrics)


@pytest.mark.parametrize(
    ("sources", "level", "reason"),
    [
        (endpoints(3, 0), "P0", "3 of 3 endpoints down"),
        (endpoints(1, 0), "P0", "down0 down"),
        (endpoints(2, 1), "P1", "2 of 3 endpoints down"),
        (endpoints(1, 3), "P2", "1 of 4 endpoints down"),
        ([talkers(60)], "P0", "60% of requests fail (50% or more)"),
        ([talkers(6)], "P1", "6% of requests fail (5% or more)"),
        ([talkers(2)], "P2", "2% of requests fail (1% or more)"),
        ([Source("db", "postgres", Health.DOWN)], "P1", "db down"),
        (endpoints(0, 2, 6.0), "P1", "up0 takes 6.0 s (5 s or more)"),
        (endpoints(0, 2, 2.5), "P2", "up0 takes 2.5 s (2 s or more)"),
    ],
)
def test_numbers_speak_for_the_worst_level_whose_threshold_they_reach(
    sources: list[Source], level: str, reason: str
) -> None:
    assert suggested(figures_of(sources), SCHEME) == Suggestion(level, reason)


@pytest.mark.parametrize(
    "sources",
    [
        [],
        endpoints(0, 3),
        [talkers(0.5)],
        [talkers(100, rate=0.05)],
        [Source("db", "postgres", Health.DEGRADED)],
        [Source("db", "postgres", Health.UNKNOWN), Source("api", "http", Health.UNKNOWN)],
    ],
)
def test_what_is_well_too_rare_or_unknown_speaks_for_nothing(sources: list[Source]) -> None:
    assert suggested(figures_of(sources), SCHEME) is None


def test_a_scheme_without_thresholds_never_suggests() -> None:
    levels = tuple(level for level in SCHEME.levels if level.name == "P3")
    bare = type(SCHEME)("bare", levels)
    assert suggested(figures_of(endpoints(3, 0)), bare) is None


P0, P1, P2 = (Suggestion(name, "why") for name in ("P0", "P1", "P2"))


def after(course: list[tuple[float, Suggestion | None]], state: Leaning | None = None) -> Leaning:
    leaning = state or Leaning()
    for seconds, fresh in course:
        leaning = leaned(leaning, fresh, SCHEME, NOON + timedelta(seconds=seconds))
    return leaning


def test_worse_numbers_must_last_before_they_are_suggested() -> None:
    assert after([(0, P1), (WORSE_AFTER_S - 1, P1)]).held is None
    assert after([(0, P1), (WORSE_AFTER_S, P1)]).held == P1
    assert after([(0, P1), (4, None), (5, P1), (9, P1)]).held is None


def test_better_numbers_must_last_longer_before_a_suggestion_goes() -> None:
    held = Leaning(P1)
    assert after([(0, None), (BETTER_AFTER_S - 1, None)], held).held == P1
    assert after([(0, None), (BETTER_AFTER_S, None)], held).held is None
    assert after([(0, P2), (BETTER_AFTER_S, P2)], held).held == P2
    assert after([(0, P0), (WORSE_AFTER_S, P0)], held).held == P0


def test_the_reason_follows_the_numbers_at_once() -> None:
    other = Suggestion("P1", "another reason")
    assert after([(0, other)], Leaning(P1)).held == other


@given(st.lists(st.sampled_from([None, P0, P1, P2]), min_size=1, max_size=200))
def test_a_suggestion_changes_no_more_often_than_every_few_seconds(
    course: list[Suggestion | None],
) -> None:
    leaning, changes = Leaning(), []
    for second, fresh in enumerate(course):
        before, leaning = leaning, leaned(leaning, fresh, SCHEME, NOON + timedelta(seconds=second))
        if leaning.held != before.held:
            changes.append(second)
            assert leaning.held == fresh
    assert all(b - a >= WORSE_AFTER_S for a, b in itertools.pairwise(changes))


def test_a_suggestion_is_worse_than_a_severity_only_when_its_level_is() -> None:
    assert is_worse(P0, "P1", SCHEME)
    assert not is_worse(P1, "P1", SCHEME)
    assert not is_worse(P2, "P1", SCHEME)
    assert is_worse(P2, "of another scheme", SCHEME)
