"""The post-mortem: complete, the same every time, and true to every entry."""

from __future__ import annotations

import os
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import Chain
from tests.unit.incidents import STORIES, outage
from tests.unit.test_reports_markdown import kinds, parser, seen, texts, visible
from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.incident import FIELDS
from warroom.domain.severity import SCHEMES
from warroom.domain.timeline import Timeline, project
from warroom.reports.doings import key_moments, shown
from warroom.reports.errors import BadTemplate
from warroom.reports.postmortem import render
from warroom.reports.report import Report
from warroom.reports.stock import names, text_of

GOLDEN = Path(__file__).parent / "golden"
BERLIN = ZoneInfo("Europe/Berlin")
P0_P3 = SCHEMES["P0-P3"]


def rendered(chain: Chain, zone: ZoneInfo = BERLIN, template: str | None = None) -> str:
    report = Report(timeline_of(chain), zone, P0_P3)
    return render(report, text_of("full") if template is None else template)


def timeline_of(chain: Chain) -> Timeline:
    return project(chain.events, chain.minute(75))


def same_as_golden(name: str, text: str) -> None:
    """GOLDEN=write puts what is rendered now in place of the file, to be looked at in the diff."""
    file = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("template", names())
@pytest.mark.parametrize("story", STORIES)
def test_a_whole_incident_through_every_template(story: str, template: str) -> None:
    text = rendered(STORIES[story](), template=text_of(template))
    same_as_golden(f"{story}.{template}.md", text)
    assert "\n\n\n" not in text
    assert not re.search(r"[^\S\n]\n", text), "no line ends with a space"


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
    """The texts of the items under "Timeline", as a reader sees them, with their times."""
    items, within, item = [], False, None
    tokens = parser().parse(source)
    for before, token in pairwise(tokens):
        if before.type == "heading_open" and not DATE.fullmatch(token.content):
            within = token.content.startswith("Timeline")
        elif within and token.type == "list_item_open":
            item = []
        elif within and token.type == "list_item_close" and item is not None:
            items.append("\n\n".join(item))
            item = None
        elif item is not None and token.type == "inline":
            parts = ("\n" if c.type == "hardbreak" else c.content for c in token.children or ())
            item.append("".join(parts))
    return [text.replace("\u00a0", " ") for text in items]


DATE = re.compile(r"\d{4}-\d\d-\d\d")


@pytest.mark.parametrize("template", names())
@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts, st.sampled_from([Kind.NOTE, Kind.HEALTH, Kind.FIELD])),
                max_size=5))  # fmt: skip
def test_every_entry_comes_back_as_it_went_in(
    template: str, notes: list[tuple[str, str, Kind]]
) -> None:
    chain = Chain()
    chain.open()
    for number, (text, who, kind) in enumerate(notes):
        chain.add(kind, text, at=number, by=who, field="lessons", starred=number % 2 == 0)
    source = rendered(chain, ZoneInfo("UTC"), text_of(template))
    entries = timeline_of(chain).entries
    wanted = key_moments(entries) if template == "one-page" else shown(entries)
    items = timeline_items(source)
    assert len(items) == len(wanted)
    for item, entry in zip(items, wanted, strict=True):
        assert item.removeprefix("★ ").startswith(f"{entry.at:%H:%M:%S} UTC ·")
        if not entry.text[:1].isspace():  # then a break may stand where a space is seen
            assert visible(item).endswith(visible(seen(entry.text)).strip())


MADE_BY_TEMPLATES = {
    "text", "text_special", "inline", "paragraph_open", "paragraph_close", "heading_open",
    "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    "em_open", "em_close", "strong_open", "strong_close", "hardbreak", "softbreak", "table_open",
    "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
    "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip


@pytest.mark.parametrize("template", names())
@settings(max_examples=25)
@given(texts.filter(str.strip))
def test_nothing_in_a_field_or_table_becomes_a_section_link_or_picture(
    template: str, text: str
) -> None:
    source = rendered(full_of(text), template=text_of(template))
    allowed = MADE_BY_TEMPLATES | {"fence"} | NUMBERED.get(template, set())
    assert kinds(source) <= allowed
    assert outline(source) == harmless_outline(template)


@cache
def harmless_outline(template: str) -> list[str]:
    return outline(rendered(full_of("harmless"), template=text_of(template)))


NUMBERED = {"classic": {"ordered_list_open", "ordered_list_close"}}


def full_of(text: str) -> Chain:
    """An incident that says `text` wherever something can be said."""
    chain = Chain()
    chain.open(text, severity="P1")
    for name in FIELDS:
        chain.add(Kind.FIELD, text, field=name)
    chain.add(Kind.ACTION_ITEM, text, owner=text, due=text)
    chain.add(Kind.HYPOTHESIS, text, hypothesis="h")
    chain.add(Kind.HYPOTHESIS, text, hypothesis="h", state="ruled out", reason=text)
    chain.add(Kind.ROLE, text, role="incident commander", person=text or "x")
    request = chain.add(Kind.REQUESTED, text, by=text, host=text, target={"label": text})
    chain.add(Kind.OUTCOME, text, request=request.seq, state=text)
    chain.add(Kind.EFFECT, text, request=request.seq, verdict=text, before={text: 1},
              after={text: 2})  # fmt: skip
    chain.add(Kind.UPDATE, text, audience=text, stage=text, channel=text, state="sent")
    held = Evidence(EvidenceKind.LINES, text, text, text, text, text)
    chain.add(Kind.NOTE, text, starred=True, tags=[text], evidence=[held.as_data()])
    return chain


def outline(source: str) -> list[str]:
    """Headings, tables with their cells, and fences: what a reader finds their way by."""
    wanted = {"heading_open", "table_open", "td_open", "fence", "list_item_open"}
    return [f"{token.tag}" for token in parser().parse(source) if token.type in wanted]


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
    report = Report(timeline_of(chain), BERLIN, SCHEMES["P1-P4"])
    text = render(report, text_of("full"))
    assert "- Severity: P1, scheme P0-P3\n" in text
