"""Charts and pictures: what moved is drawn, as SVG that shows and never does anything."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import Chain
from tests.unit.incidents import night_with_evidence, outage
from tests.unit.readings import course_of
from tests.unit.test_reports_markdown import texts
from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind, Exhibit
from warroom.domain.readings import Reading
from warroom.domain.severity import SCHEMES
from warroom.domain.text import harmless
from warroom.domain.timeline import Timeline, project
from warroom.reports import svg
from warroom.reports.chart import Mark, chart
from warroom.reports.figures import drawn
from warroom.reports.moved import MOST, Course, moved
from warroom.reports.picture import picture
from warroom.reports.report import Audience, Report

BERLIN = ZoneInfo("Europe/Berlin")
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "rect", "line", "text", "tspan", "polyline", "circle"}


def timeline_of(chain: Chain) -> Timeline:
    return project(chain.events, chain.minute(75))


def report_of(chain: Chain, readings: tuple[Reading, ...] = ()) -> Report:
    return Report(timeline_of(chain), BERLIN, SCHEMES["P0-P3"], readings=readings)


def moves(chain: Chain, readings: tuple[Reading, ...]) -> list[Course]:
    return moved(timeline_of(chain), readings, chain.minute(75))


def parsed(source: str) -> ElementTree.Element:
    """A drawing, which must hold nothing but shapes and texts."""
    root = ElementTree.fromstring(source)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on") and "href" not in name
            assert "url(" not in value and "script" not in value
    return root


def texts_of(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def test_what_left_its_usual_range_moved_and_the_first_to_leave_comes_first() -> None:
    chain = night_with_evidence()
    found = moves(chain, course_of(chain))
    assert [(c.source, c.metric) for c in found] == [("postgres", "waiting"), ("web <b>", "p95_ms")]
    assert found[0].at == chain.minute(-5.5)
    assert found[1].at == chain.minute(-2.5)
    assert found[0].low == 0 and 2 < found[0].high < 2.5


def test_a_counter_and_a_steady_metric_did_not_move() -> None:
    chain = night_with_evidence()
    names = {course.metric for course in moves(chain, course_of(chain))}
    assert names.isdisjoint({"steady", "commits"})


def test_a_single_odd_reading_is_no_move() -> None:
    chain = night_with_evidence()
    calm = [
        Reading("web", chain.minute(m), {"5xx": 90.0 if m == 5 else 0.0}) for m in range(-70, 30)
    ]
    assert moves(chain, tuple(calm)) == []
    twice = [
        Reading("web", chain.minute(m), {"5xx": 90.0 if m in (5, 6) else 0.0})
        for m in range(-70, 30)
    ]
    assert [course.at for course in moves(chain, tuple(twice))] == [chain.minute(5)]


def test_without_a_calm_hour_before_the_one_after_says_what_is_usual() -> None:
    chain = outage()  # resolved after 50 minutes
    late = [
        Reading("web", chain.minute(m), {"p95": 900.0 if m < 50 else 100.0}) for m in range(130)
    ]
    (course,) = moves(chain, tuple(late))
    assert (course.low, course.high) == (95.0, 105.0)
    assert course.at == chain.minute(0)
    assert moves(chain, tuple(late[:55])) == [], "nobody knows what is usual"


def test_of_many_those_that_went_furthest_are_charted() -> None:
    chain = night_with_evidence()
    calm = {f"m{n:02}": 1.0 for n in range(20)}
    ill = {f"m{n:02}": 2.0 + n for n in range(20)}
    readings = tuple(
        Reading("db", chain.minute(m), ill if 0 <= m < 10 else calm) for m in range(-75, 30)
    )
    assert {course.metric for course in moves(chain, readings)} == {
        f"m{n:02}" for n in range(20 - MOST, 20)
    }


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=50),
    texts,
    st.lists(st.tuples(st.floats(-100, 100), texts), max_size=5),
)
def test_any_course_is_drawn_as_valid_inert_svg(
    values: list[float], name: str, marks: list[tuple[float, str]]
) -> None:
    chain = Chain()
    points = tuple((chain.minute(number), value) for number, value in enumerate(values))
    course = Course(name, name, points, -1.0, 1.0, *points[0], 2.0)
    root = parsed(chart(course, [Mark(chain.minute(m), label) for m, label in marks], BERLIN))
    assert "nan" not in ElementTree.tostring(root, "unicode").lower().replace(name.lower(), "")
    assert svg.clean(course.name) in texts_of(root)
    assert root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None


def test_a_chart_says_in_words_what_it_shows_and_marks_what_was_done() -> None:
    chain = night_with_evidence()
    first = drawn(report_of(chain, course_of(chain)))[0]
    root = parsed(first.svg)
    assert first.name == "chart-1-postgres-waiting.svg"
    assert "It left that at 2026-11-21 14:24:30 CET (13:24:30 UTC)" in first.title
    said = texts_of(root)
    assert {"opened", "End 411", "resolved", "14:30", "postgres: waiting"} <= set(said)


def test_where_nobody_looked_there_is_no_line() -> None:
    chain = night_with_evidence()
    by_name = {figure.name: figure for figure in drawn(report_of(chain, course_of(chain)))}
    lines = parsed(by_name["chart-2-web-b-p95-ms.svg"].svg).findall(f"{SVG}polyline")
    assert len(lines) == 2
    assert len(parsed(by_name["chart-1-postgres-waiting.svg"].svg).findall(f"{SVG}polyline")) == 1


def test_a_long_course_keeps_its_peak() -> None:
    chain = Chain()
    second = timedelta(seconds=1)
    points = [(chain.begin + second * n, 5.0) for n in range(20_000)]
    points[12_345] = points[12_345][0], 99.0
    course = Course("web", "p95", tuple(points), 4.0, 6.0, *points[12_345], 90.0)
    source = chart(course, [], BERLIN)
    assert len(source) < 30_000
    (line,) = parsed(source).findall(f"{SVG}polyline")
    heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
    assert min(heights) < sorted(heights)[1] - 50


def test_a_drawing_is_readable_on_light_and_on_dark() -> None:
    chain = night_with_evidence()
    source = drawn(report_of(chain, course_of(chain)))[0].svg
    (style,) = re.findall("<style>(.*?)</style>", source, re.DOTALL)
    light, _, dark = style.partition("@media screen and (prefers-color-scheme: dark)")
    assert ".chart .ground { fill: #fbfbf8 }" in light
    assert ".chart .ground { fill: #121316 }" in dark


def exhibit(*lines: tuple[tuple[str, str], ...], title: str = "redis") -> Exhibit:
    held = Evidence(EvidenceKind.PANE, title, "", picture=lines)
    return Exhibit("E7", 1, "alice", Chain().begin, held)


def test_a_picture_has_every_column_in_its_place_even_after_wide_characters() -> None:
    root = parsed(picture(exhibit((("漢字", "bold"), ("x", "down")), (("abcd", ""), ("y", "ok")))))
    first, second = root.findall(f"{SVG}text")
    assert first[-1].text == "x" and second[-1].text == "y"
    assert first[-1].attrib["x"] == second[-1].attrib["x"]
    assert "c-down" in first[-1].attrib["class"]


def test_a_pictures_text_can_be_selected_and_has_its_ground() -> None:
    root = parsed(picture(exhibit((("  api  down", "cursor"),), (("ALARM", "alarm"),))))
    assert texts_of(root) == ["  api  down", "ALARM"]
    grounds = [rect.attrib["class"] for rect in root.findall(f"{SVG}rect")]
    assert grounds == ["screen", "c-cursor-ground", "c-alarm-ground"]


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.text(), st.text(max_size=9)), max_size=4), max_size=4), texts)
def test_any_picture_is_valid_inert_svg_with_its_text(
    lines: list[list[tuple[str, str]]], title: str
) -> None:
    root = parsed(picture(exhibit(*map(tuple, lines), title=title)))
    wanted = [svg.clean("".join(text for text, _ in line)).rstrip() for line in lines]
    assert [w for w in wanted if w] == [line.rstrip() for line in texts_of(root)]


@pytest.mark.parametrize("bad", ["\ufffe", "\uffff", "\x00", "\x1b[31m", "\ud800", "\x9b"])
def test_what_xml_cannot_hold_is_a_picture_of_it(bad: str) -> None:
    root = parsed(picture(exhibit(((f"a{bad}b", ""),))))
    (line,) = texts_of(root)
    assert line[0] == "a" and line[-1] == "b" and bad not in line


def test_an_enormous_picture_is_cut() -> None:
    source = picture(exhibit(*[(("x" * 10_000, "bold"),)] * 1_000))
    assert len(source) < 400 * 1_000


def test_names_of_files_are_of_our_own_making() -> None:
    chain = Chain()
    chain.open("x", severity="P1")
    source = "../../etc/passwd\x00 <svg onload=x> " + "y" * 300
    readings = tuple(
        Reading(source, chain.minute(m), {"../m": 9.0 if m > 0 else 1.0}) for m in range(-75, 30)
    )
    (figure,) = drawn(report_of(chain, readings))
    assert re.fullmatch(r"chart-1-[a-z0-9-]{1,40}\.svg", figure.name)
    parsed(figure.svg)


def test_readers_outside_get_no_figures() -> None:
    chain = night_with_evidence()
    report = dataclasses.replace(report_of(chain, course_of(chain)), audience=Audience.EXTERNAL)
    assert drawn(report) == ()


def test_mitigations_of_hostile_names_are_labels() -> None:
    chain = night_with_evidence()
    text = "</text><script>alert(1)</script>"
    chain.add(Kind.REQUESTED, text, at=11)
    first = drawn(report_of(chain, course_of(chain)))[0]
    assert any(said.startswith("</text><script>") for said in texts_of(parsed(first.svg)))
    assert harmless(text) == text
