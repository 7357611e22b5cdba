"""The post-mortem: complete, the same every time, and true to every entry."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.unit.chains import Chain
from tests.unit.test_reports_markdown import HOSTILE, kinds, seen, texts, visible
from warroom.domain.events import Kind
from warroom.domain.incident import FIELDS
from warroom.domain.severity import SCHEMES
from warroom.domain.timeline import Timeline, project
from warroom.reports.errors import BadTemplate
from warroom.reports.postmortem import UNSHOWN, render

GOLDEN = Path(__file__).parent / "golden"
BERLIN = ZoneInfo("Europe/Berlin")
P0_P3 = SCHEMES["P0-P3"]


def rendered(chain: Chain, zone: ZoneInfo = BERLIN, template: str | None = None) -> str:
    return render(timeline_of(chain), zone=zone, scheme=P0_P3, template=template)


def timeline_of(chain: Chain) -> Timeline:
    return project(chain.events, chain.minute(75))


def same_as_golden(name: str, text: str) -> None:
    """GOLDEN=write puts what is rendered now in place of the file, to be looked at in the diff."""
    file = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


def outage() -> Chain:
    """One whole incident."""
    chain = Chain()
    chain.open("Checkout answers 502")
    chain.add(Kind.HEALTH, "web down: 502 (was 200)", at=-3, starred=True, after="down")
    chain.add(Kind.ROLE, "incident commander: alice", at=1, role="incident commander",
              person="alice")  # fmt: skip
    chain.add(Kind.SEVERITY, "severity P2 → P1 (P0-P3)", at=2, severity="P1", was="P2")
    note = chain.add(Kind.NOTE, "suspecting the poool", at=4, by="alice")
    chain.add(Kind.AMENDED, "suspecting the connection pool", at=5, by="alice", seq=note.seq)
    secret = chain.add(Kind.NOTE, "password is hunter2", at=5, by="bob")
    chain.add(Kind.RETRACTED, "secret", at=5, by="bob", seq=secret.seq)
    chain.add(Kind.NOTE, "from the log:\n  FATAL: too many clients\n\nlegal was told", at=6,
              by="bob", internal=True)  # fmt: skip
    restart = chain.add(
        Kind.REQUESTED, "Restart api: docker restart shop-api", at=7, by="alice", host="web1",
        target={"id": "f00", "label": "shop-api"}, command=["docker restart shop-api"],
    )  # fmt: skip
    chain.add(Kind.OUTCOME, "Restart api: done: restarted in 2.1 s", at=8, by="alice",
              request=restart.seq, state="done")  # fmt: skip
    chain.add(Kind.EFFECT, "Restart api: worked: waiting 7 → 0", at=9, by="alice",
              request=restart.seq, verdict="worked")  # fmt: skip
    chain.add(Kind.REQUESTED, "Flush cache: FLUSHDB", at=10, by="bob",
              target={"id": "0", "label": "db0"})  # fmt: skip
    chain.status("monitoring", 12)
    chain.add(Kind.ROLE, "incident commander: bob (was alice)", at=20, by="bob",
              role="incident commander", person="bob")  # fmt: skip
    chain.add(Kind.ROLE, "scribe: carol", at=21, by="carol", role="scribe", person="carol")
    chain.status("resolved", 50)
    for name, text in {
        "summary": "Checkout was down for 12% of users.",
        "impact": "About 500 orders were lost.",
        "root_cause": "max_connections was 100;\na deploy doubled the pools.",
        "resolution": "The pools were made smaller.",
        "went_well": "The alert came after 3 minutes.",
    }.items():
        chain.add(Kind.FIELD, f"{text}", at=55, field=name)
    item = chain.add(Kind.ACTION_ITEM, "Alert at 80% of connections", at=56, owner="dba",
                     due="2026-12-01")  # fmt: skip
    chain.add(Kind.AMENDED, at=57, seq=item.seq, data={"done": True})
    chain.add(Kind.ACTION_ITEM, "Write down who owns the pools", at=58)
    chain.add(Kind.EXPORTED, "post-mortem.md", at=59)
    chain.status("closed", 60)
    return chain


def autumn_night() -> Chain:
    """Clocks in Berlin go back at 01:00 UTC on 2026-10-25: half past two comes twice."""
    chain = Chain(datetime(2026, 10, 24, 21, 30, tzinfo=UTC), "INC-2026-10-24-001")
    chain.open("Batch jobs run twice")
    chain.add(Kind.NOTE, "before midnight", at=15)
    chain.add(Kind.NOTE, "after midnight here, not yet in UTC", at=75)
    chain.add(Kind.NOTE, "half past two", at=3 * 60)
    chain.add(Kind.NOTE, "half past two again", at=4 * 60)
    chain.add(Kind.NOTE, "half past three", at=5 * 60)
    return chain


def test_a_whole_incident() -> None:
    same_as_golden("outage.md", rendered(outage()))


def test_a_night_in_which_the_clocks_go_back() -> None:
    same_as_golden("autumn_night.md", rendered(autumn_night()))


def test_an_incident_of_hostile_texts() -> None:
    chain = Chain()
    chain.open(HOSTILE[0] + HOSTILE[2])
    for number, text in enumerate(HOSTILE):
        chain.add(Kind.NOTE, text, at=number, by=text)
    same_as_golden("hostile.md", rendered(chain))


def test_an_incident_that_has_only_begun_is_all_to_fill_in() -> None:
    chain = Chain()
    chain.open()
    text = rendered(chain)
    same_as_golden("begun.md", text)
    for name in FIELDS.values():
        assert f"_To fill in: {name}_" in text


def test_the_same_timeline_gives_the_same_text() -> None:
    assert rendered(outage()) == rendered(outage())


def test_in_utc_times_are_written_once() -> None:
    text = rendered(outage(), ZoneInfo("UTC"))
    assert "- **13:34:00 UTC** · alice (edited): suspecting the connection pool\n" in text
    assert "UTC (" not in text


def test_what_was_retracted_is_nowhere() -> None:
    assert "hunter2" not in rendered(outage())


def timeline_items(source: str) -> list[str]:
    """The texts of the items under "Timeline", as a reader sees them, after their times."""
    items, within, item = [], False, None
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": True}).parse(source):
        if token.type == "inline" and token.level == 1 and token.content in SECTIONS:
            within = token.content == "Timeline"
        elif within and token.type == "list_item_open":
            item = []
        elif within and token.type == "list_item_close" and item is not None:
            items.append("\n\n".join(item))
            item = None
        elif item is not None and token.type == "inline":
            parts = ("\n" if c.type == "hardbreak" else c.content for c in token.children or ())
            item.append("".join(parts))
    return [text.replace("\u00a0", " ") for text in items]


SECTIONS = ("Timeline", "Mitigations")


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts, st.sampled_from([Kind.NOTE, Kind.HEALTH, Kind.FIELD])),
                max_size=5))  # fmt: skip
def test_every_entry_comes_back_as_it_went_in(notes: list[tuple[str, str, Kind]]) -> None:
    chain = Chain()
    chain.open()
    for number, (text, who, kind) in enumerate(notes):
        chain.add(kind, text, at=number, by=who, field="lessons")
    source = rendered(chain, ZoneInfo("UTC"))
    shown = [entry for entry in timeline_of(chain).entries if entry.kind not in UNSHOWN]
    items = timeline_items(source)
    assert len(items) == len(shown)
    for item, entry in zip(items, shown, strict=True):
        assert item.startswith(f"{entry.at:%H:%M:%S} UTC · ")
        if not entry.text[:1].isspace():  # then a break may stand where a space is seen
            assert visible(item).endswith(visible(seen(entry.text)).strip())


@settings(deadline=None)
@given(texts)
def test_nothing_in_a_field_or_table_becomes_a_section_link_or_picture(text: str) -> None:
    chain = Chain()
    chain.open(text, severity=text)
    for name in FIELDS:
        chain.add(Kind.FIELD, text, field=name)
    chain.add(Kind.ACTION_ITEM, text, owner=text, due=text)
    chain.add(Kind.ROLE, text, role="incident commander", person=text or "x")
    request = chain.add(Kind.REQUESTED, text, by=text, host=text, target={"label": text})
    chain.add(Kind.OUTCOME, text, request=request.seq, state=text)
    source = rendered(chain)
    made = kinds(source)
    assert not made & {"image", "link_open", "html_inline", "html_block", "code_inline", "fence",
                       "code_block", "hr", "blockquote_open", "ordered_list_open"}  # fmt: skip
    parsed = MarkdownIt("gfm-like").parse(source)
    headings = [token.tag for token in parsed if token.type == "heading_open"]
    assert headings == ["h1", *["h2"] * 7, "h3", *["h2"] * 5]
    assert [token.type for token in parsed].count("table_open") == 2
    assert [token.type for token in parsed].count("td_open") == 4 * 3 + 6


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("# {{ incidnt.title }}", "line 1: 'incidnt' is undefined"),
        ("a\n{% if %}", "line 2: "),
        ("a\n\n{{ 1 // 0 }}", "line 3: "),
        ("{{ incident.__class__.__mro__ }}", "line 1: "),
        ("{% include '/etc/passwd' %}", "line 1: "),
        ("{{ told.__globals__ }}", "line 1: "),
        ("{{ incident.fields.update({'a': 'b'}) }}", "line 1: "),
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused_with_its_line(
    template: str, fault: str
) -> None:
    with pytest.raises(BadTemplate) as refused:
        rendered(outage(), template=template)
    assert f"template: {fault}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_teams_own_template_is_escaped_by_itself() -> None:
    chain = Chain()
    chain.open("<b> [x](y)")
    template = "{{ incident.title }} {{ 'x' if incident.is_open }}\n{{ told('lessons') }}"
    assert rendered(chain, template=template) == (
        "\\<b> \\[x\\](y) x\n_To fill in: lessons_\n"
    )  # fmt: skip


def test_a_level_of_another_scheme_gets_no_label() -> None:
    chain = Chain()
    chain.open(severity="P1")
    timeline = timeline_of(chain)
    text = render(timeline, zone=BERLIN, scheme=SCHEMES["P1-P4"])
    assert "- Severity: P1, scheme P0-P3\n" in text
