"""What the systems do is written down once, when it is sure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.events import stored
from tests.unit.chains import Chain
from warroom.domain.events import Author, Draft, Kind
from warroom.domain.incident import Incident, incident_of
from warroom.domain.sample import Finding, Health, Level, Row, Sample
from warroom.engine.recorder import Change, Transitions, entry_id

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def look(health: Health, summary: str = "", minute: float = 0, *rows: Row) -> Sample:
    return Sample("web", NOON + timedelta(minutes=minute), health, summary, rows=rows)


def said(transitions: Transitions, *samples: Sample) -> list[str]:
    return [change.text for sample in samples for change in transitions.health(sample)]


def burning() -> Incident:
    chain = Chain()
    chain.open()
    return incident_of(chain.events)


def ill() -> Change:
    (change,) = Transitions().health(look(Health.DOWN, "502"))
    return change


def container(health: Health, state: str) -> Row:
    return Row("c1", "shop-api", ("shop-api", state), health)


def test_a_source_that_was_well_from_the_start_is_not_worth_a_line() -> None:
    assert said(Transitions(), look(Health.OK), look(Health.OK)) == []


def test_one_bad_look_is_not_written_two_are() -> None:
    transitions = Transitions()
    assert said(transitions, look(Health.OK), look(Health.DOWN, "502")) == []
    assert said(transitions, look(Health.DOWN, "502")) == ["web down: 502 (was ok)"]
    assert said(transitions, look(Health.DOWN, "502")) == []


def test_recovery_wants_three_good_looks() -> None:
    transitions = Transitions()
    said(transitions, look(Health.OK), look(Health.DOWN), look(Health.DOWN))
    assert said(transitions, look(Health.OK), look(Health.OK)) == []
    assert said(transitions, look(Health.OK, "200")) == ["web ok: 200 (was down)"]


def test_a_killed_container_is_written_at_once() -> None:
    transitions = Transitions()
    up = look(Health.OK, "", 0, container(Health.OK, "running"))
    killed = look(Health.OK, "", 0, container(Health.DOWN, "exited (137)"))
    assert said(transitions, up, killed) == ["web: shop-api down: exited (137) (was ok)"]


def test_a_container_that_is_removed_is_written_once() -> None:
    transitions = Transitions()
    said(transitions, look(Health.OK, "", 0, container(Health.OK, "running")))
    assert said(transitions, look(Health.OK), look(Health.OK)) == ["web: shop-api is gone (was ok)"]


def test_what_flaps_is_said_to_flap_and_then_left_alone() -> None:
    transitions = Transitions()
    texts: list[str] = []
    for minute in range(8):
        health = Health.DOWN if minute % 2 else Health.OK
        row = container(health, "x")
        texts += said(transitions, *(look(Health.OK, "", minute / 2, row) for _ in range(2)))
    assert sum("flapping" in text for text in texts) == 1
    assert "flapping" in texts[-1]


def test_a_finding_is_written_when_it_begins_when_it_worsens_and_when_it_ends() -> None:
    transitions = Transitions()
    warn = Finding("full", "db", Level.WARN, "85 of 100", 85)
    worse = Finding("full", "db", Level.CRITICAL, "99 of 100", 99)
    kinds = [
        change.kind
        for now in ([warn], [warn], [worse], [])
        for change in transitions.findings("db", now)
    ]
    assert kinds == [Kind.FINDING, Kind.FINDING, Kind.RECOVERED]


def test_a_console_that_is_opened_again_does_not_repeat_what_is_written_already() -> None:
    incident, down = burning(), ill()
    assert entry_id(down, incident, [])
    assert not entry_id(down, incident, [stored(down.kind, down.text, dict(down.data))])


def test_what_was_seen_again_while_the_first_still_waits_is_an_entry_of_its_own() -> None:
    incident, down = burning(), ill()
    first = entry_id(down, incident, [])
    waits = Draft(down.kind, NOON, Author("alice", 1000), down.text, dict(down.data), id=first)
    assert first == entry_id(down, incident, []) != entry_id(down, incident, [], [waits])
