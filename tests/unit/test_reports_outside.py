"""The report for people outside names nobody and nothing of the inside."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import Chain
from tests.unit.incidents import night_with_evidence, outage
from warroom.domain.events import Kind
from warroom.domain.severity import SCHEMES
from warroom.domain.timeline import project
from warroom.reports.data import to_csv
from warroom.reports.lint import missing
from warroom.reports.outside import SOMEBODY, masked, outside
from warroom.reports.page import page
from warroom.reports.postmortem import render
from warroom.reports.report import Audience, Report
from warroom.reports.stock import names, text_of


def outside_of(chain: Chain, *hosts: str) -> Report:
    timeline = project(chain.events, chain.minute(75))
    return outside(Report(timeline, ZoneInfo("UTC"), SCHEMES["P0-P3"]), hosts)


def told() -> Chain:
    """An incident of which some is for outside."""
    chain = Chain()
    chain.open("Checkout fails, says bob@shop.example")
    chain.add(Kind.NOTE, "alice sees 502 on web1 (10.0.0.7)", at=1, by="alice", starred=True)
    chain.add(Kind.NOTE, "the password is hunter2", at=2, by="alice")
    chain.add(Kind.NOTE, "legal was told", at=3, by="bob", starred=True, internal=True)
    chain.add(Kind.NOTE, "chosen for customers", at=4, by="bob", audience="external")
    chain.add(Kind.FIELD, "web1 ran full, see https://wiki.inside/x", at=5, field="root_cause")
    chain.add(Kind.ACTION_ITEM, "alice watches web1", at=6, owner="alice", due="2026-12-01")
    chain.add(Kind.HYPOTHESIS, "the disk", at=7, hypothesis="h")
    return chain


@pytest.mark.parametrize("template", names())
def test_only_what_was_chosen_is_there_and_it_names_nobody(template: str) -> None:
    report = outside_of(told(), "web1")
    for text in (render(report, text_of(template)), page(report, text_of(template)),
                 to_csv(report.timeline)):  # fmt: skip
        assert "sees 502 on" in text and "chosen for customers" in text
        for inside in ("alice", "bob", "web1", "10.0.0.7", "hunter2", "legal", "wiki", "the disk",
                       "2026-12-01", "shop.example"):  # fmt: skip
            assert inside not in text, inside


def test_a_mask_says_what_was_there() -> None:
    assert masked("bob at 10.0.0.7 or fe80::1:2 or db1, mail b@x.example", {"bob", "db1"}) == (
        "‹name› at ‹address› or ‹address› or ‹name›, mail ‹e-mail›"
    )
    assert masked("api was down from 14:35:02 to 15:00", {"bob"}) == (
        "api was down from 14:35:02 to 15:00"
    )


def test_the_one_for_customers_has_no_appendix_and_no_names_of_tools() -> None:
    chain = night_with_evidence()
    text = render(outside_of(chain), text_of("external"))
    for inside in ("Evidence", "pg_terminate", "411", "carol", "db1"):
        assert inside not in text
    assert "and ‹name› are fine again, said ‹name›" in text


def test_times_are_those_of_the_whole_incident() -> None:
    chain = outage()
    text = render(outside_of(chain), text_of("external"))
    assert "- From: 2026-11-21 13:27:00 UTC\n- Until: 2026-11-21 14:20:00 UTC" in text


def test_that_nothing_was_chosen_is_said() -> None:
    chain = Chain()
    chain.open()
    report = outside_of(chain)
    assert report.audience is Audience.EXTERNAL
    assert "no entry is starred or marked for outside: the timeline is empty" in missing(report)


names_used = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=2, max_size=12)


@settings(deadline=None)
@given(names_used, names_used, st.sampled_from([" {} ", "({})", "{}: x", "ask {}, please", "{}"]))
def test_no_author_and_no_host_is_ever_named(author: str, host: str, around: str) -> None:
    chain = Chain()
    chain.open(around.format(author))
    chain.add(Kind.NOTE, around.format(host) + around.format(author), at=1, by=author, starred=True)
    report = outside_of(chain, host)
    for entry in report.timeline.entries:
        assert entry.author == SOMEBODY
        words = entry.text.replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert author not in words and host not in words
