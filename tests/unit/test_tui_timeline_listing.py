"""The timeline's list: what a filter lets through, kept up to date event by event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.events import Kind
from warroom.domain.timeline import Entry
from warroom.tui.screens.timeline.filters import FLAGS, Filter, author_of, haystack
from warroom.tui.screens.timeline.listing import START, Listing, place_of

BEGAN = datetime(2026, 11, 21, 13, tzinfo=UTC)


def entry(seq: int, text: str = "", minute: int | None = None, **said: Any) -> Entry:
    at = BEGAN + timedelta(minutes=seq if minute is None else minute)
    kind = said.pop("kind", Kind.NOTE)
    return Entry(seq, at, said.pop("author", "alice"), kind, text or f"entry {seq}", **said)


def listed(*entries: Entry, evidence: set[int] | None = None) -> Listing:
    listing = Listing()
    listing.load(sorted(entries, key=place_of), evidence or set())
    return listing


def seqs(listing: Listing) -> list[int]:
    return [entry.seq for entry in listing.shown]


# Filters --------------------------------------------------------------------------------------


def test_every_word_has_to_be_there_in_any_case_and_order() -> None:
    listing = listed(entry(1, "Pool exhausted"), entry(2, "pool"), entry(3, "EXHAUSTED Straße"))
    listing.apply(Filter(text="exhausted POOL"))
    assert seqs(listing) == [1]
    listing.apply(Filter(text="strasse"))
    assert seqs(listing) == [3]


def test_words_are_looked_for_in_author_kind_and_tags_too() -> None:
    listing = listed(
        entry(1, author="bob"),
        entry(2, kind=Kind.STATUS),
        entry(3, data={"tags": ["impact"]}),
        entry(4, kind=Kind.FIELD, data={"field": "root_cause"}),
    )
    for text, seq in (("bob", 1), ("status", 2), ("#impact", 3), ("root cause", 4)):
        listing.apply(Filter(text=text))
        assert seqs(listing) == [seq]


def test_conditions_are_met_all_of_them_and_of_one_sort_any() -> None:
    listing = listed(
        entry(1, starred=True),
        entry(2, kind=Kind.HEALTH),
        entry(3, kind=Kind.HEALTH, starred=True),
        entry(4, author="bob", data={"tags": ["action", "decision"]}),
        entry(5, kind=Kind.STATUS),
        evidence={5},
    )
    wanted = {
        Filter(starred=True): [1, 3],
        Filter(quiet=True): [1, 3, 4, 5],
        Filter(kinds=frozenset({"health", "status"})): [2, 3, 5],
        Filter(authors=frozenset({"warroom"})): [2, 3],
        Filter(authors=frozenset({"bob", "warroom"}), starred=True): [3],
        Filter(tags=frozenset({"decision", "impact"})): [4],
        Filter(evidence=True): [5],
        Filter(rivals=True): [],
    }
    for condition, expected in wanted.items():
        listing.apply(condition)
        assert seqs(listing) == expected, condition
    listing.apply(Filter())
    assert seqs(listing) == [1, 2, 3, 4, 5]


def test_a_tick_that_warroom_set_is_noise_and_one_by_a_person_is_not() -> None:
    by_itself = {"item": "verify.healthy", "done": True, "why": "every source is ok"}
    listing = listed(
        entry(1, kind=Kind.CHECKLIST, data=by_itself),
        entry(2, kind=Kind.CHECKLIST, data={"item": "assess.real", "done": True}),
        entry(3, kind=Kind.CHECKLIST, data=by_itself, starred=True),
    )
    listing.apply(Filter(quiet=True))
    assert seqs(listing) == [2, 3]


def test_every_condition_has_a_chip_that_takes_it_away() -> None:
    wanted = Filter(
        text="pool",
        kinds=frozenset({"note"}),
        authors=frozenset({"alice", "bob"}),
        tags=frozenset({"action"}),
        **{flag.id: True for flag in FLAGS},  # type: ignore[arg-type]
    )
    chips = wanted.chips()
    labels = [chip.label for chip in chips]
    assert labels[:5] == ["/pool", "note", "by alice", "by bob", "#action"]
    assert len(chips) == 5 + len(FLAGS)
    for chip in chips:
        wanted = wanted.toggled(chip.id)
    assert wanted == Filter()


WORDS = st.sampled_from(["pool", "po", "ol", "api", "down", "x", "übel", "alice", "#action", " "])
FILTERS = st.builds(
    Filter,
    text=st.lists(WORDS, max_size=3).map(" ".join),
    kinds=st.frozensets(st.sampled_from(["note", "health"]), max_size=1),
    starred=st.booleans(),
    evidence=st.booleans(),
    quiet=st.booleans(),
)
ENTRIES = st.builds(
    entry,
    st.integers(1, 12),
    st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
    st.integers(0, 9),
    kind=st.sampled_from([Kind.NOTE, Kind.HEALTH]),
    starred=st.booleans(),
    data=st.sampled_from([{}, {"tags": ["action"]}]),
)
STEPS = st.lists(
    st.one_of(
        FILTERS,
        ENTRIES,
        st.integers(-12, -1),  # the entry of that sequence is retracted
        st.frozensets(st.integers(1, 12), max_size=4),  # these have evidence
        st.just("warm"),
    ),
    max_size=30,
)


def as_it_should_be(
    entries: dict[int, Entry], wanted: Filter, evidence: frozenset[int]
) -> list[Entry]:
    return [
        one
        for one in sorted(entries.values(), key=place_of)
        if wanted.admits(one, evidence) and all(word in haystack(one) for word in wanted.words)
    ]


@given(st.lists(ENTRIES, max_size=12, unique_by=lambda one: one.seq), STEPS)
def test_whatever_happens_in_whatever_order_it_shows_what_it_would_anew(
    first: list[Entry], steps: list[object]
) -> None:
    listing = listed(*first)
    entries, evidence, wanted = {one.seq: one for one in first}, frozenset[int](), Filter()
    for step in steps:
        match step:
            case Filter():
                wanted = step
                listing.apply(step)
            case Entry():
                entries[step.seq] = step
                listing.take({step.seq: step})
            case int():
                entries.pop(-step, None)
                listing.take({-step: None})
            case frozenset():
                evidence = step
                listing.take({}, step)
            case _:
                listing.warm(2)
        assert list(listing.shown) == as_it_should_be(entries, wanted, evidence)
        assert listing.entries == sorted(entries.values(), key=place_of)


def test_many_changes_at_once_are_taken_as_one() -> None:
    listing = listed(*(entry(n) for n in range(1, 1001)))
    listing.apply(Filter(text="entry"))
    listing.take({n: entry(n, "gone quiet") for n in range(1, 901)})
    assert seqs(listing) == list(range(901, 1001))
    listing.apply(Filter(text="quiet"))
    assert len(listing.shown) == 900


# Places ---------------------------------------------------------------------------------------


def test_a_cursor_whose_entry_is_gone_is_on_its_neighbour() -> None:
    listing = listed(*(entry(n) for n in range(1, 6)))
    here = place_of(listing.shown[2])
    listing.take({3: None})
    assert listing.shown[listing.index(here)].seq == 4
    listing.take({4: None, 5: None})
    assert listing.shown[listing.index(here)].seq == 2
    assert listing.index(START) == 0
    assert Listing().index(here) == 0


def test_neighbours_are_hidden_entries_too() -> None:
    listing = listed(*(entry(n) for n in range(1, 4)))
    listing.apply(Filter(text="entry 1"))
    before, after = listing.neighbours(place_of(listing.shown[0]))
    assert (before and before.seq, after and after.seq) == (1, 2)


def test_choices_are_counted() -> None:
    listing = listed(
        entry(1), entry(2, author="bob"), entry(3, kind=Kind.HEALTH), entry(4, data={"tags": ["a"]})
    )
    assert listing.authors() == {"alice": 2, "bob": 1, "warroom": 1}
    assert listing.kinds() == {"note": 3, "health": 1}
    assert listing.tags() == {"a": 1}
    assert author_of(listing.entries[2]) == "warroom"
