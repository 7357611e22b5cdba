"""The timeline as lines: windows, rows, details, previews, and where everything stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.events import stored
from tests.support.hostile import CORPUS
from warroom.domain.corrections import Version
from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind, Exhibit
from warroom.domain.timeline import Entry
from warroom.tui.commands import FORBIDDEN
from warroom.tui.screens.timeline import areas as where
from warroom.tui.screens.timeline.content import (
    Content,
    Kept,
    content_of,
    imagined,
    unpacked,
)
from warroom.tui.screens.timeline.detail import Subject, detail_lines
from warroom.tui.screens.timeline.draw import Look, folded, framed, row, window
from warroom.tui.screens.timeline.fields import Text
from warroom.tui.screens.timeline.keys import KEYS, help_lines
from warroom.tui.screens.timeline.preview import preview_lines, source_of
from warroom.tui.screens.timeline.screen import TimelineScreen
from warroom.tui.widgets.lines import Line, width_of

LOOK = Look(ZoneInfo("Europe/Berlin"))
PLAIN = Look(ZoneInfo("UTC"), ascii_only=True)
AT = datetime(2026, 11, 21, 13, 35, 2, tzinfo=UTC)


def entry(text: str = "pool is full", **said: Any) -> Entry:
    return Entry(said.pop("seq", 7), said.pop("at", AT), "alice", Kind.NOTE, text, **said)


def plain(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


# The window -----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40).map(sorted),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 12),
)
def test_the_cursor_is_always_in_the_window_and_every_new_day_is_named(
    numbers: list[int], cursor: int, top: int, height: int
) -> None:
    days = [str(number) for number in numbers]
    cursor = min(cursor, len(days) - 1)
    view = window(days, len(days), cursor, top, height)
    shown = [index for index in view.rows if index is not None]
    assert len(view.rows) <= height
    assert cursor in shown
    assert shown == list(range(view.top, view.top + len(shown)))
    for above, below in pairwise(view.rows):
        if below is not None and above is not None:
            assert days[above] == days[below]
    if len(view.rows) < height:
        assert len(days) == 1 or view.top == 0 or days[view.top - 1] != days[view.top]


def test_a_window_moves_no_more_than_it_must() -> None:
    days = ["a"] * 100
    assert window(days, 100, 50, 45, 10).top == 45
    assert window(days, 100, 56, 45, 10).top == 47
    assert window(days, 100, 40, 45, 10).top == 40
    assert window([], 0, 0, 0, 10).rows == ()


# Lines ----------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.integers(4, 40))
def test_folded_text_fits_and_nothing_but_blanks_is_left_out(text: str, width: int) -> None:
    lines = folded([(text, "")], width, "  ")
    assert all(width_of(line) <= max(width, 4) for line in lines)
    kept = "".join(piece for line in lines for piece, _ in line)
    assert "".join(kept.split()) == "".join(text.split())


@given(st.text(max_size=200), st.integers(30, 130))
def test_a_row_is_exactly_as_wide_as_it_is_told(text: str, width: int) -> None:
    one = entry(text, starred=True, data={"tags": ["action", text]})
    for here in (True, False):
        made = row(one, width, LOOK, here=here, marked=here, labels=["E1", "E2", "E3", "E4"])
        assert width_of(made) == width


def test_a_row_says_what_matters() -> None:
    rival = Version(9, "bob", AT, AT, "other")
    said = plain([row(entry("two\nlines", starred=True, internal=True, rivals=(rival,)), 120, LOOK,
                      here=False, marked=True, labels=["E3"])])  # fmt: skip
    assert said.startswith("✓★ 14:35:02 13:35:02Z alice")
    for part in ("two ⏎ lines", "2 versions", "E3", "internal"):
        assert part in said


def test_ascii_has_nothing_beyond_ascii() -> None:
    one = entry(starred=True, data={"tags": ["action"]})
    lines: list[Line] = [row(one, 80, PLAIN, here=True, marked=False)]
    lines += framed([("t", "")], [], lines, (80, 4), PLAIN, focused=True)
    lines += detail_lines(Subject(one, stored(Kind.NOTE, "x", seq=7), ()), 40, PLAIN)
    lines += preview_lines(source_of(entry(), PLAIN), 40, PLAIN)
    lines += help_lines(ascii_only=True)
    assert plain([line for line in lines if "·" not in plain([line])]).replace("…", "").isascii()


def test_a_line_that_is_just_full_leaves_no_blank_for_the_next() -> None:
    assert plain(folded([("12345 6789", "")], 5)) == "12345\n6789"
    assert plain(folded([("12 45 ", ""), ("6789", "bold")], 5)) == "12 45\n6789"
    assert plain(folded([("漢字漢字 x", "")], 6, " ")) == "漢字漢\n 字 x"


# The detail and the preview -------------------------------------------------------------------


def test_the_detail_says_everything_about_an_entry() -> None:
    first, second = (
        Version(seq, who, AT + timedelta(minutes=seq), AT, text)
        for seq, who, text in ((7, "alice", "pool"), (9, "bob", "pool is full"))
    )
    rival = Version(8, "carol", AT, AT - timedelta(minutes=3), "the pool of api")
    evidence = Evidence(EvidenceKind.ROWS, "redis rows", "used 1.4 MiB\nhit 31%", source="redis",
                        host="db1", query="INFO", begin=AT, end=AT)  # fmt: skip
    one = entry(starred=True, data={"tags": ["impact"], "check": "redis.hit"}, rivals=(rival,))
    event = stored(Kind.NOTE, "pool", seq=7, at=AT - timedelta(hours=1))
    subject = Subject(one, event, (first, second), (Exhibit("E3", 7, "bob", AT, evidence),))
    said = plain(detail_lines(subject, 60, LOOK))
    for part in (
        *("14:35:02 CET", "Sat 21 Nov 2026", "13:35:02 UTC", "★ starred", "#impact"),
        *("alice (uid 1000) from 192.0.2.10", "note, entry 7", "because it is starred"),
        *("two versions", "carol at 14:35:02 CET, for 14:32:02 CET", "the pool of api"),
        *("E3  redis rows", "redis on db1", "INFO", "hit 31%", "check: redis.hit"),
        *("every version", "bob", "pool is full"),
    ):
        assert part in said, part


def test_an_entry_written_down_late_says_how_late() -> None:
    event = stored(Kind.NOTE, "x", seq=7, at=AT + timedelta(hours=2))
    said = plain(detail_lines(Subject(entry(), event, ()), 60, LOOK))
    assert "16:35:02 CET, 2h00m later" in said


def test_the_preview_is_what_commonmark_makes_of_the_report() -> None:
    text = "<b>*pool*</b> [x](http://evil)\n- no list\n# no heading"
    source = source_of(entry(text, starred=True, data={"tags": ["impact"]}), LOOK, ["E1"])
    said = plain(preview_lines(source, 200, LOOK))
    assert said.splitlines() == [
        "• ★ 14:35:02 CET · 13:35:02 UTC · alice (impact): <b>*pool*</b> [x](http://evil)",
        "  - no list",
        "  # no heading [E1]",
    ]
    assert source_of(Entry(1, AT, "a", Kind.FIELD, "x"), LOOK) == ""


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_text_stays_text_in_every_part(name: str) -> None:
    text = CORPUS[name]
    rival = Version(8, text, AT, AT, text)
    one = entry(text, data={"tags": [text], text: text}, rivals=(rival,))
    evidence = Evidence(EvidenceKind.OUTPUT, text, text, text, text, text)
    event = stored(Kind.NOTE, text, seq=7)
    lines = detail_lines(
        Subject(one, event, (rival, rival), (Exhibit("E1", 7, text, AT, evidence),)), 60, LOOK
    )
    lines += [row(one, 80, LOOK, here=False, marked=False, labels=["E1"])]
    lines += preview_lines(source_of(one, LOOK, ["E1"]), 60, LOOK)
    assert all(piece.isprintable() for line in lines for piece, _ in line)


def test_a_text_of_ten_megabytes_is_shown_in_part_and_says_so() -> None:
    one = entry("pool " * 2_000_000)
    said = plain(detail_lines(Subject(one, stored(Kind.NOTE, "x", seq=7), ()), 60, LOOK))
    assert "(10,000,000 characters; E opens all of it)" in said
    assert width_of(row(one, 100, LOOK, here=False, marked=False)) == 100
    assert preview_lines(source_of(one, LOOK), 60, LOOK)


# Where everything stands ----------------------------------------------------------------------


@given(st.integers(20, 300), st.integers(5, 120), st.booleans())
def test_the_parts_cover_the_screen_and_never_each_other(
    width: int, height: int, detail: bool
) -> None:
    plan = where.areas(width, height, detail=detail)
    regions = list(plan.regions.values())
    assert sum(region.area for region in regions) == width * height
    for number, one in enumerate(regions):
        assert all(not one.overlaps(other) for other in regions[number + 1 :])
    form = where.form_area(width, height)
    assert form.x >= 0 and form.right <= width and form.y >= 0 and form.bottom <= height


@pytest.mark.parametrize(
    ("size", "detail", "shown"),
    [
        ((80, 24), False, {"entries"}),
        ((80, 24), True, {"detail", "preview"}),
        ((120, 40), False, {"entries", "detail", "preview"}),
        ((200, 60), False, {"entries", "detail", "preview"}),
        ((59, 24), False, set()),
    ],
)
def test_what_is_shown_depends_on_the_size(
    size: tuple[int, int], detail: bool, shown: set[str]
) -> None:
    regions = where.areas(*size, detail=detail).regions
    assert regions.keys() - {"head", "chips", "keys"} == shown


# Keys -----------------------------------------------------------------------------------------


def test_every_key_does_one_thing_there_is_and_none_is_forbidden() -> None:
    keys = [key for one in KEYS for key in one.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert not set(keys) & FORBIDDEN
    for one in KEYS:
        assert hasattr(TimelineScreen, f"action_{one.action.partition('(')[0]}"), one.action


def test_the_help_names_every_key() -> None:
    said = plain(help_lines())
    for one in KEYS:
        assert one.help in said
        assert f"  {one.key_text}" in said


def test_a_text_field_has_no_key_that_belongs_to_the_terminal() -> None:
    keys = [key for binding in Text.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
    assert "ctrl+k" in keys
    assert not set(keys) & FORBIDDEN


# What a form holds ----------------------------------------------------------------------------


def test_a_draft_comes_back_as_it_was_kept() -> None:
    content = Content("text\nof two", "5m ago", ("action", "own"), "external", True)
    kept = Kept(content, Content("text"), 12, AT)
    assert unpacked(kept.packed()) == kept


@given(st.text())
def test_what_is_no_draft_is_none(text: str) -> None:
    assert unpacked(text) is None


@pytest.mark.parametrize(
    "text",
    ['{"at": "x"}', '{"at": "2026-01-01", "base": 1}', "[1]", "7",
     '{"at": "2026-01-01", "base": 1, "content": {"text": 7}, "before": {}}'],
)  # fmt: skip
def test_half_a_draft_is_none(text: str) -> None:
    assert unpacked(text) is None


def test_what_is_imagined_is_what_the_entry_would_be() -> None:
    one = entry(data={"source": "api", "tags": ["own"]}, internal=True)
    content = content_of(one, LOOK.zone)
    assert content == Content("pool is full", "2026-11-21 14:35:02", ("own",), "internal", False)
    changed = content.toggled("own").toggled("action").other_audience()
    made = imagined(changed, AT, "bob", one)
    assert (made.tags, made.internal, made.for_outside) == (("action",), False, True)
    assert made.data["source"] == "api" and made.author == "alice"
    assert imagined(Content("new"), AT, "bob", None).author == "bob"
