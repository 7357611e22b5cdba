"""`warroom top --last 15m` counts the lines of that time, to the last one, in files and streams."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mmdb import write_mmdb
from warroom.logs import within
from warroom.logs.columns import Layout
from warroom.logs.formats.web import COMBINED
from warroom.logs.keys import By
from warroom.logs.places import Places
from warroom.logs.top import As, count, to_json
from warroom.logs.within import SLACK_S, Within

END = datetime(2026, 11, 21, 14, 35, 0, tzinfo=UTC).timestamp()


def line(at: float, client: str = "203.0.113.7", path: str = "/") -> str:
    written = datetime.fromtimestamp(at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - - [{written}] "GET {path} HTTP/1.1" 200 7 "-" "x"\n'


def log(
    lines: int, step: float, *, disorder: float = 0.0, seed: int = 3
) -> tuple[str, list[float]]:
    """Lines up to END, `step` seconds apart, out of order by some of them."""
    rng = random.Random(seed)
    times = [END - (lines - n) * step - rng.random() * disorder for n in range(lines)]
    return "".join(line(int(at), f"10.0.{n % 7}.1") for n, at in enumerate(times)), [
        float(int(at)) for at in times
    ]


@pytest.mark.parametrize("disorder", [0.0, SLACK_S / 2])
@pytest.mark.parametrize("minutes", [1, 15, 60, 10_000])
def test_the_last_minutes_of_a_file_are_those_of_a_plain_reading(
    tmp_path: Path, minutes: int, disorder: float
) -> None:
    text, times = log(30_000, 0.5, disorder=disorder)
    path = tmp_path / "access.log"
    path.write_text(text)
    since = END - 60 * minutes
    found = count([str(path)], reading=As(within=Within(since, END)), n=99)
    assert found.parsed == sum(since <= at < END for at in times)
    plain = Counter(f"10.0.{n % 7}.1" for n, at in enumerate(times) if since <= at < END)
    assert {top.key: top.count for top in found.top} == plain
    packed = tmp_path / "access.log.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert count([str(packed)], reading=As(within=Within(since, END)), n=99).top == found.top


def test_a_stretch_in_the_middle_is_cut_at_both_ends_and_little_of_the_file_is_read(
    tmp_path: Path,
) -> None:
    text, times = log(60_000, 0.5)
    path = tmp_path / "access.log"
    path.write_text(text)
    since, until = END - 12_000, END - 11_000
    span = Within(since, until)
    found = count([str(path)], reading=As(within=span))
    assert found.lines == sum(since <= at < until for at in times) == 2000
    assert (found.span, to_json(found)["since"]) == ((since, until), "2026-11-21T11:15:00+00:00")
    with path.open("rb") as file:
        parts = span.stretch(file, Layout(COMBINED))
    read = sum(stop - start for start, stop, edge in parts if edge)
    assert read < len(text) / 20


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(0, 400), max_size=80),
    st.integers(-50, 2000),
    st.integers(1, 1500),
    st.booleans(),
)
def test_any_gap_and_any_edge_gives_what_a_plain_reading_gives(
    steps: list[int], begin: int, length: int, traces: bool
) -> None:
    at, lines, wanted = END, [], 0
    since, until = END + begin, END + begin + length
    for step in steps:
        at += step
        lines.append(line(at))
        wanted += since <= at < until
        if traces:  # belongs to the line before it
            lines.append("Traceback (most recent call last):\n")
    real, within._NEAR = within._NEAR, 150  # halved down to two lines
    try:
        file = io.BytesIO("".join(lines).encode())
        span = Within(since, until)
        layout = Layout(COMBINED)
        kept = b""
        for place, (start, stop, edge) in enumerate(span.stretch(file, layout)):
            span.enter(inside=place > 0)
            file.seek(start)
            data = file.read(stop - start)
            kept += span.pick(data, layout) if edge else data
    finally:
        within._NEAR = real
    assert kept.count(b"GET") == wanted
    assert kept.count(b"Trace") == (wanted if traces else 0)


def test_a_log_of_another_day_is_told_by_its_newest_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(line(END - 86_400) + line(END - 86_000))
    found = count([str(path)], reading=As(within=Within(END - 900, END)))
    assert (found.lines, found.newest) == (0, END - 86_000)


def test_zstd_archives_are_read_also_when_they_were_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "access.log.zst"
    for part in (line(END), line(END, "203.0.113.8") * 2):
        packed = subprocess.run(
            ["zstd", "-c"], input=part.encode(), capture_output=True, check=True
        )
        with path.open("ab") as file:
            file.write(packed.stdout)
    assert [(t.key, t.count) for t in count([str(path)]).top] == [
        ("203.0.113.8", 2),
        ("203.0.113.7", 1),
    ]
    path.write_bytes(b"no archive at all")
    with pytest.raises(OSError, match="damaged archive"):
        count([str(path)])


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("wide", {"203.0.0.0/16": 3, "2001:db8::/32": 2}),
        ("narrow", {"2001:db8:1:2::/64": 2, "203.0.113.7": 2, "203.0.9.1": 1}),
        ("method", {"GET": 5}),
        ("path", {"/user/*": 4, "/": 1}),
        ("url", {"/user/1": 2, "/user/2": 2, "/": 1}),
        ("country", {"NL": 2, "FR": 2}),
        ("asn", {"AS64500 Example Org": 3}),
        ("host", {}),
    ],
)
def test_files_are_counted_by_all_that_is_counted_live(
    tmp_path: Path, by: By, keys: dict[str, int]
) -> None:
    clients = ("203.0.113.7", "203.0.113.7", "2001:db8:1:2::1", "2001:db8:1:2::2", "203.0.9.1")
    urls = ("/user/1", "/user/2?q", "/user/1", "/user/2", "/")
    path = tmp_path / "access.log"
    path.write_text("".join(line(END, *pair) for pair in zip(clients, urls, strict=True)))
    places = {
        "203.0.0.0/16": {"asn": 64500, "as_name": "Example Org"},
        "2001:db8::/32": {"country": {"iso_code": "FR"}},
    }
    countries = {"203.0.113.0/24": {"country": {"iso_code": "NL"}}}
    reading = As(
        places=Places([write_mmdb(tmp_path / "a", places), write_mmdb(tmp_path / "c", countries)])
    )
    for full in (True, False):
        found = count([str(path)], by, reading=reading, full=full)
        assert {top.key: top.count for top in found.top} == keys
        assert found.parsed == sum(keys.values())


def test_the_range_behind_most_requests_is_named_when_ranges_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    flood = "".join(line(END, f"203.0.{n}.{n}") for n in range(90))
    path.write_text(flood + "".join(line(END, f"{n}.1.1.1") for n in range(1, 11)))
    for by in ("range", "wide"):
        found = count([str(path)], by)  # type: ignore[arg-type]
        assert found.explained is not None
        assert (found.explained.key, found.explained.count) == ("203.0.0.0/16", 90)
    assert count([str(path)], "ip").explained is None
    path.write_text("".join(line(END, f"{n}.1.1.1") for n in range(1, 90)))
    assert count([str(path)], "range").explained is None
