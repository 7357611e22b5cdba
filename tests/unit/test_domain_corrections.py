"""Corrections: what still holds, which versions there are, and who had not seen whose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import Chain
from warroom.domain.corrections import Corrections, standing
from warroom.domain.events import CORRECTIONS, Event, Kind
from warroom.domain.evidence import Evidence, EvidenceKind, evidence_of
from warroom.domain.timeline import Projection, project


def corrections_of(chain: Chain) -> Corrections:
    corrections = Corrections()
    corrections.add(chain.events)
    return corrections


@pytest.mark.parametrize(("retractions", "holds"), [(0, True), (1, False), (2, True), (3, False)])
def test_a_retraction_of_a_retraction_brings_the_entry_again(retractions: int, holds: bool) -> None:
    chain = Chain()
    chain.open()
    last = note = chain.add(Kind.NOTE, "first complaint")
    for _ in range(retractions):
        last = chain.add(Kind.RETRACTED, "by mistake", seq=last.seq)
    assert corrections_of(chain).holds(note.seq) is holds
    assert (note in standing(chain.events)) is holds


def test_thousands_of_retractions_of_each_other_are_no_deep_recursion() -> None:
    chain = Chain()
    chain.open()
    last = chain.add(Kind.NOTE, "first complaint")
    for _ in range(3000):
        last = chain.add(Kind.RETRACTED, "", seq=last.seq)
    assert corrections_of(chain).holds(2)


def test_every_version_is_kept_with_who_wrote_it() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "db slow", by="anna")
    chain.add(Kind.AMENDED, "database slow", by="bert", seq=note.seq, base=note.seq)
    chain.add(Kind.AMENDED, "", by="carl", seq=note.seq, starred=True)
    versions = corrections_of(chain).versions(note.seq)
    assert [(v.author, v.text) for v in versions] == [
        ("anna", "db slow"),
        ("bert", "database slow"),
    ]


def test_of_three_who_edit_the_same_version_two_are_rivals_until_somebody_saw_all() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "db slow")
    for name in ("anna", "bert", "carl"):
        chain.add(Kind.AMENDED, f"{name}'s", by=name, seq=note.seq, base=note.seq)
    corrections = corrections_of(chain)
    assert [v.text for v in corrections.rivals(note.seq)] == ["anna's", "bert's"]
    chain.add(Kind.AMENDED, "all of it", seq=note.seq, base=corrections.base(note.seq))
    assert corrections_of(chain).rivals(note.seq) == ()


def test_whoever_says_the_same_is_no_rival() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "db slow")
    for name in ("anna", "bert"):
        chain.add(Kind.AMENDED, "the database is slow", by=name, seq=note.seq, base=note.seq)
    assert corrections_of(chain).rivals(note.seq) == ()


EVENTS = st.lists(
    st.tuples(st.sampled_from(list(Kind)), st.integers(0, 12), st.integers(-30, 30), st.booleans()),
    max_size=20,
)


def story(steps: list[tuple[Kind, int, int, bool]]) -> list[Event]:
    chain = Chain()
    chain.open()
    for kind, number, minute, flag in steps:
        data: dict[str, object] = {"seq": number, "to": number, "base": number}
        data |= {"merged": [number], "starred": flag, "data": {"merged": [number]}}
        data |= {"evidence": [{"kind": "rows", "title": "t", "text": str(number)}]} if flag else {}
        data |= {"severity": f"P{number % 4}", "status": "resolved" if flag else "mitigating"}
        chain.add(kind, f"{kind} {number}", at=minute)
        chain.events[-1].data.update(data)  # type: ignore[attr-defined]
    return chain.events


@settings(deadline=None, max_examples=100)
@given(EVENTS, st.integers(1, 5))
def test_event_by_event_and_all_at_once_come_to_the_same_timeline(
    steps: list[tuple[Kind, int, int, bool]], pieces: int
) -> None:
    events = story(steps)
    now = events[0].at
    projection = Projection()
    for at in range(0, len(events), pieces):
        projection.add(events[at : at + pieces])
    timeline = projection.timeline(now)
    assert timeline == project(events, now)
    held = {event.seq for event in standing(events) if event.kind not in CORRECTIONS}
    assert {entry.seq for entry in timeline.entries} <= held


def test_evidence_comes_back_as_it_was_kept() -> None:
    at = Chain().begin
    whole = Evidence(
        EvidenceKind.PANE, "redis", "a\nb", "cache", "web1", "filter x", at, at,
        ((("a", "down bold"), ("b", "")), ()),
    )  # fmt: skip
    assert evidence_of({"evidence": [whole.as_data()]}) == (whole,)


@pytest.mark.parametrize(
    "data",
    [{"evidence": "x"}, {"evidence": [1, None, "x"]}, {"evidence": {"before": 1}}, {}],
)
def test_what_is_no_evidence_is_passed_over(data: dict[str, object]) -> None:
    assert evidence_of(data) == ()


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["kind", "title", "text", "picture", "begin", "x"]), x
            )
        ),
    )
)
def test_any_table_is_read_as_evidence_without_a_fault(value: object) -> None:
    for one in evidence_of({"evidence": [value]}):
        assert isinstance(one.as_data(), dict)


def test_what_is_too_long_is_cut_and_says_so() -> None:
    kept = Evidence(EvidenceKind.OUTPUT, "log", "x" * 2_000_000).as_data()["text"]
    assert len(kept) < 1_100_000
    assert kept.endswith("it had 2,000,000 characters")


def test_a_correction_of_what_is_not_there_is_about_nothing() -> None:
    """Whoever reads only some kinds of events has corrections of entries that were passed over."""
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "db slow")
    amended = chain.add(Kind.AMENDED, "database slow", seq=note.seq)
    chain.add(Kind.RETRACTED, "undone", seq=amended.seq)
    some = [event for event in chain.events if event.kind is not Kind.NOTE]
    corrections = Corrections()
    assert corrections.add(some) == ()
    assert [event.kind for event in standing(some)] == [Kind.OPENED]


@pytest.mark.parametrize("kind", [Kind.RETRACTED, Kind.AMENDED])
def test_a_long_chain_of_corrections_costs_what_it_is_long(kind: Kind) -> None:
    """Somebody's export may hold a hundred thousand; with its square this would take an hour."""
    chain = Chain()
    chain.open()
    last = chain.add(Kind.NOTE, "first complaint")
    for _ in range(60_000):
        last = chain.add(kind, "", seq=last.seq)
    assert Projection(chain.events).last == 60_002


def test_thousands_of_rivals_cost_what_they_are_many() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "first complaint")
    for number in range(30_000):
        chain.add(Kind.AMENDED, f"version {number}", seq=note.seq, base=1)
    assert len(corrections_of(chain).rivals(note.seq)) == 30_000
