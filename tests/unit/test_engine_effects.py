"""Whether it helped: what a metric does by itself is no effect."""

from __future__ import annotations

import pytest

from warroom.engine.effects import Figures, Verdict, effect
from warroom.engine.tiers import persons, word
from warroom.mitigations.base import Card, Risk, Target

DOWN = (("waiting", "down"),)


def looks(*values: float) -> list[Figures]:
    return [{"waiting": value} for value in values]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([7], 0, Verdict.WORKED),
        ([7], 7, Verdict.NO_EFFECT),
        ([7], 9, Verdict.WORSE),
        ([0], 1, Verdict.WORSE),
        ([0, 0, 0], 0, Verdict.NO_EFFECT),
        ([100], 104, Verdict.NO_EFFECT),
        ([100, 60, 140, 80, 120], 75, Verdict.NO_EFFECT),
        ([100, 101, 99, 100, 100], 75, Verdict.WORKED),
        ([100, 60, 140, 80, 120], 5, Verdict.WORKED),
        ([0, 0, 0, 0, 1, 1], 0, Verdict.WORKED),
        ([0, 0, 0, 0, 1, 1], 1, Verdict.NO_EFFECT),
        ([100, 104, 96, 100, 40, 44], 98, Verdict.WORSE),
        ([1, 0, 1, 1, 0, 1], 0, Verdict.NO_EFFECT),
    ],
)
def test_what_moves_no_further_than_it_does_by_itself_is_no_effect(
    before: list[float], after: float, verdict: Verdict
) -> None:
    seen = effect(DOWN, looks(*before), looks(after))
    assert seen is not None
    assert seen.verdict is verdict


def test_only_the_last_looks_say_what_is_usual() -> None:
    seen = effect(DOWN, looks(*[1000] * 20, *[7] * 6), looks(0))
    assert seen is not None
    assert seen.data["before"] == {"waiting": 7.0}


def test_the_threshold_is_said() -> None:
    seen = effect(DOWN, looks(90, 110), looks(50))
    assert seen is not None
    assert seen.text == "waiting 100 → 50 (±20 is noise)"
    assert seen.data["threshold"] == {"waiting": 20.0}


def test_nothing_is_said_of_what_nobody_saw() -> None:
    assert effect(DOWN, [], looks(7)) is None
    assert effect(DOWN, looks(7), [{}]) is None
    assert effect((), looks(7), looks(0)) is None


def test_what_went_the_right_way_counts_more() -> None:
    moves = (("waiting", "down"), ("hits", "up"))
    seen = effect(moves, [{"waiting": 7, "hits": 50}], [{"waiting": 0, "hits": 10}])
    assert seen is not None
    assert seen.verdict is Verdict.WORKED


# Tiers ---------------------------------------------------------------------------------------


def card(risk: Risk) -> Card:
    return Card("docker.restart", "Restart", "", Target("id", "shop-api"), ("x",), (), "-", risk)


@pytest.mark.parametrize(
    ("risk", "production", "typed"),
    [
        (Risk.READ, False, ""), (Risk.READ, True, ""),
        (Risk.CHANGE, False, ""), (Risk.CHANGE, True, "restart"),
        (Risk.DESTROY, False, "shop-api"), (Risk.DESTROY, True, "shop-api"),
    ],
)  # fmt: skip
def test_production_wants_a_word_for_what_changes(risk: Risk, production: bool, typed: str) -> None:
    assert word(card(risk), production=production) == typed


def test_a_second_person_is_wanted_where_the_config_says_so() -> None:
    destroys, changes = card(Risk.DESTROY), card(Risk.CHANGE)
    assert persons(destroys, production=True, own=0, destructive=2) == 2
    assert persons(destroys, production=False, own=0, destructive=2) == 1
    assert persons(changes, production=True, own=0, destructive=2) == 1
    assert persons(changes, production=False, own=3, destructive=1) == 3
