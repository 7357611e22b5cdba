"""What is computed for a report: who did what, what was promised and kept, what is missing."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.unit.chains import Chain
from tests.unit.incidents import night_with_evidence, outage
from warroom.domain.checklist import DEFAULT
from warroom.domain.events import Kind
from warroom.domain.severity import SCHEMES, Audience, Scheme, SeverityLevel
from warroom.domain.timeline import Timeline, mitigation_runs, project
from warroom.reports.doings import (
    Promise,
    figures,
    key_moments,
    people,
    promises,
    undone,
)
from warroom.reports.lint import missing
from warroom.reports.report import Report

MINUTE = 60.0
PAGE = "status page"
SCHEME = Scheme(
    "P0-P3",
    (
        SeverityLevel("P0", "", None, 10 * MINUTE, audiences=(Audience(PAGE, 20 * MINUTE),)),
        SeverityLevel("P1", "", None, 30 * MINUTE),
        SeverityLevel("P3", "", None, None),
    ),
)


def timeline_of(chain: Chain, at: float = 75) -> Timeline:
    return project(chain.events, chain.minute(at))


def promised(chain: Chain, at: float = 75, scheme: Scheme = SCHEME) -> dict[str, Promise]:
    found = promises(timeline_of(chain, at), scheme, chain.minute(at))
    return {promise.audience: promise for promise in found}


def told(chain: Chain, at: float, audience: str = "chat", state: str = "sent") -> None:
    chain.add(Kind.UPDATE, "update", at=at, audience=audience, state=state)


def test_updates_in_time_are_all_on_time() -> None:
    chain = Chain()
    chain.open(severity="P1")
    for minute in (25, 50, 79):
        told(chain, minute)
    chain.status("resolved", 100)
    assert promised(chain, 200) == {"": Promise("", 4, 4, (), 0.0)}


def test_a_late_update_says_by_how_much() -> None:
    chain = Chain()
    chain.open(severity="P1")
    told(chain, 42)
    chain.status("resolved", 60)
    assert promised(chain)[""] == Promise("", 2, 1, (12 * MINUTE,), 0.0)


def test_a_silence_that_still_lasts_is_missing() -> None:
    chain = Chain()
    chain.open(severity="P1")
    told(chain, 20)
    assert promised(chain, 75)[""] == Promise("", 1, 1, (), 25 * MINUTE)


def test_who_raises_the_severity_brings_the_update_forward() -> None:
    chain = Chain()
    chain.open(severity="P1")
    chain.add(Kind.SEVERITY, at=15, severity="P0")
    told(chain, 21)  # ten minutes after the opening had passed when it became P0
    assert promised(chain, 22)[""].late == (6 * MINUTE,)


def test_who_lowers_it_owes_nothing_more() -> None:
    chain = Chain()
    chain.open(severity="P1")
    chain.add(Kind.SEVERITY, at=15, severity="P3")
    assert promised(chain, 500)[""] == Promise("", 0, 0, (), 0.0)


def test_every_audience_has_a_promise_of_its_own_and_failures_do_not_count() -> None:
    chain = Chain()
    chain.open(severity="P0")
    told(chain, 5, PAGE.title())
    told(chain, 9, "chat")
    told(chain, 12, PAGE, "failed")
    found = promised(chain, 18)
    assert found[""] == Promise("", 2, 2, (), 0.0)
    assert found[PAGE] == Promise(PAGE, 1, 1, (), 0.0)
    assert promised(chain, 26)[PAGE].silent == MINUTE


def test_a_scheme_that_is_not_the_incidents_promises_nothing() -> None:
    chain = Chain()
    chain.open(severity="P1")
    assert promised(chain, scheme=SCHEMES["P1-P4"]) == {}


def test_who_did_what() -> None:
    by_name = {person.name: person for person in people(timeline_of(night_with_evidence()))}
    alice, carol = by_name["alice"], by_name["carol"]
    assert (alice.entries, alice.mitigations, alice.updates) == (5, 1, 0)
    assert (carol.entries, carol.mitigations, carol.updates) == (2, 0, 1)
    held = {person.name: person.roles for person in people(timeline_of(outage()))}
    assert held["carol"] == ("scribe",)
    assert held["alice"] == held["bob"] == ("incident commander",)


def test_what_warroom_wrote_by_itself_makes_no_person_of_it() -> None:
    chain = Chain()
    chain.open()
    chain.add(
        Kind.CHECKLIST, "done", by="warroom", item="mitigate.evidence", done=True, why="pinned"
    )
    chain.add(Kind.STATUS, "a regression", by="warroom", status="investigating")
    chain.add(Kind.NOTE, "seen", by="bob")
    assert [person.name for person in people(timeline_of(chain))] == ["oncall", "bob"]


def test_a_mitigation_has_its_figures_before_and_after_what_moved_first() -> None:
    (run,) = mitigation_runs(timeline_of(night_with_evidence()).entries)
    assert [(f.metric, f.before, f.after) for f in figures(run)] == [
        ("waiting", 7.0, 0.0), ("active", 9.0, 9.0),
    ]  # fmt: skip


@pytest.mark.parametrize("data", [{}, {"before": 7}, {"before": {"a": "x"}, "after": {"a": 1}},
                                  {"before": {"a": True}, "after": {"a": 1}}])  # fmt: skip
def test_figures_that_are_none_are_passed_over(data: dict[str, object]) -> None:
    chain = Chain()
    chain.open()
    request = chain.add(Kind.REQUESTED, "x")
    chain.add(Kind.EFFECT, "x", request=request.seq, **data)
    (run,) = mitigation_runs(timeline_of(chain).entries)
    assert figures(run) == []


def test_key_moments_are_what_was_starred_tagged_or_turned_it() -> None:
    texts = [entry.text for entry in key_moments(timeline_of(night_with_evidence()).entries)]
    assert "everything waits for 411, see [E1]" in texts
    assert "status → resolved" in texts
    assert "End 411: pg_terminate_backend" not in texts


def test_what_nobody_ticked_is_left_undone() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.CHECKLIST, "done", item="assess.real")
    left = {item.id for item in undone(timeline_of(chain).incident, DEFAULT)}
    assert left == {item.id for item in DEFAULT} - {"assess.real"}


def lacking(chain: Chain) -> list[str]:
    report = Report(timeline_of(chain), ZoneInfo("UTC"), SCHEMES["P0-P3"])
    return missing(report)


def test_everything_that_is_missing_is_named() -> None:
    chain = Chain()
    chain.open(severity="P1")
    chain.add(Kind.ACTION_ITEM, "alert at 80%", owner="dba")
    chain.add(Kind.ACTION_ITEM, "own the pools")
    chain.add(Kind.HYPOTHESIS, "hypothesis: the pool", hypothesis="h")
    note = chain.add(Kind.NOTE, "one")
    chain.add(Kind.AMENDED, "two", at=1, by="bob", seq=note.seq, base=note.seq)
    chain.add(Kind.AMENDED, "three", at=1, by="eve", seq=note.seq, base=note.seq)
    assert lacking(chain) == [
        "nothing is said yet about: summary",
        "nothing is said yet about: impact",
        "nothing is said yet about: root cause",
        "nothing is said yet about: resolution",
        "nothing is said yet about: lessons",
        "action item without due date: alert at 80%",
        "action item without owner and due date: own the pools",
        "nobody was incident commander",
        "the incident is not resolved: investigating",
        "hypothesis neither ruled out nor confirmed: the pool",
        "2 versions of one entry, nobody chose: three",
        "no update was sent to whoever is told, although the severity promises them",
        "no update was sent to status page, although the severity promises them",
    ]


def test_of_a_post_mortem_that_is_done_nothing_is_missing() -> None:
    chain = Chain()
    chain.open(severity="P3")
    chain.add(Kind.ROLE, role="incident commander", person="alice")
    for name in ("summary", "impact", "root_cause", "resolution", "lessons"):
        chain.add(Kind.FIELD, "said", field=name)
    chain.add(Kind.ACTION_ITEM, "do it", owner="alice", due="2026-12-01")
    chain.add(Kind.ACTION_ITEM, "was done", done=True)
    chain.status("resolved", 10)
    assert lacking(chain) == []


def test_what_is_missing_is_one_harmless_line_each() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.ACTION_ITEM, "\x1b[31m\n[/x]" + "y" * 1000)
    (line,) = (line for line in lacking(chain) if line.startswith("action item"))
    assert "\x1b" not in line and "\n" not in line and len(line) < 120
