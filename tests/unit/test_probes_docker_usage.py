"""The docker CLI's arithmetic on the engine's figures, for both generations of cgroups."""

from __future__ import annotations

from typing import Any

import pytest

from warroom.probes._docker_usage import Usage, cpu_percent, memory_used, usage


def stats(read: str = "2026-11-21T11:27:46.416921947Z", **parts: Any) -> dict[str, Any]:
    """A stats object as dockerd 20.10 sent it for an idle shell, cut to what is read."""
    return {
        "read": read,
        "cpu_stats": {
            "cpu_usage": {"total_usage": 29_625_264, "percpu_usage": [20_917_630, 8_707_634]},
            "system_cpu_usage": 4_480_800_000_000,
            "online_cpus": 2,
        },
        "precpu_stats": {
            "cpu_usage": {"total_usage": 28_456_292},
            "system_cpu_usage": 4_478_810_000_000,
        },
        "memory_stats": {"usage": 790_528, "limit": 104_857_600, "stats": {}},
        "networks": {"eth0": {"rx_bytes": 1_000, "tx_bytes": 50}, "eth1": {"rx_bytes": 42}},
        **parts,
    }


def read(stats: dict[str, Any], before: Usage | None = None) -> Usage:
    seen = usage(stats, before)
    assert seen is not None
    return seen


def test_cpu_is_the_share_of_the_systems_time_times_its_cpus():
    assert read(stats()).cpu_percent == pytest.approx(1_168_972 / 1_990_000_000 * 2 * 100)


def test_the_first_object_of_a_stream_has_no_cpu_figure_rather_than_a_wrong_one():
    first = stats(precpu_stats={"cpu_usage": {"total_usage": 0}})
    assert read(first).cpu_percent is None


def test_an_old_engine_without_online_cpus_is_counted_by_its_per_cpu_figures():
    now = {"cpu_usage": {"total_usage": 200, "percpu_usage": [1] * 4}, "system_cpu_usage": 2000}
    before = {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000}
    assert cpu_percent(now, before) == pytest.approx(40.0)


def test_a_container_that_did_nothing_uses_nothing():
    now = {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 2000, "online_cpus": 2}
    before = {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000}
    assert cpu_percent(now, before) == 0.0


@pytest.mark.parametrize(
    ("figures", "used"),
    [
        pytest.param({"total_inactive_file": 300, "inactive_file": 100}, 700.0, id="cgroup v1"),
        pytest.param({"inactive_file": 200}, 800.0, id="cgroup v2"),
        pytest.param({"inactive_file": 5000}, 1000.0, id="a cache larger than the usage"),
        pytest.param(
            {"total_inactive_file": 5000, "inactive_file": 100}, 900.0, id="v1, too large a total"
        ),
        pytest.param({}, 1000.0, id="nothing said"),
    ],
)
def test_memory_leaves_out_the_cache_that_can_be_given_back(figures: dict[str, int], used: float):
    assert memory_used({"usage": 1000, "stats": figures}) == used


def test_memory_percent_is_of_the_limit():
    assert read(stats()).memory_percent == pytest.approx(100 * 790_528 / 104_857_600)


def test_network_is_summed_over_interfaces_and_has_no_rate_at_first():
    first = read(stats())
    assert (first.received, first.sent) == (1_042, 50)
    assert first.received_rate is None


def test_a_rate_is_by_the_engines_own_clock():
    first = read(stats())
    networks = {"eth0": {"rx_bytes": 3_042, "tx_bytes": 50}}
    second = read(stats("2026-11-21T11:27:48.416921947Z", networks=networks), first)
    assert (second.received_rate, second.sent_rate) == (pytest.approx(1_000.0), 0.0)


def test_a_counter_that_went_back_gives_no_rate():
    first = read(stats())
    again = read(stats("2026-11-21T11:27:48Z", networks={"eth0": {"rx_bytes": 10}}), first)
    assert again.received_rate is None


def test_a_container_that_does_not_run_has_no_usage():
    assert usage({"read": "0001-01-01T00:00:00Z", "memory_stats": {}}, None) is None
    assert usage({"read": "2026-11-21T11:27:48Z", "memory_stats": {}}, None) is None
