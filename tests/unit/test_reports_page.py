"""The HTML file: whole in itself, nothing runs or is fetched, every text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from tests.unit.chains import Chain
from tests.unit.incidents import STORIES, hostile, night_with_evidence
from tests.unit.readings import course_of
from tests.unit.test_reports_markdown import HOSTILE, texts
from tests.unit.test_reports_postmortem import full_of
from warroom.domain.events import Kind
from warroom.domain.severity import SCHEMES
from warroom.domain.text import harmless
from warroom.domain.timeline import project
from warroom.reports.doings import shown
from warroom.reports.figures import drawn
from warroom.reports.page import page
from warroom.reports.report import Report
from warroom.reports.stock import names, text_of

BERLIN = ZoneInfo("Europe/Berlin")
INERT = {"a", "meta", "title", "style", "time", "span", "figure", "figcaption", "code", "pre"}
STRUCTURE = {"html", "head", "body", "h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "em", "strong",
             "br", "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
DRAWN = {"svg", "desc", "rect", "line", "text", "tspan", "polyline", "circle"}


class Read(HTMLParser):
    """Every element with its attributes, and the text of entries and cells."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self._within = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.elements.append((tag, named))
        if named.get("class") == "said":
            self._within = 1
            self.said.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._within = 0

    def handle_data(self, data: str) -> None:
        if self._within:
            self.said[-1] += data

    @property
    def addresses(self) -> Iterable[str]:
        for _, attributes in self.elements:
            yield from (attributes[name] for name in ("href", "src", "data") if name in attributes)


def report_of(chain: Chain, **more: object) -> Report:
    timeline = project(chain.events, chain.minute(75))
    return Report(timeline, BERLIN, SCHEMES["P0-P3"], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", names())
@pytest.mark.parametrize("story", STORIES)
def test_a_page_is_made_of_inert_elements_alone(story: str, template: str) -> None:
    read = Read(page(report_of(STORIES[story]()), text_of(template)))
    assert {tag for tag, _ in read.elements} <= INERT | STRUCTURE
    assert not [name for _, attributes in read.elements for name in attributes if name[:2] == "on"]
    assert all(re.fullmatch(r"#E\d+", address) for address in read.addresses)


@settings(deadline=None)
@given(texts)
def test_no_text_from_anywhere_becomes_an_element(text: str) -> None:
    read = Read(page(report_of(full_of(text)), text_of("full")))
    tags = {tag for tag, _ in read.elements}
    assert tags <= INERT | STRUCTURE
    assert [a for tag, a in read.elements if tag == "a"] in ([], [{"href": "#E1"}])


@settings(deadline=None)
@given(texts)
def test_every_entry_is_read_as_it_was_written(text: str) -> None:
    chain = Chain()
    chain.open(text)
    chain.add(Kind.NOTE, text, at=1, by=text)
    report = report_of(chain)
    read = Read(page(report, text_of("full")))
    opening, note = (event.text for event in chain.events)
    assert read.said == [harmless(f"opened: {opening}", lines=True), harmless(note, lines=True)]
    assert len(read.said) == len(shown(report.timeline.entries))


def test_the_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    source = page(report_of(night_with_evidence()), text_of("full"))
    (sheet,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in source
    assert "url(" not in sheet and "@import" not in sheet
    assert "prefers-color-scheme: dark" in sheet and "@media print" in sheet
    assert not re.search(r"<[^>]* style=", source)


def test_figures_stand_in_the_page_and_citations_lead_to_the_evidence() -> None:
    chain = night_with_evidence()
    report = report_of(chain, readings=course_of(chain))
    figures = drawn(report)
    read = Read(page(report, text_of("full"), figures))
    tags = [tag for tag, _ in read.elements]
    assert tags.count("svg") == len(figures) == 3
    assert set(tags) <= INERT | STRUCTURE | DRAWN
    assert tags.count("style") == 1, "a figure brings no style of its own into the page"
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {address.removeprefix("#") for address in read.addresses} <= ids == {"E1", "E2"}


def test_a_mark_for_entries_that_somebody_wrote_stays_text() -> None:
    chain = Chain()
    chain.open("<entries 0>")
    chain.add(Kind.FIELD, "<entries 0>", field="summary")
    source = page(report_of(chain), text_of("full"))
    assert source.count("<ul>\n<li><time>") == 1
    assert "<p>&lt;entries 0&gt;</p>" in source


def test_hostile_texts_are_all_there_to_be_read() -> None:
    read = Read(page(report_of(hostile()), text_of("classic")))
    for text, said in zip(HOSTILE, read.said[1:], strict=True):
        assert said == harmless(text, lines=True).replace("\r\n", "\n")
