"""Instants as a report writes them: the same one by one and by the thousand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from warroom.reports.times import iso, stamp, stamps

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Monrovia",
         "Australia/Lord_Howe", "Pacific/Kiritimati"]  # fmt: skip
instants = (
    st.integers(-631_000_000, 4_100_000_000)
    .flatmap(lambda s: st.sampled_from([s, s + 0.25]))
    .map(lambda s: datetime.fromtimestamp(s, UTC))
)


@given(st.lists(instants, max_size=5), st.sampled_from(ZONES))
def test_many_are_written_as_each_alone(several: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    twice = [*several, *several]
    assert list(stamps(twice, zone)) == [stamp(instant, zone) for instant in twice]
    assert iso(twice) == [instant.isoformat() for instant in twice]


def test_half_past_two_comes_twice_and_is_told_apart() -> None:
    night = [datetime(2026, 10, 25, hour, 30, 7, tzinfo=UTC) for hour in (0, 1)]
    summer, winter = stamps(night, ZoneInfo("Europe/Berlin"))
    assert (summer[1], winter[1]) == ("02:30:07 CEST", "02:30:07 CET")
    assert summer[2] == "00:30:07 UTC"
