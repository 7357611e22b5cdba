"""Top talkers say exactly who asked within a window, and what they could not hold."""

from __future__ import annotations

from collections import Counter
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.logs import _buckets, talkers
from warroom.logs.columns import Columns, Layout, columns
from warroom.logs.formats.web import COMBINED
from warroom.logs.talkers import BUCKET_S, WINDOWS, TalkerBy, Talkers

START = 1_795_268_100.0
LAYOUT = Layout(COMBINED)


def lines(*requests: tuple[str, str, int, int]) -> Columns:
    text = "".join(
        f'{ip} - - [21/Nov/2026:14:35:02 +0000] "GET {path} HTTP/1.1" {status} {size} "-" "x"\n'
        for ip, path, status, size in requests
    )
    return columns(text.encode(), LAYOUT)


def test_a_ranking_has_counts_shares_rates_bytes_classes_and_trends() -> None:
    crowd = Talkers(START)
    crowd.feed(lines(("203.0.113.7", "/a", 200, 100), ("203.0.113.8", "/a?x", 502, 7)), START + 1)
    crowd.feed(lines(*[("203.0.113.7", "/b", 503, 1)] * 2), START + 11)
    found = crowd.ranking("ip", 5, now=START + 20)
    assert (found.total, found.span_s, found.rate) == (4, 20.0, 0.2)
    assert found.by_status == {"2xx": 1, "5xx": 3}
    assert (found.bytes, found.unknown, found.short) == (109, 0, 0)
    first, second = found.talkers
    assert (first.key, first.count, first.share, first.rate) == ("203.0.113.7", 3, 0.75, 0.15)
    assert (first.bytes, first.by_status) == (102, {"2xx": 1, "5xx": 2})
    assert first.trend == (1, 2, 0)
    assert first.first_seen == START
    assert second.trend == (1, 0, 0)
    assert [t.key for t in crowd.top("range", 5, now=START + 20)] == ["203.0.113.0/24"]
    assert [t.key for t in crowd.top("path", 5, now=START + 20)] == ["/b", "/a"]
    assert {t.key: t.count for t in crowd.top("status", 5, now=START + 20)} == {
        "503": 2, "502": 1, "200": 1,
    }  # fmt: skip


def test_requests_leave_a_window_when_it_is_over_and_stay_since_the_start() -> None:
    crowd = Talkers(START)
    crowd.feed(lines(("203.0.113.7", "/", 200, 1)), START)
    assert crowd.ranking("ip", 1, now=START + 69).total == 1
    assert crowd.ranking("ip", 1, now=START + 70).total == 0
    assert crowd.ranking("ip", 1, now=START + 70, window_s=300).total == 1
    assert crowd.ranking("ip", 1, now=START + 9999, window_s=900).talkers == ()
    assert crowd.ranking("ip", 1, now=START + 9999, window_s=0).total == 1


def test_one_talker_can_be_asked_for_by_its_key() -> None:
    crowd = Talkers(START)
    crowd.feed(lines(*[("203.0.113.7", "/", 200, 1)] * 3), START)
    found = crowd.one("ip", "203.0.113.7", now=START + 1)
    assert found is not None
    assert found.count == 3
    assert crowd.one("ip", "203.0.113.8", now=START + 1) is None


def test_clients_that_are_no_addresses_are_unknown_and_damaged_lines_are_no_requests() -> None:
    crowd = Talkers(START)
    crowd.feed(lines(("unix:", "/a", 200, 5), ("203.0.113.7", "/b", 200, 5)), START)
    crowd.feed(columns(b"Traceback (most recent call last):\n\n203.0.113.9 -\n", LAYOUT), START)
    found = crowd.ranking("ip", 5, now=START + 1)
    assert (found.total, found.unknown) == (3, 1)
    assert {t.key for t in found.talkers} == {"203.0.113.7", "203.0.113.9"}
    assert found.by_status == {"2xx": 2, "none": 1}
    assert crowd.requests == 3


def test_a_clock_set_back_loses_nothing() -> None:
    crowd = Talkers(START)
    crowd.feed(lines(("203.0.113.7", "/", 200, 1)), START + 50)
    crowd.feed(lines(("203.0.113.7", "/", 200, 1)), START)
    assert crowd.ranking("ip", 1, now=START + 50).total == 2


ASKED = st.tuples(
    st.sampled_from(["203.0.113.7", "203.0.113.8", "198.51.100.1", "2001:db8::1", "-"]),
    st.sampled_from(["/", "/a", "/a?q", "/b"]),
    st.sampled_from([200, 304, 404, 502]),
    st.integers(0, 9999),
)
ARRIVALS = st.lists(st.tuples(st.integers(0, 400), st.lists(ASKED, max_size=6)), max_size=12)


@settings(deadline=None)
@given(ARRIVALS, st.sampled_from(WINDOWS), st.sampled_from(["ip", "path", "status"]))
def test_every_ranking_equals_a_plain_recount(
    arrivals: list[tuple[int, list[tuple[str, str, int, int]]]], window: int, by: TalkerBy
) -> None:
    crowd = Talkers(START)
    seen: list[tuple[float, str]] = []
    now = START
    for later, requests in arrivals:
        now += later / 4
        crowd.feed(lines(*requests), now)
        for ip, path, status, _ in requests:
            key = {"ip": ip, "path": path.partition("?")[0], "status": str(status)}[by]
            seen.append((now, key))
        found = crowd.ranking(by, 99, now=now, window_s=window)
        since = now // BUCKET_S * BUCKET_S - window if window else 0
        plain = Counter(key for at, key in seen if at >= since)
        assert found.unknown == plain.pop("-", 0)
        assert {t.key: t.count for t in found.talkers} == plain
        assert found.total == plain.total() + found.unknown
        assert all(sum(t.trend) == t.count for t in found.talkers if window or now < START + 900)


def test_a_flood_from_everywhere_is_bounded_and_says_how_far_it_may_be_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("KEYS", 4000), ("SINCE_KEYS", 2000), ("BUCKET_KEYS", 400)):
        monkeypatch.setattr(talkers, name, value)
    monkeypatch.setattr(talkers, "LEAST", 100)
    monkeypatch.setattr(talkers, "_OPEN_KEYS", 1000)
    monkeypatch.setattr(_buckets, "_SORT_IN_AFTER", 200)
    crowd = Talkers(START)
    for second in range(60):
        crowd_of = [(f"10.{second}.{n // 250}.{n % 250}", "/", 200, 1) for n in range(600)]
        crowd.feed(lines(*crowd_of, *[("203.0.113.7", "/", 200, 1)] * 30), START + second)
    found = crowd.ranking("ip", 3, now=START + 60)
    assert found.total == 60 * 630
    assert found.short > 0
    assert found.talkers[0].key == "203.0.113.7"
    assert (found.talkers[0].count, found.talkers[0].short) == (1800, 0), "it was always held"
    assert all(t.count <= 1 <= t.count + t.short for t in found.talkers[1:])
    held = sum(bucket.keys for bucket in crowd._closed)
    assert held <= 4000 + 7 * len(talkers.TALKER_GROUPS) * 100


def test_no_single_step_of_a_flood_takes_long() -> None:
    crowd = Talkers(START)
    requests = [(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", "/", 200, 1) for n in range(50_000)]
    chunks = [lines(*requests[i : i + 400]) for i in range(0, 50_000, 400)]
    longest = 0.0
    for at in range(3):
        for index, chunk in enumerate(chunks):
            began = process_time()
            crowd.feed(chunk, START + 10 * at + index / 13)
            longest = max(longest, process_time() - began)
    assert longest < 0.25
    assert crowd.requests == 150_000
