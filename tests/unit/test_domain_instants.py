"""Times as people type them: what they mean, and that nothing else is ever made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from warroom.domain.instants import NotUnderstood, between, typed, understand

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 13, 35, 40, tzinfo=UTC)  # a Saturday, 14:35:40 in Berlin
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata",
        "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu",
    )
]  # fmt: skip
EARLIEST, LATEST = (datetime(year, 1, 1) for year in (2000, 2038))  # noqa: DTZ001


def at(text: str, *, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> str:
    return f"{understand(text, now, zone).at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("", "2026-11-21 13:35:40"),
        ("now", "2026-11-21 13:35:40"),
        ("14:35", "2026-11-21 13:35:00"),
        ("14:35:10", "2026-11-21 13:35:10"),
        ("2:35 pm", "2026-11-21 13:35:00"),
        ("12am", "2026-11-20 23:00:00"),
        ("5m ago", "2026-11-21 13:30:40"),
        ("5 min ago", "2026-11-21 13:30:40"),
        ("90 sec ago", "2026-11-21 13:34:10"),
        ("2 h ago", "2026-11-21 11:35:40"),
        ("1h05m ago", "2026-11-21 12:30:40"),
        ("1h05 ago", "2026-11-21 12:30:40"),
        ("1 hour and 5 minutes ago", "2026-11-21 12:30:40"),
        ("1.5h ago", "2026-11-21 12:05:40"),
        ("-10m", "2026-11-21 13:25:40"),
        ("2 days ago", "2026-11-19 13:35:40"),
        ("yesterday 23:10", "2026-11-20 22:10:00"),
        ("today 09:00", "2026-11-21 08:00:00"),
        ("mon 09:00", "2026-11-16 08:00:00"),
        ("Monday 09:00", "2026-11-16 08:00:00"),
        ("sat 14:00", "2026-11-21 13:00:00"),
        ("sat 15:00", "2026-11-14 14:00:00"),
        ("2026-11-20 23:10", "2026-11-20 22:10:00"),
        ("2026-11-20T23:10:11.5+01:00", "2026-11-20 22:10:11"),
        ("2026-11-20 22:10:11Z", "2026-11-20 22:10:11"),
        ("20 Nov 23:10", "2026-11-20 22:10:00"),
        ("24 dec 18:00", "2025-12-24 17:00:00"),
        ("29 feb 10:00", "2024-02-29 09:00:00"),
        ("Sat 21 Nov 14:00", "2026-11-21 13:00:00"),
        ("13:10Z", "2026-11-21 13:10:00"),
        ("13:10 UTC", "2026-11-21 13:10:00"),
        ("14:10 CET", "2026-11-21 13:10:00"),
        ("15:10 +02:00", "2026-11-21 13:10:00"),
        ("15:10 utc+2", "2026-11-21 13:10:00"),
    ],
)
def test_what_people_type_means_what_they_mean(text: str, utc: str) -> None:
    assert at(text) == utc


def test_a_time_of_day_later_than_now_was_yesterdays() -> None:
    assert at("14:36") == "2026-11-20 13:36:00"
    assert at("13:36Z") == "2026-11-20 13:36:00"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("today 23:10", "Sat 21 Nov 23:10 is in the future: now is Sat 21 Nov 14:35"),
        ("tomorrow 10:00", "is in the future"),
        ("2026-11-22 10:00", "is in the future"),
        ("2027-01-01 10:00", "is in the future"),
        ("25:10", "25:10 is no time of day"),
        ("14:61", "14:61 is no time of day"),
        ("13pm", "13pm is no time of day"),
        ("2026-02-30 10:00", "2026-02-30 is no date"),
        ("yesterday", "at what time of that day"),
        ("mon", "at what time of that day"),
        ("2026-11-20", "at what time of that day"),
        ("14", "not understood: try 14:35, 5m ago"),
        ("a while ago", "how long ago?"),
        ("5 parsecs ago", "how long ago?"),
        ("lunch", "not understood: try"),
        ("14:35 CEST", '"CEST" is not on the clocks of Europe/Berlin then: it is CET'),
        ("14:35 PST", '"PST" is not on the clocks'),
        ("14:35 +29:00", "is no offset"),
        ("999999999d ago", "the calendar does not go that far"),
        ("99999999999d ago", "how long ago?"),
        ("+5m", "none is selected"),
        ("+soon", "a length is wanted"),
        ("x" * 100_000, "too long"),
    ],
)
def test_what_cannot_be_taken_says_why(text: str, why: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        understand(text, NOW, BERLIN)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_plus_counts_from_the_selected_entry() -> None:
    entry = NOW - timedelta(hours=1)
    assert understand("+5m", NOW, BERLIN, after=entry).at == entry + timedelta(minutes=5)
    with pytest.raises(NotUnderstood, match="in the future"):
        understand("+2h", NOW, BERLIN, after=entry)


AUTUMN = datetime(2026, 10, 25, 12, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_an_hour_that_is_there_twice_is_the_first_and_says_how_to_mean_the_second() -> None:
    found = understand("02:30", AUTUMN, BERLIN)
    assert f"{found.at:%H:%M}" == "00:30"
    assert "the first (CEST) is taken" in found.note
    assert "write 02:30 CET" in found.note
    assert at("02:30 CET", now=AUTUMN) == "2026-10-25 01:30:00"
    assert at("02:30 2nd", now=AUTUMN) == "2026-10-25 01:30:00"
    assert at("02:30 first", now=AUTUMN) == "2026-10-25 00:30:00"
    assert at("02:30 CEST", now=AUTUMN) == "2026-10-25 00:30:00"
    assert understand("03:30", AUTUMN, BERLIN).note == ""


def test_an_hour_that_is_left_out_is_taken_as_if_the_clocks_had_not_gone_forward_yet() -> None:
    found = understand("02:30", SPRING, BERLIN)
    assert f"{found.at:%H:%M}" == "01:30"
    assert "left out" in found.note
    assert "03:30 CEST" in found.note


def test_a_zone_without_abbreviations_offers_its_offsets() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # goes back by half an hour
    now = datetime(2026, 4, 6, tzinfo=UTC)
    found = understand("2026-04-05 01:45", now, lord_howe)
    second = found.note.rpartition("write 01:45 ")[2]
    other = understand(f"2026-04-05 01:45 {second}", now, lord_howe)
    assert other.at - found.at == timedelta(minutes=30)


@given(st.datetimes(EARLIEST, LATEST), st.sampled_from(ZONES))
def test_what_is_shown_to_be_edited_is_taken_for_the_same_instant(
    when: datetime, zone: ZoneInfo
) -> None:
    instant = when.replace(tzinfo=UTC, microsecond=0)
    assert understand(typed(instant, zone), instant + timedelta(hours=3), zone).at == instant


@given(st.datetimes(EARLIEST, LATEST), st.times(), st.sampled_from(ZONES))
def test_a_bare_time_is_at_most_about_a_day_ago_and_reads_as_it_was_typed(
    when: datetime, clock: object, zone: ZoneInfo
) -> None:
    now = when.replace(tzinfo=UTC)
    text = f"{clock:%H:%M:%S}"
    found = understand(text, now, zone)
    assert now - timedelta(hours=49) < found.at <= now  # Apia once left a whole day out
    assume(not found.note)
    assert f"{found.at.astimezone(zone):%H:%M:%S}" == text


@given(st.datetimes(EARLIEST, LATEST), st.integers(0, 10_000), st.sampled_from("smhdw"))
def test_a_length_ago_is_that_long_ago(when: datetime, amount: int, unit: str) -> None:
    now = when.replace(tzinfo=UTC)
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    gone = timedelta(seconds=amount * seconds)
    assume(now - gone > datetime(2, 1, 1, tzinfo=UTC))
    for text in (f"{amount}{unit} ago", f"{amount} {unit} ago", f"-{amount}{unit}"):
        assert understand(text, now, BERLIN).at == now - gone


@given(st.text(), st.datetimes(EARLIEST, LATEST), st.sampled_from(ZONES))
def test_no_text_is_more_than_not_understood(text: str, when: datetime, zone: ZoneInfo) -> None:
    now = when.replace(tzinfo=UTC)
    try:
        assert understand(text, now, zone, after=now).at <= now
    except NotUnderstood as refused:
        assert str(refused)


@given(st.from_regex(r"[0-9 :.apmztuc+\-hjan]{0,24}", fullmatch=True))
def test_nothing_that_looks_like_a_time_is_taken_for_the_future(text: str) -> None:
    try:
        assert understand(text, NOW, BERLIN, after=NOW).at <= NOW
    except NotUnderstood as refused:
        assert str(refused)


@given(st.datetimes(EARLIEST, LATEST), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_what_is_inserted_between_two_entries_lies_between_them(
    when: datetime, gap: timedelta
) -> None:
    before = when.replace(tzinfo=UTC)
    assert before <= between(before, before + gap) <= before + gap
