"""Deadlines: counted from events alone, whatever is snoozed, told or changed in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, Chain
from warroom.domain.events import Kind
from warroom.domain.incident import incident_of
from warroom.domain.severity import SCHEMES
from warroom.domain.timers import Timer, elapsed, timers

SCHEME = SCHEMES["P0-P3"]


def at(chain: Chain, minute: float) -> dict[str, Timer]:
    """The timers by id, that many minutes after the beginning."""
    found = timers(incident_of(chain.events), SCHEME, chain.minute(minute))
    return {timer.id: timer for timer in found}


def opened(severity: str = "P1") -> Chain:
    chain = Chain()
    chain.open(severity=severity)
    return chain


def told(chain: Chain, minute: float, audience: str = "chat", state: str = "sent") -> None:
    chain.add(
        Kind.UPDATE, "told", at=minute, audience=audience, stage="update", state=state, channel="x"
    )


def minutes(timer: Timer) -> float:
    return timer.left / 60


# What is promised ----------------------------------------------------------------------------


def test_a_fresh_incident_counts_down_to_response_updates_and_the_ladder() -> None:
    assert {name: minutes(timer) for name, timer in at(opened(), 5).items()} == {
        "response": 10,
        "update": 25,
        "update:status page": 25,
        "escalation:2": 55,
        "escalation:3": 85,
    }


def test_the_most_urgent_comes_first_and_what_was_met_last() -> None:
    chain = opened()
    chain.status("identified", 3)
    found = [timer.id for timer in timers(incident_of(chain.events), SCHEME, chain.minute(4))]
    assert found[0] == "update:status page"
    assert found[-1] == "response"


def test_a_promise_that_is_past_is_overdue_until_it_is_kept() -> None:
    chain = opened()
    assert not at(chain, 15)["response"].overdue
    assert at(chain, 15.1)["response"].overdue
    chain.add(Kind.ROLE, at=18, role="responder", person="anna")
    met = at(chain, 60)["response"]
    assert (met.overdue, met.late, met.met_in) == (False, True, 18 * 60)


def test_an_update_restarts_the_timer_of_its_audience_and_the_one_for_anybody() -> None:
    chain = opened()
    told(chain, 20, "chat")
    after = at(chain, 25)
    assert minutes(after["update"]) == 25
    assert minutes(after["update:status page"]) == 5
    told(chain, 26, "Status page")
    assert minutes(at(chain, 26)["update:status page"]) == 30


def test_an_update_that_reached_nobody_restarts_nothing() -> None:
    chain = opened()
    told(chain, 10, state="failed")
    told(chain, 11, state="UNKNOWN")
    assert minutes(at(chain, 20)["update"]) == 10
    told(chain, 12, state="copied")
    assert minutes(at(chain, 20)["update"]) == 22


def test_another_severity_promises_its_own_cadence_from_then_on() -> None:
    chain = opened("P2")
    chain.add(Kind.SEVERITY, at=50, severity="P0")
    assert minutes(at(chain, 50)["update"]) == 15
    chain.add(Kind.SEVERITY, at=52, severity="P3")
    assert set(at(chain, 53)) == {"response"}


def test_the_ladder_begins_anew_with_each_progress_and_ends_with_the_mitigation() -> None:
    chain = opened("P0")
    assert minutes(at(chain, 10)["escalation:2"]) == 20
    chain.add(Kind.ROLE, at=12, role="incident commander", person="anna")
    chain.add(Kind.ROLE, at=13, role="scribe", person="ben")
    assert minutes(at(chain, 13)["escalation:2"]) == 29
    chain.status("identified", 20)
    assert minutes(at(chain, 20)["escalation:3"]) == 45
    chain.status("monitoring", 30)
    assert not any(name.startswith("escalation") for name in at(chain, 31))


def test_a_rung_that_was_called_is_off_the_list_until_the_ladder_begins_anew() -> None:
    chain = opened("P0")
    chain.add(Kind.SNOOZED, "called", at=31, timer="escalation:2", met=True)
    assert "escalation:2" not in at(chain, 32)
    assert "escalation:3" in at(chain, 32)
    chain.status("identified", 33)
    assert "escalation:2" in at(chain, 34)


def test_the_post_mortem_is_due_after_the_resolution_until_it_is_written() -> None:
    chain = opened()
    chain.add(Kind.EXPORTED, "a draft", at=5)
    chain.status("resolved", 40)
    due = at(chain, 100)
    assert set(due) == {"response", "post-mortem"}
    assert due["post-mortem"].left == 48 * 3600 - 3600
    chain.add(Kind.EXPORTED, "written", at=160)
    assert at(chain, 9000)["post-mortem"].met_in == 7200


def test_an_incident_closed_without_a_post_mortem_waits_for_none() -> None:
    chain = opened()
    chain.status("closed", 40)
    assert set(at(chain, 41)) == {"response"}


def test_a_severity_of_another_scheme_promises_nothing() -> None:
    assert at(opened("SEV1"), 5) == {}


# Snoozing ------------------------------------------------------------------------------------


def snoozed(chain: Chain, timer: str, minute: float, until: float) -> int:
    event = chain.add(
        Kind.SNOOZED, "later", at=minute, timer=timer, until=chain.minute(until).isoformat()
    )
    return event.seq


def test_a_snooze_puts_the_alarm_off_and_can_be_taken_back() -> None:
    chain = opened()
    seq = snoozed(chain, "update", 31, 41)
    later = at(chain, 35)["update"]
    assert (later.overdue, minutes(later), later.due) == (False, 6, chain.minute(30))
    assert at(chain, 42)["update"].overdue
    chain.add(Kind.RETRACTED, "no", at=36, seq=seq)
    assert at(chain, 36)["update"].overdue


def test_a_snooze_ends_with_the_round_that_it_was_for() -> None:
    chain = opened("P0")
    snoozed(chain, "update", 14, 44)
    told(chain, 20)
    assert minutes(at(chain, 20)["update"]) == 15
    snoozed(chain, "update:status page", 21, 90)
    chain.add(Kind.SEVERITY, at=22, severity="P1")
    assert minutes(at(chain, 22)["update:status page"]) == 30


def test_a_snooze_of_one_timer_leaves_the_others_alone() -> None:
    chain = opened()
    before = at(chain, 20)
    snoozed(chain, "update", 20, 60)
    after = at(chain, 20)
    assert {n for n in before if before[n] != after[n]} == {"update"}


hours = st.floats(0, 600)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("told"), hours, st.sampled_from(["chat", "status page"])),
        st.tuples(st.just("severity"), hours, st.sampled_from(["P0", "P1", "P2", "P3", "P9"])),
        st.tuples(st.just("status"), hours, st.sampled_from(["identified", "resolved", "closed"])),
        st.tuples(st.just("role"), hours, st.sampled_from(["scribe", "observer"])),
    ),
    max_size=6,
)


def lived(said: list[tuple[str, float, str]]) -> Chain:
    chain = opened()
    for kind, minute, word in said:
        match kind:
            case "told":
                told(chain, minute, word)
            case "severity":
                chain.add(Kind.SEVERITY, at=minute, severity=word)
            case "status":
                chain.status(word, minute)
            case "role":
                chain.add(Kind.ROLE, at=minute, role=word, person="anna")
    return chain


@settings(deadline=None)
@given(steps, hours, st.floats(0, 600))
def test_time_only_ever_takes_from_what_is_left(
    said: list[tuple[str, float, str]], minute: float, more: float
) -> None:
    chain = lived(said)
    early, late = at(chain, minute), at(chain, minute + more)
    assert early.keys() == late.keys(), "time alone neither makes a timer nor takes one away"
    for name, timer in early.items():
        assert late[name].left <= timer.left
        assert late[name].overdue or not timer.overdue
        assert timer.met_in is None or timer.met_in >= 0


@settings(deadline=None)
@given(steps, hours, st.sampled_from(["response", "update", "update:status page", "escalation:2"]),
       st.floats(-600, 1200))  # fmt: skip
def test_a_snooze_only_ever_delays(
    said: list[tuple[str, float, str]], minute: float, name: str, until: float
) -> None:
    chain = lived(said)
    before = at(chain, minute)
    snoozed(chain, name, minute, until)
    after = at(chain, minute)
    assert before.keys() == after.keys()
    assert all(after[one].left >= before[one].left for one in before)
    assert all(after[one].due == before[one].due for one in before)


# Nights when clocks change -------------------------------------------------------------------


def test_a_night_that_gains_or_loses_an_hour_moves_no_deadline() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for opening in (
        datetime(2026, 10, 25, 2, 50, tzinfo=berlin),  # 02:50 is there twice; the first
        datetime(2026, 3, 29, 1, 50, tzinfo=berlin),  # ten minutes before 02:00 becomes 03:00
    ):
        chain = Chain(begin=opening)
        chain.open(severity="P0")
        after = (opening.astimezone(UTC) + timedelta(minutes=12)).astimezone(berlin)
        found = timers(incident_of(chain.events), SCHEME, after)
        left = {timer.id: minutes(timer) for timer in found}
        assert (left["response"], left["update"]) == (-7, 3)
        assert elapsed(incident_of(chain.events), after) == 12 * 60


def test_the_same_events_give_the_same_timers_to_whoever_reads_them_anew() -> None:
    chain = opened()
    told(chain, 7)
    snoozed(chain, "response", 8, 30)
    now = BEGIN + timedelta(minutes=20)
    again = Chain()
    again.events = list(chain.events)
    assert timers(incident_of(chain.events), SCHEME, now) == timers(
        incident_of(again.events), SCHEME, now
    )
