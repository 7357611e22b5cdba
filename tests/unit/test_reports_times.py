"""Instants as a report writes them: the same one by one and by the thousand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from warroom.reports.times import stamp, stamper

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Monrovia",
         "Australia/Lord_Howe", "Pacific/Kiritimati"]  # fmt: skip
instants = st.integers(-631_000_000, 4_100_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(st.lists(instants, max_size=5), st.sampled_from(ZONES))
def test_many_are_written_as_each_alone(several: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    of = stamper(zone)
    for instant in [*several, *several]:
        assert of(instant) == stamp(instant, zone)


def test_half_past_two_comes_twice_and_is_told_apart() -> None:
    of = stamper(ZoneInfo("Europe/Berlin"))
    summer, winter = (datetime(2026, 10, 25, hour, 30, 7, tzinfo=UTC) for hour in (0, 1))
    assert (of(summer).time, of(winter).time) == ("02:30:07 CEST", "02:30:07 CET")
    assert of(summer).utc == "00:30:07 UTC"
