"""What an incident's events add up to, corrections made, whatever they hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, Chain
from warroom.domain.checklist import DEFAULT, Phase, progress
from warroom.domain.events import CORRECTIONS, Kind
from warroom.domain.incident import ActionItem, Role, Status, advance, incident_of
from warroom.domain.timeline import project

values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
words = st.sampled_from(
    [*Status, *Role, "P1", "P9", "ok", "down", "started", "2026-11-21T13:00", "99", "0001-01-01"]
)
keys = st.sampled_from(
    ["seq", "at", "status", "severity", "role", "person", "item", "done", "field", "data",
     "starred", "internal", "request", "state", "verdict", "owner", "due", "after", "target", "zzz"]
)  # fmt: skip
numbers = st.integers(0, 8)
any_data = st.dictionaries(
    keys, values | words | numbers | st.lists(values, max_size=2) | st.dictionaries(keys, words)
)
any_event = st.tuples(
    st.sampled_from(list(Kind)), words | st.text(max_size=9), any_data, st.floats(-90, 90)
)


def story(steps: list[tuple[Kind, str, dict[str, Any], float]]) -> Chain:
    chain = Chain()
    chain.open()
    for kind, text, data, at in steps:
        event = chain.add(kind, text, at=at)
        event.data.update(data)  # type: ignore[attr-defined]
    return chain


@settings(deadline=None)
@given(st.lists(any_event, max_size=8))
def test_any_events_after_an_opening_make_a_timeline(
    steps: list[tuple[Kind, str, dict[str, Any], float]],
) -> None:
    chain = story(steps)
    timeline = project(chain.events, chain.minute(30))
    took = timeline.durations
    assert all(
        s is None or s >= 0 for s in (took.detect, took.acknowledge, took.mitigate, took.resolve)
    )
    assert all(seconds >= 0 for seconds in timeline.time_in_status.values())
    assert list(timeline.entries) == sorted(timeline.entries, key=lambda e: (e.at, e.seq))


@settings(deadline=None)
@given(st.lists(any_event.filter(lambda step: step[0] not in CORRECTIONS), max_size=8))
def test_one_event_at_a_time_comes_to_the_same_incident(
    steps: list[tuple[Kind, str, dict[str, Any], float]],
) -> None:
    chain = story(steps)
    incident = incident_of(chain.events[:1])
    for event in chain.events[1:]:
        incident = advance(incident, event)
    assert incident == incident_of(chain.events)


def test_without_an_opening_there_is_no_incident() -> None:
    chain = Chain()
    chain.add(Kind.NOTE, "too early")
    with pytest.raises(ValueError, match="starts with an event of kind 'opened'"):
        incident_of(chain.events)


def test_the_life_of_an_incident_leaves_its_times() -> None:
    chain = Chain()
    chain.open()
    chain.status("identified", 3)
    chain.status("mitigating", 6)
    chain.status("monitoring", 10)
    chain.status("resolved", 40)
    chain.status("closed", 50)
    incident = incident_of(chain.events)
    assert incident.acknowledged_at == chain.minute(3)
    assert incident.mitigated_at == chain.minute(10)
    assert incident.resolved_at == chain.minute(40)
    assert incident.closed_at == chain.minute(50)
    assert not incident.is_open


def test_going_back_to_work_takes_back_that_it_was_mitigated_and_resolved() -> None:
    chain = Chain()
    chain.open()
    chain.status("resolved", 10)
    chain.status("investigating", 20)
    incident = incident_of(chain.events)
    assert (incident.mitigated_at, incident.resolved_at) == (None, None)
    chain.status("monitoring", 30)
    chain.status("resolved", 35)
    chain.status("resolved", 36)
    incident = incident_of(chain.events)
    assert incident.mitigated_at == chain.minute(30)
    assert incident.resolved_at == chain.minute(35)


def test_there_is_one_commander_and_a_handover_replaces_them() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.ROLE, role="incident commander", person="alice")
    chain.add(Kind.ROLE, role="incident commander", person="bob")
    chain.add(Kind.ROLE, role="responder", person="carol")
    chain.add(Kind.ROLE, role="responder", person="dave")
    chain.add(Kind.ROLE, role="responder", person="carol")
    incident = incident_of(chain.events)
    assert incident.commander == "bob"
    assert incident.roles[Role.RESPONDER] == ("dave", "carol")


def test_watching_does_not_acknowledge_an_incident_but_working_does() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.ROLE, role="observer", person="eve", at=1)
    assert incident_of(chain.events).acknowledged_at is None
    chain.add(Kind.ROLE, role="scribe", person="eve", at=2)
    assert incident_of(chain.events).acknowledged_at == chain.minute(2)


def test_a_retracted_status_was_never_said() -> None:
    chain = Chain()
    chain.open()
    chain.status("mitigating", 5)
    wrong = chain.status("resolved", 6)
    chain.add(Kind.RETRACTED, "wrong window", at=7, seq=wrong.seq)
    incident = incident_of(chain.events)
    assert (incident.status, incident.resolved_at) == (Status.MITIGATING, None)


def test_a_retraction_can_be_taken_back() -> None:
    chain = Chain()
    chain.open()
    said = chain.status("resolved", 6)
    retraction = chain.add(Kind.RETRACTED, "not yet", at=7, seq=said.seq)
    chain.add(Kind.RETRACTED, "it was after all", at=8, seq=retraction.seq)
    assert incident_of(chain.events).status is Status.RESOLVED


def test_an_amended_status_keeps_its_meaning_and_moves_in_time() -> None:
    chain = Chain()
    chain.open()
    said = chain.status("resolved", 30)
    amendment = chain.add(Kind.AMENDED, "fixed by then", at=32, seq=said.seq)
    amendment.data["at"] = chain.minute(20).isoformat()  # type: ignore[index]
    incident = incident_of(chain.events)
    assert (incident.status, incident.resolved_at) == (Status.RESOLVED, chain.minute(20))


def test_the_opening_can_be_amended_but_not_retracted() -> None:
    chain = Chain()
    first = chain.open("Chekout")
    chain.add(Kind.AMENDED, "Checkout", seq=first.seq)
    chain.add(Kind.RETRACTED, "never mind", seq=first.seq)
    assert incident_of(chain.events).title == "Checkout"


def test_an_action_item_is_done_by_an_amendment_of_its_data() -> None:
    chain = Chain()
    chain.open()
    item = chain.add(Kind.ACTION_ITEM, "alert on connections", owner="dba", due="2026-12-01")
    chain.add(Kind.AMENDED, seq=item.seq, data={"done": True})
    assert incident_of(chain.events).action_items == (
        ActionItem("alert on connections", "dba", "2026-12-01", done=True, id=item.id),
    )


def test_a_correction_of_what_comes_later_or_of_nothing_changes_nothing() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.RETRACTED, "?", seq=3)
    chain.add(Kind.NOTE, "stays")
    chain.add(Kind.AMENDED, "?", seq="3")
    texts = [entry.text for entry in project(chain.events, BEGIN + timedelta(hours=1)).entries]
    assert texts == ["Checkout 5xx", "stays"]


def test_the_checklist_counts_ticks_of_its_own_items_by_phase() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.CHECKLIST, item="assess.real", done=True)
    chain.add(Kind.CHECKLIST, item="assess.scope", done=True)
    chain.add(Kind.CHECKLIST, item="assess.scope", done=False)
    chain.add(Kind.CHECKLIST, item="no such item", done=True)
    done = progress(DEFAULT, incident_of(chain.events).ticked)
    assert (done.done, done.total) == (1, len(DEFAULT))
    assert [item.phase for item in DEFAULT] == sorted(
        (item.phase for item in DEFAULT), key=list(Phase).index
    )
    assert len({item.id for item in DEFAULT}) == len(DEFAULT)
