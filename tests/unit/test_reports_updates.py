"""Status updates: the same facts give the same text, and no text of theirs is more than text."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import hostile
from tests.unit.chains import Chain
from warroom.domain.events import Kind
from warroom.domain.incident import incident_of
from warroom.domain.text import harmless
from warroom.reports.errors import BadTemplate
from warroom.reports.updates import (
    AUDIENCES,
    Facts,
    Ill,
    Moved,
    Tried,
    draft,
    file_name,
    plain,
)

GOLDEN = Path(__file__).parent / "golden" / "updates"
BERLIN = ZoneInfo("Europe/Berlin")
STAGES = ("initial", "update", "resolved")
EVERY = [(audience, stage) for audience in AUDIENCES for stage in STAGES]


def facts(stage: str = "update", title: str = "Checkout answers 502") -> Facts:
    """An outage, as far along as the stage says."""
    chain = Chain()
    chain.open(title, "P1", at=2)
    chain.add(Kind.ROLE, "", at=3, role="incident commander", person="dana")
    chain.add(Kind.FIELD, "A third of all orders fail.", at=4, field="impact")
    if stage != "initial":
        chain.status("identified", at=9)
    if stage == "resolved":
        chain.add(Kind.FIELD, "The pool was enlarged to 80.", at=40, field="resolution")
        chain.status("resolved", at=47)
    now = chain.minute({"initial": 5, "update": 20, "resolved": 48}[stage])
    over = stage == "resolved"
    web = Ill("web", "down", "502 (was 200)", chain.minute(0))
    pool = Ill("orders-db", "degraded", "98 of 100 connections", None)
    restart = Tried("Restart api", "done", "no effect")
    return Facts(
        incident=incident_of(chain.events),
        severity_label="High",
        now=now,
        since=chain.minute(0),
        next_at=None if over else now + timedelta(minutes=30),
        down=() if over else (web, pool),
        tried=() if stage == "initial" else (restart, Tried("Terminate idle sessions", "", "")),
        changed=(Moved(chain.minute(9), "status investigating → identified"),),
        channel="#incident-20261121-checkout",
    )


def rendered(audience: str, stage: str, known: Facts | None = None, **more: str) -> str:
    return draft(known or facts(stage), audience, stage, zone=BERLIN, **more)


@pytest.mark.parametrize(("audience", "stage"), EVERY)
def test_every_template_says_what_it_is_for(audience: str, stage: str) -> None:
    """GOLDEN=write puts what is rendered now in place of the file, to be looked at in the diff."""
    text = rendered(audience, stage)
    file = GOLDEN / f"{file_name(audience, stage)}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize(("audience", "stage"), EVERY)
def test_with_nothing_known_but_a_title_every_template_still_makes_sense(
    audience: str, stage: str
) -> None:
    chain = Chain()
    chain.open("Checkout answers 502")
    bare = Facts(
        incident_of(chain.events), "", chain.minute(1), chain.minute(0), None, (), (), (), ""
    )
    text = rendered(audience, stage, bare)
    assert "Checkout answers 502" in text
    assert "None" not in text
    assert "  " not in text
    assert "\n\n\n" not in text
    assert text == text.strip("\n") + "\n"


@pytest.mark.parametrize("stage", STAGES)
def test_the_public_hears_of_no_system_person_or_mitigation(stage: str) -> None:
    text = rendered("status page", stage)
    for internal in ("web", "orders-db", "dana", "Restart api", "INC-", "#incident", "P1", "502 ("):
        assert internal not in text


def test_times_stand_in_the_zone_and_in_utc() -> None:
    assert "Next update by 15:20 CET (14:20 UTC)" in rendered("chat", "update")


def test_what_began_on_another_day_says_which() -> None:
    known = facts("initial")
    begun = replace(known, since=known.since - timedelta(days=1))
    text = draft(begun, "chat", "initial", zone=BERLIN)
    assert f"since {begun.since.astimezone(BERLIN):%Y-%m-%d %H:%M} CET" in text


@pytest.mark.parametrize("name", hostile.CORPUS)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_hostile_facts_are_harmless_text_in_one_line_each(audience: str, name: str) -> None:
    evil = f"a{hostile.CORPUS[name]}\nb <!here> @channel http://evil.example [x](//e) ![y](//z)"
    known = replace(
        facts(),
        severity_label=evil,
        down=(Ill(evil, evil, evil, None),),
        tried=(Tried(evil, evil, evil),),
        channel=evil,
    )
    chain = Chain()
    chain.open(evil, evil)
    chain.add(Kind.ROLE, "", role="incident commander", person=evil)
    chain.add(Kind.FIELD, evil, field="impact")
    text = rendered(audience, "update", replace(known, incident=incident_of(chain.events)))
    assert text == harmless(text, lines=True)
    for beginning in ("<!", "@channel", "http:/", "](", "@click=app"):
        assert beginning not in text.replace("[@ click", "")


def test_a_text_of_ten_megabytes_becomes_a_short_line() -> None:
    assert len(plain("x" * 10_000_000)) == 400
    assert len(plain("\n".join(["y"] * 1_000_000))) <= 400


@given(st.text())
def test_whatever_is_written_is_harmless_and_begins_no_link_or_mention(text: str) -> None:
    written = plain(text)
    assert written == harmless(written)
    assert "://" not in written
    assert "](" not in written
    assert "<!" not in written


def test_an_audience_of_ones_own_is_told_as_stakeholders_are() -> None:
    assert rendered("management", "initial") == rendered("stakeholders", "initial")


def test_a_teams_own_template_has_every_fact() -> None:
    template = (
        "{{ incident.id }}|{{ scheme }}|{{ impact }}|{{ people[0][1][0] }}|{{ day(since) }}|"
        "{{ span(lasted) }}|{% for one in down %}{{ one.name }},{% endfor %}"
    )
    assert rendered("chat", "update", template=template) == (
        "INC-2026-11-21-001|P0-P3|A third of all orders fail.|dana|2026-11-21|20m00s|"
        "web,orders-db,\n"
    )


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("a\n{{ nothing }}", "line 2: 'nothing' is undefined"),
        ("{{ incident.nope }}", "line 1: "),
        ("{% for %}", "line 1: "),
        ("{{ incident.__class__.__mro__ }}", "line 1: "),
        ("{{ clock('x') }}", "line 1: "),
        ("{% include '/etc/passwd' %}", "line 1: "),
        ("{{ down.append(1) }}", "line 1: "),
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused_with_its_line(
    template: str, fault: str
) -> None:
    with pytest.raises(BadTemplate) as refused:
        rendered("chat", "update", template=template)
    assert f"template: {fault}" in str(refused.value)
    assert "\n" not in str(refused.value)
