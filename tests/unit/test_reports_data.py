"""The data of an incident: complete and checked as JSON, safe for spreadsheets as CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, Chain
from tests.unit.incidents import outage
from warroom.domain.events import Kind
from warroom.domain.readings import Reading
from warroom.domain.text import harmless
from warroom.domain.timeline import Timeline, project
from warroom.reports import FORMATS, OUTSIDE, POSTMORTEMS, SUFFIXES
from warroom.reports.data import COLUMNS, from_json, to_csv, to_json
from warroom.reports.errors import BadExport


def timeline_of(chain: Chain) -> Timeline:
    return project(chain.events, BEGIN + timedelta(hours=2))


def exported(chain: Chain) -> str:
    return to_json(chain.events, timeline_of(chain))


def rows_of(chain: Chain) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(timeline_of(chain)), newline="")))


def test_the_events_of_an_export_are_those_of_the_journal() -> None:
    chain = outage()
    assert list(from_json(exported(chain)).events) == chain.events


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(alphabet=st.characters()), st.floats()), max_size=4))
def test_whatever_was_written_survives_the_export(notes: list[tuple[str, float]]) -> None:
    chain = Chain()
    chain.open()
    for text, figure in notes:
        chain.add(Kind.NOTE, text, by=text, figure=figure, key=text)
    assert list(from_json(exported(chain)).events) == chain.events


def test_a_number_too_large_for_a_machine_word_is_kept_to_its_last_digit() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.NOTE, "counted", offset=2**64 + 1, below=-(2**63) - 1)
    assert from_json(exported(chain)).events[-1].data == {
        "offset": 2**64 + 1, "below": -(2**63) - 1,
    }  # fmt: skip


def test_an_export_says_what_the_events_add_up_to() -> None:
    document = json.loads(exported(outage()))
    assert document["version"] == 1
    assert document["incident"]["severity"] == "P1"
    assert document["incident"]["roles"]["incident commander"] == ["bob"]
    assert document["incident"]["action_items"][0]["done"] is True
    assert document["durations"]["resolve"] == 50 * 60
    assert document["time_in_severity"] == {"P2": 120, "P1": 48 * 60}
    assert len(document["events"]) > len(document["timeline"])
    assert "hunter2" not in json.dumps(document["timeline"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not an export of an incident: "),
        ("[]", "not an export of an incident: "),
        ('{"version": 2, "events": []}', "an export of version 2; known: 1"),
        ('{"version": 1, "events": [{"id": 1}]}', "not an export of an incident: "),
        ("[" * 100_000, "not an export of an incident: "),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(text: str, fault: str) -> None:
    with pytest.raises(BadExport) as refused:
        from_json(text)
    assert str(refused.value).startswith(fault)
    assert "\n" not in str(refused.value)


def test_a_changed_export_is_refused_with_the_entry() -> None:
    changed = exported(outage()).replace('"About 500 orders', '"About 5 orders')
    with pytest.raises(BadExport, match="entry 19 does not fit"):
        from_json(changed)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["9999-12-31T23:59:59-12:00", "\ud800", "note", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip
PLACES = [
    (), ("version",), ("events",), ("events", 0), ("readings",), ("readings", 0), ("exported",),
    ("exported", "by"), ("readings", 0, "metrics"), ("readings", 0, "at"),
    *(("events", 2, name) for name in ("id", "seq", "at", "author", "kind", "text", "data",
                                       "starred", "internal", "previous", "digest")),
    ("events", 2, "author", "uid"),
]  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(PLACES), json_values)
def test_whatever_stands_anywhere_in_an_export_is_read_or_refused_in_one_line(
    place: tuple[str | int, ...], value: object
) -> None:
    chain = outage()
    reading = Reading("web", chain.begin, {"p95": 1.5})
    document = json.loads(to_json(chain.events, timeline_of(chain), [reading]))
    within = document
    for step in place[:-1]:
        within = within[step]
    if place:
        within[place[-1]] = value
    else:
        document = value
    try:
        held = from_json(json.dumps(document))
    except BadExport as error:
        assert "\n" not in str(error)
    else:
        assert list(held.events) == chain.events


def test_the_sheet_has_a_line_an_entry_whatever_the_text_holds() -> None:
    chain = Chain()
    chain.open('quotes " and, commas')
    chain.add(Kind.NOTE, "two\nlines", at=1, by="o'brien", starred=True)
    chain.add(Kind.HEALTH, "web down", at=2)
    rows = rows_of(chain)
    assert list(rows[0]) == list(COLUMNS)
    assert [row["text"] for row in rows] == ['quotes " and, commas', "two\nlines", "web down"]
    assert [row["machine"] for row in rows] == ["no", "no", "yes"]
    assert (rows[1]["at"], rows[1]["starred"]) == ("2026-11-21T13:31:00+00:00", "yes")


def test_the_sheet_ends_its_lines_as_rfc_4180_says() -> None:
    text = to_csv(timeline_of(outage()))
    assert text.startswith("seq,at,author,machine,kind,starred,internal,edited,text\r\n")
    assert text.endswith("\r\n")


@pytest.mark.parametrize(
    "text",
    ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "=cmd|'/c calc'!A1"],
)
def test_no_cell_is_a_formula(text: str) -> None:
    chain = Chain()
    chain.open(text)
    chain.add(Kind.NOTE, text, by=text)
    for row in rows_of(chain):
        for cell in row.values():
            assert cell[0] not in "=+-@＝＋－＠\t\r"


@settings(deadline=None)
@given(st.text())
def test_the_text_of_a_cell_is_got_back_by_taking_one_apostrophe_off(text: str) -> None:
    chain = Chain()
    chain.open(text)
    (row,) = rows_of(chain)
    assert row["text"].removeprefix("'") == harmless(chain.events[0].text, lines=True)


def test_the_formats_are_those_there_are() -> None:
    assert set(FORMATS) == set(SUFFIXES) == {"md", "html", "json", "csv", "bundle"}
    assert POSTMORTEMS < set(FORMATS) > OUTSIDE
