"""`warroom top --trend` says when each of the largest asked, to the second, however files come."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from warroom.logs import top as counting
from warroom.logs.report import Course
from warroom.logs.top import As, count, to_json
from warroom.logs.trends import POINTS, STEPS
from warroom.logs.within import Within

END = datetime(2026, 11, 21, 14, 35, 0, tzinfo=UTC).timestamp()
Request = tuple[float, str, str]
"""When, who, for what."""


def requests(lines: int, span_s: float, seed: int = 5) -> list[Request]:
    """Up to END; the busiest client comes in the last third, and few lines out of order."""
    rng = random.Random(seed)
    out = []
    for number in range(lines):
        at = END - span_s + span_s * number / lines - rng.random() * span_s / 60
        late = number > 2 * lines / 3 and rng.random() < 0.7
        who = "203.0.113.7" if late else f"10.0.0.{rng.randrange(9)}"
        out.append((float(int(at)), who, f"/user/{rng.randrange(50)}"))
    return out


def combined(found: list[Request]) -> str:
    return "".join(
        f"{who} - - [{datetime.fromtimestamp(at, UTC):%d/%b/%Y:%H:%M:%S +0000}] "
        f'"GET {path} HTTP/1.1" 200 7 "-" "x"\n'
        for at, who, path in found
    )


def by_nginx_json(found: list[Request]) -> str:
    return "".join(
        f'{{"time_iso8601":"{datetime.fromtimestamp(at, UTC).isoformat()}","remote_addr":"{who}",'
        f'"request":"GET {path} HTTP/1.1","status":"200","body_bytes_sent":"7"}}\n'
        for at, who, path in found
    )


def by_iis(found: list[Request]) -> str:
    """The columns change places in the middle."""
    half = len(found) // 2
    lines = ["#Fields: date time c-ip cs-method cs-uri-stem sc-status\n"]
    for at, who, path in found[:half]:
        lines.append(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} {who} GET {path} 200\n")
    lines.append("#Fields: sc-status cs-method cs-uri-stem c-ip date time\n")
    for at, who, path in found[half:]:
        lines.append(f"200 GET {path} {who} {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}\n")
    return "".join(lines)


def of(course: Course | None) -> tuple[float, float, int]:
    assert course is not None
    return course.first_seen, course.last_seen, sum(course.trend)


def plainly(found: list[Request], who: str) -> tuple[float, float, int]:
    times = [at for at, one, _ in found if one == who]
    return min(times), max(times), len(times)


@pytest.mark.parametrize("write", [combined, by_nginx_json, by_iis])
@pytest.mark.parametrize("span_s", [40.0, 5_000.0, 300_000.0])
def test_first_and_last_seen_and_trend_are_those_of_a_plain_reading(
    tmp_path: Path, write: Callable[[list[Request]], str], span_s: float
) -> None:
    found = requests(4000, span_s)
    path = tmp_path / "access.log"
    path.write_text(write(found))
    report = count([str(path)], n=99, trends=True)
    assert len(report.top) == 10
    assert {one.key: of(one.course) for one in report.top} == {
        one.key: plainly(found, one.key) for one in report.top
    }
    begin, end = min(at for at, *_ in found), max(at for at, *_ in found) + 1
    assert report.covers == (begin, end)
    busiest = report.top[0]
    assert busiest.course is not None
    assert busiest.course.rate == pytest.approx(busiest.count / (end - begin))
    assert len(busiest.course.trend) == POINTS
    assert busiest.key == "203.0.113.7"
    assert not any(busiest.course.trend[: POINTS // 2])


def test_every_point_of_a_trend_is_exact_to_a_step(tmp_path: Path) -> None:
    found = requests(6000, 200_000.0)
    path = tmp_path / "access.log"
    path.write_text(combined(found))
    report = count([str(path)], n=1, trends=True)
    assert report.covers is not None and report.top[0].course is not None
    begin, end = report.covers
    slack = 2 * (end - begin) / STEPS
    times = [at for at, who, _ in found if who == report.top[0].key]
    for place, told in enumerate(report.top[0].course.trend):
        low, high = (begin + (end - begin) * edge / POINTS for edge in (place, place + 1))
        surely = sum(low + slack <= at < high - slack for at in times)
        perhaps = sum(low - slack <= at < high + slack for at in times)
        assert surely <= told <= perhaps


def test_archives_several_files_and_parts_of_them_have_the_trends_of_what_was_counted(
    tmp_path: Path,
) -> None:
    found = requests(3000, 3000.0)
    text = combined(found)
    plain, packed, other = (tmp_path / name for name in ("a.log", "a.log.gz", "wide.log"))
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    other.write_bytes(b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le"))
    for by in ("ip", "path", "range"):
        trends = [count([str(p)], by, n=5, trends=True).top for p in (plain, packed, other)]
        assert trends[0] == trends[1] == trends[2]
        assert all(of(one.course)[2] == one.count for one in trends[0])
    both = count([str(plain), str(packed)], n=3, trends=True).top
    assert [of(one.course)[2] for one in both] == [one.count for one in both]
    ends = [count([str(p)], last=500, n=3, trends=True).top for p in (plain, packed)]
    assert ends[0] == ends[1]
    times = [at for at, who, _ in found[-500:] if who == ends[0][0].key]
    assert of(ends[0][0].course) == (min(times), max(times), len(times))


def test_a_stretch_of_time_is_what_rate_and_trend_are_over(tmp_path: Path) -> None:
    found = requests(3000, 3000.0)
    path = tmp_path / "a.log"
    path.write_text(combined(found))
    since = END - 900
    report = count([str(path)], reading=As(within=Within(since, END)), n=4, trends=True)
    inside = [one for one in found if since <= one[0] < END]
    assert report.covers == (since, END)
    for one in report.top:
        assert of(one.course) == plainly(inside, one.key)
        assert one.course is not None and one.course.rate == pytest.approx(one.count / 900)


def test_two_processes_tell_the_same_trends_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.log"
    path.write_text(combined(requests(3000, 3000.0)))
    alone = count([str(path)], workers=1, trends=True)
    monkeypatch.setattr(counting, "_LARGE", 0)
    assert count([str(path)], workers=2, trends=True) == alone


def test_lines_that_say_no_time_have_no_trend_and_damaged_ones_are_left_out_of_it(
    tmp_path: Path,
) -> None:
    untimed = tmp_path / "untimed.log"
    untimed.write_text(
        '{"remote_addr":"203.0.113.7","request":"GET / HTTP/1.1","status":200}\n' * 9
    )
    report = count([str(untimed)], trends=True)
    assert (report.covers, report.top[0].course) == (None, None)
    assert "rate" not in to_json(report)["top"][0]
    damaged = tmp_path / "damaged.log"
    damaged.write_text(combined(requests(50, 60.0)) + "203.0.113.7 - - [cut off\n\x00\xff\n")
    found = count([str(damaged)], n=1, trends=True).top[0]
    assert of(found.course)[2] == found.count - 1


def test_what_scripts_read_is_there_only_when_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(combined(requests(300, 60.0)))
    told = to_json(count([str(path)], trends=True))
    assert {"rate", "trend", "first_seen", "last_seen", "errors"} <= told["top"][0].keys()
    assert told["covers"]["until"] <= "2026-11-21T14:35:01+00:00"
    silent = to_json(count([str(path)]))
    assert "covers" not in silent and silent["top"][0].keys() == {
        "key", "count", "share", "bytes", "status",
    }  # fmt: skip
