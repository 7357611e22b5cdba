"""A runbook's own structure of a post-mortem: filled in where known, marked where not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.incidents import STORIES, outage
from tests.unit.test_reports_markdown import kinds
from tests.unit.test_reports_postmortem import BERLIN, P0_P3, rendered, timeline_of
from warroom.reports.outside import outside
from warroom.reports.postmortem import render
from warroom.reports.report import Report
from warroom.reports.structure import is_structure, template_of

HARBOUR = """\
# Review: [Incident Title] ([ID])

**Date**: YYYY-MM-DD
**Severity:** P0/P1
Commander: [Name]
| Field | Value |
|---|---|
| Downtime | [Start] - [End] |
| Harbour master | [Name] |

## What happened?
[2-3 sentences]

## Timeline (UTC)
- HH:MM - the first ship lies dry
- 14:35: the second

## Customer impact
- Users affected: ~500
- Ships turned away: [number]

## Root cause
- Why 1:
Deep dive

## Weather
[Was it foggy?]

## Sign-off
- [ ] The master has read it

**Action Items**
1. [ ] Dredge (Owner: x, Due: Dec 10)
"""


def filled(text: str, story: str = "outage") -> str:
    return rendered(STORIES[story](), template=template_of(text))


def test_known_headings_and_fields_are_filled_in_and_their_examples_give_way() -> None:
    text = filled(HARBOUR)
    assert text.startswith("# Review: Checkout answers 502 (INC-2026-11-21-001)\n")
    for line in (
        "- **Date**: 2026-11-21",
        "- **Severity**: P1 (High), scheme P0-P3",
        "- **Commander**: alice → bob",
        "## What happened?\n\nCheckout was down for 12% of users.",
        "## Timeline (UTC)\n\n### 2026-11-21\n\n- ★ **13:27:00 UTC** · warroom: web down",
        "About 500 orders were lost.",
        "max_connections was 100",
        "## Action Items\n\n- [x] Alert at 80% of connections - Owner: dba - Due: 2026-12-01",
    ):
        assert line in text
    assert "to 2026-11-21 15:20:00 CET (14:20:00 UTC), 50m00s\n" in text
    for example in ("lies dry", "~500", "Dredge", "2-3 sentences", "Deep dive", "Field"):
        assert example not in text


def test_what_nobody_knows_stays_with_the_teams_hint_as_a_mark_to_fill_in() -> None:
    text = filled(HARBOUR)
    assert "- **Harbour master**: _To fill in: Harbour master: Name_" in text
    assert "- **Ships turned away**: _To fill in: Ships turned away: number_" in text
    assert "- **Why 1**: _To fill in: Why 1_" in text
    assert "## Weather\n\n_To fill in: Weather: Was it foggy?_" in text
    assert "## Sign-off\n\n- [ ] The master has read it\n" in text


@pytest.mark.parametrize("story", STORIES)
def test_whatever_the_incident_it_is_tidy_markdown(story: str) -> None:
    text = filled(HARBOUR, story)
    assert "\n\n\n" not in text.partition("```")[0]
    assert " \n" not in text


def test_a_structure_without_a_title_or_a_severity_says_them_all_the_same() -> None:
    text = filled("## Summary\nx\n## Timeline\ny\n## Lessons learned\nz\n")
    assert text.startswith(
        "# Post-mortem: Checkout answers 502\n\nINC-2026-11-21-001 · P1 (High), "
    )


def test_for_readers_outside_neither_names_nor_hints_are_in_it() -> None:
    report = outside(Report(timeline_of(outage()), BERLIN, P0_P3), {})
    text = render(report, template_of(HARBOUR))
    for inside in ("alice", "bob", "Commander", "Was it foggy", "Owner"):
        assert inside not in text
    assert "_To fill in: Weather_" in text


def test_texts_to_send_and_checklists_are_no_structure() -> None:
    assert is_structure(HARBOUR)
    assert not is_structure("UPDATE - [Time]\nStatus: [x]\nRoot cause: [y]\nImpact: [z]\n")
    assert not is_structure("# Summary\n## Summary\n")


EVIL = (
    "{{ incident }} {% x %} {# y #} \x1b[31m \u202e <b> [l](http://x) ![i](y) ``` \\ \" ' \x9b \x00"
)


def test_hostile_words_of_a_runbook_are_words() -> None:
    text = filled(
        f"# {EVIL}\n{EVIL[:20]}: x\n## Impact {EVIL}\nA: {EVIL}\n## {EVIL}\n{EVIL}\n## Timeline\n"
    )
    assert not {"link_open", "image", "html_inline", "html_block", "code_inline"} & kinds(text)
    assert "{{ incident }} {% x %} {# y" in text
    assert not set("\x1b\u202e\x9b\x00") & set(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*HARBOUR.splitlines(), EVIL, "", "|", "# ", "- :", "**a**"])
                | st.text(max_size=30), max_size=25))  # fmt: skip
def test_any_text_gives_a_template_that_renders(lines: list[str]) -> None:
    assert filled("\n".join(lines)).endswith("\n")


def test_ten_megabytes_are_read_up_to_a_limit() -> None:
    assert len(template_of("## Impact\n" + "A: b\n" * 2_000_000)) < 500_000
    assert len(template_of("## Impact " + "x" * 10_000_000)) < 5_000
