"""An event is sealed such that every store gives it back as it was, and a change is found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, ONCALL, Chain, draft, opening
from warroom.domain.corrections import instant_of
from warroom.domain.events import Author, Draft, Event, Kind, broken, digest, event_id, plain, seal

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=10,
)


def sealed(made: Draft) -> Event:
    return seal("id", "INC-2026-11-21-001", 1, BEGIN, made, "")


@settings(deadline=None)
@given(st.dictionaries(st.text(), anything))
def test_data_is_what_json_gives_back(data: dict[str, Any]) -> None:
    stored = sealed(Draft(Kind.NOTE, BEGIN, ONCALL, "", data)).data
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_text_can_be_encoded_whatever_was_typed(text: str) -> None:
    event = sealed(Draft(Kind.NOTE, BEGIN, Author(text, 1, text), text, {text: text}))
    assert "\0" not in event.text + event.author.login
    assert len(event.text.encode().decode()) == len(text)
    assert list(event.data) == [event.text] == [event.author.origin]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "other"),
        ("incident", "INC-2026-11-21-002"),
        ("seq", 2),
        ("at", BEGIN + timedelta(microseconds=1)),
        ("recorded_at", BEGIN + timedelta(microseconds=1)),
        ("author", Author("oncall", 0, "192.0.2.7")),
        ("kind", Kind.EVIDENCE),
        ("text", "restarted  web"),
        ("data", {"source": "api"}),
        ("starred", True),
        ("internal", True),
        ("previous", "00"),
    ],
)
def test_the_digest_covers_every_field(field: str, value: Any) -> None:
    event = sealed(draft(Kind.NOTE, "restarted web", source="web"))
    assert digest(event._replace(**{field: value})) != event.digest


def test_times_are_kept_in_utc_and_one_without_a_zone_is_refused() -> None:
    berlin = timezone(timedelta(hours=1))
    local = Draft(Kind.NOTE, datetime(2026, 11, 21, 14, 30, tzinfo=berlin), ONCALL, "")
    assert sealed(local).at.isoformat() == "2026-11-21T13:30:00+00:00"
    with pytest.raises(ValueError, match="does not say its zone"):
        sealed(replace(local, at=BEGIN.replace(tzinfo=None)))


def test_what_json_cannot_hold_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        plain(nested)
    with pytest.raises(TypeError, match="of type object"):
        plain({"a": object()})


def chain_of_four() -> list[Event]:
    chain = Chain()
    chain.open()
    for number in range(3):
        chain.add(Kind.NOTE, f"note {number}", at=number)
    return chain.events


def test_a_chain_holds_until_something_in_it_is_changed_dropped_or_swapped() -> None:
    events = chain_of_four()
    assert broken(events) == 0
    assert broken([*events[:2], events[2]._replace(text="nothing happened"), events[3]]) == 3
    assert broken([events[0], events[2], events[3]]) == 2
    assert broken([events[0], events[2], events[1], events[3]]) == 2
    assert broken(events[1:]) == 1


def test_a_forged_entry_with_a_digest_of_its_own_breaks_the_chain_after_it() -> None:
    events = chain_of_four()
    forged = events[1]._replace(text="nothing happened")
    forged = forged._replace(digest=digest(forged))
    assert broken([events[0], forged, *events[2:]]) == 3


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    ids = [event_id(BEGIN + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert {(name[14], name[19] in "89ab", len(name)) for name in ids} == {("7", True, 36)}
    assert event_id(datetime(1969, 7, 20, tzinfo=UTC))[14] == "7"


def test_an_opening_keeps_its_scheme_and_severity() -> None:
    assert sealed(opening()).data == {"scheme": "P0-P3", "severity": "P2"}


@pytest.mark.parametrize("year", [1, 2, 9998, 9999])
def test_a_time_at_the_end_of_the_calendar_is_refused_because_no_zone_can_show_it(
    year: int,
) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="the end of the calendar"):
        seal("id", "INC-1", 1, BEGIN, draft(Kind.NOTE, "long ago", at), "")
    with pytest.raises(ValueError, match="the end of the calendar"):
        seal("id", "INC-1", 1, at, draft(Kind.NOTE, "a clock gone wrong"), "")
    assert instant_of(at.isoformat()) is None
