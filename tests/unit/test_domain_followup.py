"""Roles, hypotheses, action items and dates: what their events add up to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chains import Chain
from warroom.domain.conditions import HELD_S, Facts, parsed, reason
from warroom.domain.dates import due_date
from warroom.domain.events import Kind
from warroom.domain.incident import (
    FIELDS,
    ActionItem,
    Belief,
    Hypothesis,
    Incident,
    Role,
    incident_of,
)
from warroom.domain.severity import SCHEMES
from warroom.engine.people import may_close, read, role_named

TODAY = date(2026, 11, 21)  # a Saturday


def chain() -> Chain:
    made = Chain()
    made.open(severity="P1")
    return made


def after(story: Chain) -> Incident:
    return incident_of(story.events)


# Roles ---------------------------------------------------------------------------------------


def test_a_role_is_handed_over_in_one_event_beside_others_who_have_it() -> None:
    story = chain()
    for person in ("anna", "ben"):
        story.add(Kind.ROLE, role="scribe", person=person)
    story.add(Kind.ROLE, role="scribe", person="cleo", was="anna")
    assert after(story).roles[Role.SCRIBE] == ("ben", "cleo")


def test_a_role_that_is_given_back_is_nobody_s() -> None:
    story = chain()
    story.add(Kind.ROLE, role="scribe", person="anna")
    story.add(Kind.ROLE, role="incident commander", person="ben")
    story.add(Kind.ROLE, role="incident commander", person="ben", released=True)
    assert after(story).commander == ""
    assert set(after(story).roles) == {Role.SCRIBE}
    assert after(story).acknowledged_at is not None, "it was taken once"


def test_giving_back_what_one_never_had_changes_nothing() -> None:
    story = chain()
    story.add(Kind.ROLE, role="scribe", person="anna", released=True)
    assert after(story).roles == {}
    assert after(story).acknowledged_at is None


@pytest.mark.parametrize(
    ("text", "role", "person", "back"),
    [
        ("scribe anna", Role.SCRIBE, "anna", False),
        ("ic Anna Berg", Role.COMMANDER, "Anna Berg", False),
        ("communications lead ben", Role.COMMUNICATIONS, "ben", False),
        ("comms -ben", Role.COMMUNICATIONS, "ben", True),
    ],
)
def test_a_line_says_who_has_which_role(text: str, role: Role, person: str, back: bool) -> None:
    assert read(text) == (role, person, back)


@pytest.mark.parametrize("text", ["", "scribe", "scribe -", "king anna", "[/x] anna", "\x1b[2J a"])
def test_a_line_that_says_no_role_or_nobody_is_answered_plainly(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no role|who\?"):
        read(text)


def test_a_word_that_fits_two_roles_is_none() -> None:
    with pytest.raises(ValueError, match="there are: incident commander"):
        role_named("com")


def test_who_may_close_is_whoever_has_the_role() -> None:
    story = chain()
    scheme = SCHEMES["P0-P3"]
    said = "P1 is closed by the incident commander (nobody is)"
    assert may_close(after(story), scheme, "anna") == said
    story.add(Kind.ROLE, role="incident commander", person="Anna")
    assert may_close(after(story), scheme, "anna") == ""
    assert "(Anna)" in may_close(after(story), scheme, "ben")
    story.add(Kind.SEVERITY, severity="P3")
    assert may_close(after(story), scheme, "ben") == ""


# Hypotheses and action items -----------------------------------------------------------------


def test_a_hypothesis_is_open_until_somebody_says_what_became_of_it() -> None:
    story = chain()
    story.add(Kind.HYPOTHESIS, "hypothesis: the pool", hypothesis="a", state="open")
    story.add(Kind.HYPOTHESIS, "hypothesis: the DNS", hypothesis="b", state="open")
    story.add(Kind.HYPOTHESIS, "ruled out: …", hypothesis="b", state="ruled out", reason="resolves")
    told = story.add(
        Kind.HYPOTHESIS, "confirmed: …", hypothesis="a", state="confirmed", reason="100/100"
    )
    assert after(story).hypotheses == (
        Hypothesis("the pool", Belief.CONFIRMED, "100/100", "a"),
        Hypothesis("the DNS", Belief.RULED_OUT, "resolves", "b"),
    )
    story.add(Kind.RETRACTED, "too early", seq=told.seq)
    assert after(story).hypotheses[0] == Hypothesis("the pool", Belief.OPEN, "", "a")


def test_a_hypothesis_in_a_state_that_there_is_none_of_is_not_changed() -> None:
    story = chain()
    story.add(Kind.HYPOTHESIS, "the pool", hypothesis="a")
    story.add(Kind.HYPOTHESIS, "?", hypothesis="a", state="maybe")
    assert after(story).hypotheses == (Hypothesis("the pool", id="a"),)


def test_a_later_event_replaces_an_action_item_and_a_retraction_brings_it_back() -> None:
    story = chain()
    story.add(Kind.ACTION_ITEM, "alert", item="a", owner="dba", due="")
    story.add(Kind.ACTION_ITEM, "runbook", item="b", owner="", due="")
    story.add(Kind.ACTION_ITEM, "alert at 80 %", item="a", owner="dba", due="2026-12-01", done=True)
    gone = story.add(Kind.ACTION_ITEM, "runbook", item="b", removed=True)
    assert after(story).action_items == (
        ActionItem("alert at 80 %", "dba", "2026-12-01", True, "a"),
    )
    story.add(Kind.RETRACTED, "keep it", seq=gone.seq)
    assert [item.text for item in after(story).action_items] == ["alert at 80 %", "runbook"]


# Dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-11-21"),
        ("Tomorrow", "2026-11-22"),
        ("in 3 days", "2026-11-24"),
        ("in 1 day", "2026-11-22"),
        ("in 2 weeks", "2026-12-05"),
        ("sunday", "2026-11-22"),
        ("Sat", "2026-11-28"),
        ("next friday", "2026-11-27"),
        ("by 2026-12-01", "2026-12-01"),
    ],
)
def test_a_date_is_understood_as_people_say_it(said: str, day: str) -> None:
    assert due_date(said, TODAY).isoformat() == day


@pytest.mark.parametrize(
    "said",
    ["", "soon", "2026-13-01", "2026-11-20", "t", "in 0x3 days", "\x1b[2J", "९ days", "[/x]"],
)
def test_what_is_no_date_is_answered_in_one_line(said: str) -> None:
    with pytest.raises(ValueError, match=r"is no date; write tomorrow|is over already"):
        due_date(said, TODAY)


@given(st.text(max_size=30), st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_any_text_is_a_date_that_is_not_over_or_is_refused(text: str, today: date) -> None:
    try:
        assert due_date(text, today) >= today
    except ValueError as error:
        assert str(error)


@given(st.integers(0, 6), st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_a_weekday_is_the_next_one(number: int, today: date) -> None:
    name = f"{date(2026, 11, 16) + timedelta(days=number):%A}"
    found = due_date(name, today)
    assert found.weekday() == number
    assert 1 <= (found - today).days <= 7


# Conditions ----------------------------------------------------------------------------------


def why(condition: str, story: Chain, **facts: object) -> str:
    return reason(parsed(condition), Facts(after(story), **facts))  # type: ignore[arg-type]


def test_a_source_must_be_well_for_a_while() -> None:
    story = chain()
    assert why("api ok", story, well_for={"api": HELD_S - 1}) == ""
    assert why("api ok", story, well_for={"api": HELD_S}) == "api is ok"
    assert why("api ok", story, well_for={"db": 99.0}) == "", "nobody looked at it yet"
    both = {"api": 99.0, "db": None}
    assert why("every source ok", story, well_for=both) == ""
    assert why("every source ok", story, well_for={"api": 99.0}) == "every source is ok"
    assert why("every source ok", story) == "", "of nothing nothing is known"


def test_an_update_to_one_audience_says_nothing_of_another() -> None:
    story = chain()
    story.add(Kind.UPDATE, audience="chat", stage="initial", state="copied")
    assert why("update sent", story) == "chat told"
    assert why("update sent to Chat", story) == "chat was told"
    assert why("update sent to status page", story) == ""
    assert why("resolution told", story) == ""
    story.add(Kind.UPDATE, audience="chat", stage="resolved", state="sent")
    assert why("resolution told", story) == "chat told"


def test_a_severity_is_confirmed_by_setting_it_again() -> None:
    story = chain()
    assert why("severity confirmed", story) == ""
    story.add(Kind.SEVERITY, severity="P0", at=4)
    assert why("severity confirmed", story) == "P0 was set"


def test_action_items_are_owned_when_each_has_an_owner_and_a_date() -> None:
    story = chain()
    assert why("action items owned", story) == ""
    story.add(Kind.ACTION_ITEM, "alert", item="a", owner="dba")
    assert why("action items owned", story) == ""
    story.add(Kind.ACTION_ITEM, "alert", item="a", owner="dba", due="2026-12-01")
    assert why("action items owned", story) == "1 with owner and date"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_waited_for(name: str) -> None:
    story = chain()
    condition = f"{name.replace('_', ' ')} written"
    assert why(condition, story) == ""
    story.add(Kind.FIELD, "said", field=name)
    assert why(condition, story) == f"the {FIELDS[name]} is written"


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_is_refused_in_one_line(text: str) -> None:
    try:
        parsed(text)
    except ValueError as error:
        assert "nothing is known as" in str(error)
