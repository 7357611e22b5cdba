"""The timeline: entries by when they happened, and the times that follow from them."""

from __future__ import annotations

from typing import Any

from tests.unit.chains import Chain
from warroom.domain.events import Event, Kind
from warroom.domain.incident import Status
from warroom.domain.timeline import Timeline, mitigation_runs, project


def amend(chain: Chain, event: Event, text: str = "", **changes: Any) -> None:
    chain.add(Kind.AMENDED, text, at=90, seq=event.seq)
    chain.events[-1].data.update(changes)  # type: ignore[attr-defined]


def timeline_of(chain: Chain, now: float = 60) -> Timeline:
    return project(chain.events, chain.minute(now))


def texts(chain: Chain) -> list[str]:
    return [entry.text for entry in timeline_of(chain).entries]


def test_a_late_note_stands_where_it_happened() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.NOTE, "second", at=10)
    chain.add(Kind.NOTE, "first", at=5)
    assert texts(chain) == ["Checkout 5xx", "first", "second"]


def test_an_amended_entry_moves_is_marked_and_keeps_its_author() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "deployd", at=10, by="alice")
    amend(chain, note, "deployed", at=chain.minute(-20).isoformat(), starred=True, internal=True)
    entry = timeline_of(chain).entries[0]
    assert (entry.text, entry.author, entry.at) == ("deployed", "alice", chain.minute(-20))
    assert (entry.seq, entry.amended, entry.starred, entry.internal) == (2, True, True, True)


def test_a_retracted_entry_is_gone_from_the_timeline_only() -> None:
    chain = Chain()
    chain.open()
    note = chain.add(Kind.NOTE, "the password is hunter2")
    chain.add(Kind.RETRACTED, "secret", seq=note.seq)
    assert texts(chain) == ["Checkout 5xx"]
    assert len(chain.events) == 3


def test_detection_runs_from_the_field_started() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.HEALTH, "web down", at=-2, after="down")
    chain.add(Kind.FIELD, "half an hour ago?", field="started")
    chain.add(Kind.FIELD, chain.minute(-30).isoformat(), field="started")
    timeline = timeline_of(chain)
    assert timeline.durations.detect == 30 * 60
    assert timeline.started_at == chain.minute(-30)


def test_without_it_detection_runs_from_the_earliest_sign_before_the_opening() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.HEALTH, "web ok", at=-9, after="ok")
    chain.add(Kind.HEALTH, "web down", at=-4, after="down")
    chain.add(Kind.NOTE, "first complaint", at=-7, tags=["detection"])
    chain.add(Kind.NOTE, "a deploy, as every Monday", at=-60)
    assert timeline_of(chain).durations.detect == 7 * 60


def test_a_sign_after_the_opening_tells_nothing_about_detection() -> None:
    chain = Chain()
    chain.open()
    chain.add(Kind.HEALTH, "web down", at=1, after="down")
    assert timeline_of(chain).durations.detect is None


def test_times_run_from_the_opening_and_the_total_ends_with_the_resolution() -> None:
    chain = Chain()
    chain.open()
    assert timeline_of(chain, now=5).durations.total == 300
    chain.status("identified", 2)
    chain.status("monitoring", 12)
    chain.status("resolved", 30)
    took = timeline_of(chain).durations
    assert (took.acknowledge, took.mitigate, took.resolve, took.total) == (120, 720, 1800, 1800)


def test_time_in_each_severity_and_status_adds_up_to_the_whole() -> None:
    chain = Chain()
    chain.open(severity="P2")
    chain.add(Kind.SEVERITY, at=4, severity="P1")
    chain.add(Kind.SEVERITY, at=30, severity="P2")
    chain.status("identified", 10)
    chain.status("closed", 60)
    timeline = timeline_of(chain, now=500)
    assert timeline.time_in_severity == {"P2": 34 * 60, "P1": 26 * 60}
    assert timeline.time_in_status == {
        Status.INVESTIGATING: 600, Status.IDENTIFIED: 3000, Status.CLOSED: 0
    }  # fmt: skip


def test_a_change_written_down_late_holds_from_when_it_happened() -> None:
    chain = Chain()
    chain.open()
    chain.status("mitigating", 20)
    chain.status("monitoring", 15)
    timeline = timeline_of(chain)
    assert timeline.incident.status is Status.MONITORING
    assert timeline.time_in_status == {Status.INVESTIGATING: 900, Status.MONITORING: 45 * 60}


def test_a_mitigation_is_one_run_from_request_to_effect() -> None:
    chain = Chain()
    chain.open()
    first = chain.add(Kind.REQUESTED, "Restart api: docker restart api", at=1)
    second = chain.add(Kind.REQUESTED, "Flush: FLUSHDB", at=2)
    chain.add(Kind.OUTCOME, "Flush: refused: not confirmed", request=second.seq, state="refused")
    done = chain.add(Kind.OUTCOME, "Restart api: done: ok", at=3, request=first.seq, state="done")
    effect = chain.add(Kind.EFFECT, "Restart api: worked: 5 → 0", at=4, request=first.seq)
    chain.add(Kind.REQUESTED, "Restart web: docker restart web", at=5)
    runs = mitigation_runs(timeline_of(chain).entries)
    assert [run.request.seq for run in runs] == [2, 3, 7]
    assert runs[0].outcome and runs[0].outcome.seq == done.seq
    assert runs[0].effect and runs[0].effect.seq == effect.seq
    assert runs[1].outcome and runs[1].effect is None
    assert runs[2].outcome is None
